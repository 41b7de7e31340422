using System.Collections.Immutable;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>AWS Nitro Enclaves as a platform: from its evidence in a bundle to findings.</summary>
internal sealed class NitroPlatform : Platform
{
    private const string Prefix = "Nitro.";

    public override string Name => NitroEvidence.Platform;

    public override string Title => "AWS Nitro Enclaves";

    public override string MediaType => "application/vnd.cloister.nitro+json";

    public override bool IsMachine => true;

    // Who signed an image adds nothing to which image it is.
    public override ImmutableArray<CheckDescription> Checks { get; } = CheckDescription.List("AWS's hypervisor", Prefix, NitroCheckTexts.Of, NitroCheck.ImageSigner);

    public override bool IsNamedBy(AppraisalPolicy policy) => policy.Nitro is not null;

    public override string? FaultOf(AppraisalPolicy policy) => policy.Nitro?.Fault();

    public override PlatformFindings? Appraise(ReadOnlySpan<byte> evidence, AppraisalPolicy policy, Binding binding)
    {
        if (policy.Nitro is not { } machines || !NitroEvidence.TryParse(evidence, out var read) || !Base64.TryDecode(read.Document, out var document))
        {
            return null;
        }

        var result = NitroVerification.Verify(document, machines.Demands(binding.Machine, TimeSpan.FromSeconds(policy.MaximumAgeSeconds)), binding.Now);
        return new PlatformFindings([.. result.Findings.Select(finding => finding.ToCheck(Prefix))], NodeOf(result.Document?.Instance));
    }

    // An enclave has a new name each time that it starts; what a fleet can list is the instance.
    private static string? NodeOf(string? instance) => instance is null ? null : Hex.Encode(Encoding.ASCII.GetBytes(instance));
}
