using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>NVIDIA's GPUs and switches as a platform: they accompany a machine, and answer the nonce of its statement.</summary>
internal sealed class NvidiaPlatform : Platform
{
    private const string Prefix = "NvidiaGpu.";

    public override string Name => NvidiaGpuEvidence.Platform;

    public override string Title => "NVIDIA GPUs";

    public override string MediaType => "application/vnd.cloister.nvidia-gpu+json";

    public override bool IsMachine => false;

    // What is wanted of versions the policy's own lists say; nothing of what makes a device genuine can be given up.
    public override ImmutableArray<CheckDescription> Checks { get; } = CheckDescription.List<NvidiaCheck>("The GPUs", Prefix, NvidiaCheckTexts.Of);

    public override bool IsNamedBy(AppraisalPolicy policy) => policy.NvidiaGpu is not null;

    public override string? FaultOf(AppraisalPolicy policy) => policy.NvidiaGpu?.Fault();

    public override PlatformFindings? Appraise(ReadOnlySpan<byte> evidence, AppraisalPolicy policy, Binding binding)
    {
        if (policy.NvidiaGpu is not { } devices || !NvidiaGpuEvidence.TryParse(evidence, out var read) || read.Decode() is not var (shown, collateral))
        {
            return null;
        }
        var result = NvidiaVerification.Verify(shown, collateral, devices.Demands(binding.Release), binding.GpuNonce, binding.Now);
        return new PlatformFindings([.. result.Findings.Select(finding => finding.ToCheck(Prefix))], null);
    }
}
