using System.Collections.Immutable;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Intel TDX as a platform: from its evidence in a bundle to findings.</summary>
internal sealed class TdxPlatform : Platform
{
    private const string Prefix = "Tdx.";
    private const string LogPrefix = "Tdx.EventLog";

    public override string Name => TdxEvidence.Platform;

    public override string Title => "Intel TDX";

    public override string MediaType => "application/vnd.cloister.tdx+json";

    public override bool IsMachine => true;

    // What Intel says of the firmware is weighed by the policy's own lists; nothing else of a quote can be given up.
    public override ImmutableArray<CheckDescription> Checks { get; } = CheckDescription.List(
        "The Intel processor", Prefix, TdxCheckTexts.Of, TdxCheck.ExpectedMrConfigId, TdxCheck.ExpectedMrOwner, TdxCheck.ExpectedMrOwnerConfig)
        .AddRange(CheckDescription.List<EventLogCheck>("The Intel processor", LogPrefix, EventLogCheckTexts.Of));

    public override bool IsNamedBy(AppraisalPolicy policy) => policy.Tdx is not null;

    public override string? FaultOf(AppraisalPolicy policy) => policy.Tdx?.Fault();

    public override PlatformFindings? Appraise(ReadOnlySpan<byte> evidence, AppraisalPolicy policy, Binding binding)
    {
        if (policy.Tdx is not { } machines || !TdxEvidence.TryParse(evidence, out var read)
            || !Base64.TryDecode(read.Quote, out var quote) || !Base64.TryDecode(read.PckRevocationList, out var pckList) || !Base64.TryDecode(read.RootRevocationList, out var rootList)
            || !Base64.TryDecode(read.EventLog ?? "", out var log))
        {
            return null;
        }

        var collateral = new TdxCollateral
        {
            TcbInfo = Text(read.TcbInfo),
            QeIdentity = Text(read.QeIdentity),
            PckRevocationList = pckList,
            RootRevocationList = rootList,
            TcbInfoIssuers = Text(read.TcbInfoIssuers),
            QeIdentityIssuers = Text(read.QeIdentityIssuers),
            PckRevocationListIssuers = Text(read.PckRevocationListIssuers),
        };
        var result = TdxVerification.Verify(quote, collateral, machines.Demands(binding.Machine, binding.Release), binding.Now);
        var events = result.TryGetQuote(out var quoted) ? EventLogVerification.Verify(log, quoted.Report, machines.EventLog).Findings : [.. new Findings<EventLogCheck>().ToImmutable()];
        return new PlatformFindings([.. result.Findings.Select(finding => finding.ToCheck(Prefix)), .. events.Select(finding => finding.ToCheck(LogPrefix))], result.Platform is { } platform ? Hex.Encode(platform.Ppid.Span) : null);
    }

    private static byte[] Text(string? text) => Encoding.UTF8.GetBytes(text ?? "");
}
