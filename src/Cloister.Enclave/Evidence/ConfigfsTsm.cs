using System.Globalization;
using System.Text;

namespace Cloister.Enclave.Evidence;

/// <summary>Linux's one interface to every processor that reports on its machine: <c>configfs-tsm</c> (Documentation/ABI/testing/configfs-tsm).</summary>
public sealed class ConfigfsTsm
{
    /// <summary>Where the kernel makes entries for reports.</summary>
    public const string UsualPath = "/sys/kernel/config/tsm/report";

    private const int MaxBlob = 1024 * 1024;

    private readonly string _entry;
    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;

    private ConfigfsTsm(string entry) => _entry = entry;

    /// <summary>The driver that answers, for example <c>sev_guest</c>.</summary>
    public string Provider { get; private set; } = "";

    /// <summary>Makes an entry of our own.</summary>
    /// <exception cref="IOException">This is no confidential machine, or it does not answer. The message is one clear sentence.</exception>
    public static async Task<ConfigfsTsm> OpenAsync(string reports = UsualPath, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(reports))
        {
            throw new IOException($"There is no {reports}: this is no confidential virtual machine, its kernel lacks configfs-tsm, or its reports come by another way, such as Azure's paravisor, which is not known here.");
        }
        var kernel = new ConfigfsTsm(MakeEntry(reports));
        kernel.Provider = await kernel.ReadTextAsync("provider", cancellation);
        return kernel;
    }

    /// <summary>Has the processor sign 64 bytes. Questions at the same time are asked one after the other.</summary>
    /// <exception cref="IOException">The machine does not answer, or somebody else asked it at the same time. What the answer is over, the caller must look at.</exception>
    public Task<TsmAnswer> AskAsync(ReadOnlyMemory<byte> question, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            var answer = AskAfterAsync(_last, question, cancellation);
            _last = answer;
            return answer;
        }
    }

    private async Task<TsmAnswer> AskAfterAsync(Task last, ReadOnlyMemory<byte> question, CancellationToken cancellation)
    {
        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        return await AskAloneAsync(question, cancellation);
    }

    private static string MakeEntry(string reports)
    {
        try
        {
            return Directory.CreateDirectory(Path.Combine(reports, "cloister")).FullName;
        }
        catch (IOException fault)
        {
            throw new IOException($"The kernel makes no entry in {reports}: this is no confidential virtual machine, or the driver of its processor is not loaded.", fault);
        }
    }

    private async Task<TsmAnswer> AskAloneAsync(ReadOnlyMemory<byte> question, CancellationToken cancellation)
    {
        ulong before = await ReadGenerationAsync(cancellation);
        await using (var file = new FileStream(Path.Combine(_entry, "inblob"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            await file.WriteAsync(question, cancellation);
        }
        byte[] report = await ReadAsync("outblob", cancellation);
        byte[] certificates = await ReadAsync("auxblob", cancellation);
        ulong after = await ReadGenerationAsync(cancellation);

        // The kernel counts writes, and takes one when its file is closed, where no fault is told. One more is ours; none, and it was
        // not taken; two, and somebody else asked, or asked for another privilege level.
        return after == unchecked(before + 1)
            ? new TsmAnswer(report, certificates)
            : throw new IOException("The machine was asked something else meanwhile, or not at all.");
    }

    private async Task<ulong> ReadGenerationAsync(CancellationToken cancellation) =>
        ulong.TryParse(await ReadTextAsync("generation", cancellation), NumberStyles.None, CultureInfo.InvariantCulture, out ulong generation)
            ? generation
            : throw new IOException($"{_entry} has no generation: the kernel's configfs-tsm is older than version 6.7.");

    private async Task<string> ReadTextAsync(string name, CancellationToken cancellation) =>
        Encoding.ASCII.GetString(await ReadAsync(name, cancellation)).TrimEnd('\n');

    private async Task<byte[]> ReadAsync(string name, CancellationToken cancellation)
    {
        string path = Path.Combine(_entry, name);
        if (!File.Exists(path))
        {
            return [];
        }

        // The kernel does not announce how long it is.
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var blob = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (await file.ReadAsync(buffer, cancellation) is var length and > 0)
        {
            blob.Write(buffer, 0, length);
            if (blob.Length > MaxBlob)
            {
                throw new IOException($"{path} is longer than anything that belongs there.");
            }
        }
        return blob.ToArray();
    }
}

/// <summary>What the kernel hands out.</summary>
/// <param name="Report"><c>outblob</c>: what the processor signed, in its maker's form.</param>
/// <param name="Certificates"><c>auxblob</c>: what the host added, in its maker's form; empty where it adds nothing.</param>
public sealed record TsmAnswer(byte[] Report, byte[] Certificates);
