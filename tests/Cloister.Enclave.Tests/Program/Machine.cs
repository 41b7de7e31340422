using System.Buffers.Binary;
using System.Diagnostics;
using Cloister.Simulation;
using Cloister.Wire;

namespace Cloister.Enclave.Tests.Program;

/// <summary>A confidential machine as its kernel shows it: an entry into which 64 bytes go, and out of which comes a report over them.</summary>
internal sealed class Machine : IDisposable
{
    private readonly DirectoryInfo _reports = Directory.CreateTempSubdirectory("cloister-tsm-");

    private Machine() { }

    /// <summary>Who made its processor. The root takes seconds to make, so there is one for all tests.</summary>
    public static DevelopmentAuthority Authority { get; } = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);

    public string Reports => _reports.FullName;

    private string Entry => Path.Combine(Reports, "cloister");

    /// <summary>A folder that the host and this machine share, for what endorses it.</summary>
    public string Endorsements => Directory.CreateDirectory(Path.Combine(Reports, "endorsements")).FullName;

    /// <summary>Another, in which the enclave says what it wants.</summary>
    public string Wanted => Directory.CreateDirectory(Path.Combine(Reports, "wanted")).FullName;

    /// <param name="writes">How many writes the kernel counts when one is made.</param>
    /// <param name="answer">What the processor answers to a question; SEV-SNP's where it is not given.</param>
    public static async Task<Machine> StartAsync(string provider = "sev_guest", byte[]? table = null, int writes = 1, Func<byte[], byte[]>? answer = null)
    {
        var machine = new Machine();
        Directory.CreateDirectory(machine.Entry);
        using var pipes = Process.Start("mkfifo", [machine.At("inblob"), machine.At("outblob")]);
        await pipes.WaitForExitAsync();
        await File.WriteAllTextAsync(machine.At("provider"), $"{provider}\n");
        await File.WriteAllTextAsync(machine.At("generation"), "0\n");
        await File.WriteAllBytesAsync(machine.At("auxblob"), table ?? CertificateTable());
        new Thread(() => machine.Answer(writes, answer ?? (question => Report(question)))) { IsBackground = true }.Start();
        return machine;
    }

    public void Dispose() => _reports.Delete(recursive: true);

    private string At(string attribute) => Path.Combine(Entry, attribute);

    private void Answer(int writes, Func<byte[], byte[]> answer)
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
                using var answers = new FileStream(At("outblob"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                answers.Write(answer(question));
            }
        }
        catch (IOException)
        {
            // The machine was switched off.
        }
    }

    /// <summary>A report of the simulated chip, in which one thing may be other than it should be.</summary>
    public static byte[] Report(byte[] question, Func<SimulatedReport, SimulatedReport>? spoil = null)
    {
        var report = new SimulatedReport { ReportData = question, Measurement = SimulatedEnclave.Measurement };
        return Base64.TryDecode(Authority.Attest(spoil?.Invoke(report) ?? report).Report, out byte[]? bytes) ? bytes : throw new UnreachableException();
    }

    public static byte[] CertificateTable(string signer = "63da758d-e664-4564-adc5-f4b93be8accd")
    {
        var evidence = Authority.Attest(new SimulatedReport { ReportData = new byte[64], Measurement = SimulatedEnclave.Measurement });
        (string Name, string Content)[] entries =
        [
            (signer, evidence.Certificates[0]),
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
