using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Enclave.Evidence;

/// <summary>A machine of Intel TDX (docs/spec/tdx.md): its quotes, with Intel's collateral from the host's helper.</summary>
public sealed class TdxMachine(ConfigfsTsm kernel, HostCollateral? host)
{
    internal const string Provider = "tdx_guest";

    /// <summary>Asks once, so that a machine that cannot be endorsed is found before anything else is started.</summary>
    /// <exception cref="IOException">It does not answer, or what endorses it is not there.</exception>
    public async Task<EvidenceSource> OpenAsync(CancellationToken cancellation = default)
    {
        var (_, node) = await AskAsync(new byte[64], cancellation);
        return new EvidenceSource(node, async (reportData, cancelled) => [(await AskAsync(reportData, cancelled)).Evidence.ToPlatformEvidence()]);
    }

    private async Task<(TdxEvidence Evidence, string Node)> AskAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellation)
    {
        var answer = await kernel.AskAsync(reportData, cancellation);

        // Quote generators pad with zeros, which the form allows; what the verifier would refuse is refused here.
        if (!TdxQuote.TryParse(answer.Report, out var quote, out _) || !CryptographicOperations.FixedTimeEquals(quote.Report.ReportData, reportData.Span))
        {
            throw new IOException("The machine's quote is not a TDX quote over what it was asked.");
        }
        var want = TdxWant.Of(quote, out var platform);
        var set = host?.Take(want) ?? throw new IOException("A TDX machine needs Intel's collateral, and the configuration names no folder of endorsements.");
        var evidence = new TdxEvidence
        {
            Quote = Base64.Encode(answer.Report),
            TcbInfo = set.TcbInfo,
            TcbInfoIssuers = set.TcbInfoIssuers,
            QeIdentity = set.QeIdentity,
            QeIdentityIssuers = set.QeIdentityIssuers,
            PckRevocationList = set.PckRevocationList,
            PckRevocationListIssuers = set.PckRevocationListIssuers,
            RootRevocationList = set.RootRevocationList,
        };
        return (evidence, Hex.Encode(platform.Ppid.Span));
    }
}
