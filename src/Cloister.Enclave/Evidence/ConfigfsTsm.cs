using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Enclave.Evidence;

/// <summary>Asks the machine's hardware for SEV-SNP reports through Linux's <c>configfs-tsm</c> (Documentation/ABI/testing/configfs-tsm).</summary>
/// <remarks>
/// Certificates come from a folder where one is named, otherwise with the report from the host. Neither is trusted: whoever appraises
/// the evidence verifies them.
/// </remarks>
public sealed class ConfigfsTsm
{
    /// <summary>Where the kernel makes entries for reports.</summary>
    public const string UsualPath = "/sys/kernel/config/tsm/report";

    private const int MaxBlob = 1024 * 1024;
    private const string SnpProvider = "sev_guest";

    private readonly string _entry;
    private readonly string? _endorsements;

    private ConfigfsTsm(string entry, string? endorsements) => (_entry, _endorsements) = (entry, endorsements);

    /// <summary>Makes an entry of our own and asks which chip this is.</summary>
    /// <param name="endorsements">A folder with <c>vcek.der</c>, <c>ask.der</c>, <c>ark.der</c> and perhaps <c>crl.der</c>. Null: the host hands them out.</param>
    /// <exception cref="IOException">This is no confidential machine, or it does not answer. The message is one clear sentence.</exception>
    public static async Task<EvidenceSource> OpenAsync(string? endorsements, string reports = UsualPath, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(reports))
        {
            throw new IOException($"There is no {reports}: this is no confidential virtual machine, or its kernel lacks configfs-tsm.");
        }

        var machine = new ConfigfsTsm(MakeEntry(reports), endorsements);
        string provider = await machine.ReadTextAsync("provider", cancellation);
        if (provider != SnpProvider)
        {
            throw new IOException($"This machine's reports come from '{provider}', and only those of '{SnpProvider}' are known here.");
        }
        var (report, _) = await machine.AskAsync(new byte[64], cancellation);
        return new EvidenceSource(ChipOf(report), machine.AttestAsync);
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

    private async Task<SnpEvidence> AttestAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellation)
    {
        var (report, table) = await AskAsync(reportData, cancellation);
        var endorsements = _endorsements is null ? SnpCertificateTable.Read(table) : await ReadFolderAsync(_endorsements, cancellation);
        return new SnpEvidence
        {
            Report = Base64.Encode(report),
            Certificates = [.. new[] { endorsements.Signer, endorsements.Intermediate, endorsements.Root }.Select(certificate => Base64.Encode(certificate))],
            RevocationList = endorsements.RevocationList is { } list ? Base64.Encode(list) : null,
        };
    }

    // The entry holds one question, and who renews the identity asks one after the other.
    private async Task<(byte[] Report, byte[] Table)> AskAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellation)
    {
        ulong before = await ReadGenerationAsync(cancellation);
        await using (var question = new FileStream(Path.Combine(_entry, "inblob"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            await question.WriteAsync(reportData, cancellation);
        }
        byte[] report = await ReadAsync("outblob", cancellation);
        byte[] table = await ReadAsync("auxblob", cancellation);
        ulong after = await ReadGenerationAsync(cancellation);

        // The kernel counts writes, and takes one when its file is closed, where no fault is told. One more is ours; none, and it was
        // not taken; two, and somebody else asked, or asked for another privilege level.
        if (after != unchecked(before + 1))
        {
            throw new IOException("The machine was asked something else meanwhile, or not at all.");
        }
        bool ours = SnpReport.TryParse(report, out var parsed, out _) && CryptographicOperations.FixedTimeEquals(parsed.ReportData, reportData.Span);
        return ours ? (report, table) : throw new IOException("The machine's report is not an SEV-SNP report over what it was asked.");
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

    private static async Task<SnpEndorsements> ReadFolderAsync(string folder, CancellationToken cancellation)
    {
        string list = Path.Combine(folder, "crl.der");
        return new SnpEndorsements(
            await File.ReadAllBytesAsync(Path.Combine(folder, "vcek.der"), cancellation),
            await File.ReadAllBytesAsync(Path.Combine(folder, "ask.der"), cancellation),
            await File.ReadAllBytesAsync(Path.Combine(folder, "ark.der"), cancellation),
            File.Exists(list) ? await File.ReadAllBytesAsync(list, cancellation) : null);
    }

    private static string ChipOf(byte[] report) =>
        SnpReport.TryParse(report, out var parsed, out _) ? Hex.Encode(parsed.ChipId) : throw new UnreachableException("The report was parsed before.");
}
