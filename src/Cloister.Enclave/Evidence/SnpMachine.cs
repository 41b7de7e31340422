using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Enclave.Evidence;

/// <summary>A machine of AMD SEV-SNP (docs/spec/snp.md): its reports, with what endorses them from the host's helper or else from the host's table.</summary>
public sealed class SnpMachine(ConfigfsTsm kernel, HostCollateral? host)
{
    internal const string Provider = "sev_guest";

    /// <summary>Asks once, so that a machine that cannot be endorsed is found before anything else is started.</summary>
    /// <exception cref="IOException">It does not answer, or what endorses it is not there.</exception>
    public async Task<EvidenceSource> OpenAsync(CancellationToken cancellation = default)
    {
        var (_, node) = await AskAsync(new byte[64], cancellation);
        return new EvidenceSource(node, async (reportData, cancelled) => [(await AskAsync(reportData, cancelled)).Evidence.ToPlatformEvidence()]);
    }

    private async Task<(SnpEvidence Evidence, string Node)> AskAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellation)
    {
        var answer = await kernel.AskAsync(reportData, cancellation);
        if (!SnpReport.TryParse(answer.Report, out var report, out _) || !CryptographicOperations.FixedTimeEquals(report.ReportData, reportData.Span))
        {
            throw new IOException("The machine's report is not an SEV-SNP report over what it was asked.");
        }
        var (certificates, list) = host is null ? FromTable(answer.Certificates, report.Signer.Key) : FromHelper(answer.Certificates, SnpWant.Of(report));
        return (new SnpEvidence { Report = Base64.Encode(answer.Report), Certificates = certificates, RevocationList = list }, Hex.Encode(report.ChipId));
    }

    private static (ImmutableArray<string> Certificates, string? List) FromTable(byte[] bytes, SigningKey key)
    {
        var table = SnpCertificateTable.Read(bytes);
        return ([Base64.Encode(table.Signer(key)), Base64.Encode(table.Intermediate), Base64.Encode(table.Root)], table.RevocationList is { } list ? Base64.Encode(list) : null);
    }

    // AMD gives the certificate of a VLEK to the cloud that was lent it and to nobody else, so that one always comes from the host.
    private (ImmutableArray<string> Certificates, string? List) FromHelper(byte[] table, SnpWant want)
    {
        if (!want.IsWellFormed())
        {
            throw new IOException("The machine's report names no product that is known here, as those of version 2 do not: its firmware is too old, or too new.");
        }
        var set = host!.Take(want);
        return (want.Key is SigningKey.Vlek ? set.Certificates.Insert(0, Base64.Encode(SnpCertificateTable.Read(table).Signer(SigningKey.Vlek))) : set.Certificates, set.RevocationList);
    }
}
