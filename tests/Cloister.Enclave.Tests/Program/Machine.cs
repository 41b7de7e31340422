using System.Buffers.Binary;
using System.Diagnostics;
using Cloister.Enclave.Tests.Host;
using Cloister.Simulation;
using Cloister.Wire;

namespace Cloister.Enclave.Tests.Program;

/// <summary>A confidential machine as its kernel shows it: an entry into which 64 bytes go, and out of which comes a report over them.</summary>
internal sealed class Machine : IDisposable
{
    private readonly DirectoryInfo _reports = Directory.CreateTempSubdirectory("cloister-tsm-");

    private Machine() { }

    public string Reports => _reports.FullName;

    private string Entry => Path.Combine(Reports, "cloister");

    /// <param name="writes">How many writes the kernel counts when one is made.</param>
    /// <param name="asked">Which question the machine hears when one is asked.</param>
    public static async Task<Machine> StartAsync(string provider = "sev_guest", byte[]? table = null, int writes = 1, Func<byte[], byte[]>? asked = null)
    {
        var machine = new Machine();
        Directory.CreateDirectory(machine.Entry);
        using var pipes = Process.Start("mkfifo", [machine.At("inblob"), machine.At("outblob")]);
        await pipes.WaitForExitAsync();
        await File.WriteAllTextAsync(machine.At("provider"), $"{provider}\n");
        await File.WriteAllTextAsync(machine.At("generation"), "0\n");
        await File.WriteAllBytesAsync(machine.At("auxblob"), table ?? CertificateTable());
        new Thread(() => machine.Answer(writes, asked ?? (question => question))) { IsBackground = true }.Start();
        return machine;
    }

    public void Dispose() => _reports.Delete(recursive: true);

    private string At(string attribute) => Path.Combine(Entry, attribute);

    private void Answer(int writes, Func<byte[], byte[]> asked)
    {
        try
        {
            for (int generation = writes; ; generation += writes)
            {
                byte[] question = new byte[64];
                using (var questions = new FileStream(At("inblob"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0))
                {
                    questions.ReadExactly(question);
                }
                File.WriteAllText(At("generation"), $"{generation}\n");
                var evidence = RunningEnclave.Authority.Attest(new SimulatedReport { ReportData = asked(question), Measurement = SimulatedEnclave.Measurement });
                Base64.TryDecode(evidence.Report, out byte[]? report);
                using var answers = new FileStream(At("outblob"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                answers.Write(report);
            }
        }
        catch (IOException)
        {
            // The machine was switched off.
        }
    }

    public static byte[] CertificateTable()
    {
        var evidence = RunningEnclave.Authority.Attest(new SimulatedReport { ReportData = new byte[64], Measurement = SimulatedEnclave.Measurement });
        (string Name, string Content)[] entries =
        [
            ("63da758d-e664-4564-adc5-f4b93be8accd", evidence.Certificates[0]),
            ("4ab7b379-bbac-4fe4-a02f-05aef327c782", evidence.Certificates[1]),
            ("c0b406a4-a803-4952-9743-3fb6014cd0ae", evidence.Certificates[2]),
            ("92f81bc3-5811-4d3d-97ff-d19f88dc67ea", evidence.RevocationList!),
        ];
        byte[] head = new byte[24 * (entries.Length + 1)];
        var blobs = new List<byte>();
        for (int i = 0; i < entries.Length; i++)
        {
            Base64.TryDecode(entries[i].Content, out byte[]? der);
            new Guid(entries[i].Name).TryWriteBytes(head.AsSpan(24 * i), bigEndian: true, out _);
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(24 * i + 16), head.Length + blobs.Count);
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(24 * i + 20), der!.Length);
            blobs.AddRange(der);
        }
        return [.. head, .. blobs];
    }
}
