using System.Collections.Immutable;

namespace Cloister.Transparency;

/// <summary>A release: what was built from what, and what machines that run it measure (docs/spec/transparency.md, section 5).</summary>
public sealed record ReleaseManifest : IStatementBody
{
    /// <summary>For people, for example <c>1.4.0</c>. What counts is <see cref="SecurityVersion"/>.</summary>
    public required string Version { get; init; }

    /// <summary>The revision of the sources: a git object's name, 20 or 32 bytes in lower-case hex.</summary>
    public required string SourceRevision { get; init; }

    public required ImmutableArray<Artifact> Artifacts { get; init; }

    public required ReferenceMeasurements Measurements { get; init; }

    public required ImmutableArray<ReleasedModel> Models { get; init; }

    /// <summary>Grows with each release that closes a hole.</summary>
    public required int SecurityVersion { get; init; }

    /// <summary>Releases of this namespace with a smaller security version are no longer accepted.</summary>
    public required int MinimumAcceptedVersion { get; init; }

    bool IStatementBody.IsWellFormed() =>
        LogStatement.IsName(Version) && LogStatement.IsDigest(SourceRevision, 20, 32) && Artifact.AreWellFormed(Artifacts) && Measurements.IsWellFormed()
        && !Models.IsDefault && Models.All(model => model is not null && model.IsWellFormed()) && Models.DistinctBy(model => model.Name).Count() == Models.Length
        && SecurityVersion >= 0 && MinimumAcceptedVersion >= 0 && MinimumAcceptedVersion <= SecurityVersion;
}

/// <summary>A file of a release.</summary>
/// <param name="Sha256">In lower-case hex.</param>
public sealed record Artifact(string Name, string Sha256)
{
    internal static bool AreWellFormed(ImmutableArray<Artifact> artifacts) =>
        !artifacts.IsDefaultOrEmpty && artifacts.All(artifact => artifact is not null && LogStatement.IsName(artifact.Name) && LogStatement.IsDigest(artifact.Sha256))
        && artifacts.DistinctBy(artifact => artifact.Name).Count() == artifacts.Length;
}

/// <summary>A model that a release serves. Digests are SHA-256 in lower-case hex.</summary>
public sealed record ReleasedModel(string Name, string Weights, string Tokenizer, string Template)
{
    internal bool IsWellFormed() =>
        LogStatement.IsName(Name) && LogStatement.IsDigest(Weights) && LogStatement.IsDigest(Tokenizer) && LogStatement.IsDigest(Template);
}

/// <summary>What a release measures, for each platform and shape of machine. A list may be empty: the release then does not run there.</summary>
public sealed record ReferenceMeasurements(
    ImmutableArray<SnpReference> Snp, ImmutableArray<TdxReference> Tdx, ImmutableArray<TpmReference> Tpm, ImmutableArray<string> GpuRims)
{
    internal bool IsWellFormed() =>
        !Snp.IsDefault && !Tdx.IsDefault && !Tpm.IsDefault && !GpuRims.IsDefault
        && Snp.All(one => one is { Vcpus: > 0 } && LogStatement.IsName(one.VcpuType) && LogStatement.IsDigest(one.LaunchDigest, 48))
        && Tdx.All(one => one is not null && LogStatement.IsName(one.Shape) && !one.Rtmrs.IsDefault && one.Rtmrs.Length == 4 && one.Rtmrs.Append(one.Mrtd).All(register => LogStatement.IsDigest(register, 48)))
        && Tpm.All(one => one is not null && LogStatement.IsName(one.Shape) && !one.Pcrs.IsDefaultOrEmpty
            && one.Pcrs.All(pcr => pcr is { Index: >= 0 and < 24 } && LogStatement.IsDigest(pcr.Sha256)) && one.Pcrs.DistinctBy(pcr => pcr.Index).Count() == one.Pcrs.Length)
        && GpuRims.All(LogStatement.IsName);
}

/// <summary>SEV-SNP: the launch digest depends on how many virtual processors there are, and of what type.</summary>
/// <param name="VcpuType">As the hypervisor names it, for example <c>EPYC-v4</c>.</param>
/// <param name="LaunchDigest">48 bytes in lower-case hex.</param>
public sealed record SnpReference(int Vcpus, string VcpuType, string LaunchDigest);

/// <summary>TDX: 48 bytes each in lower-case hex.</summary>
/// <param name="Rtmrs">RTMR0 to RTMR3.</param>
public sealed record TdxReference(string Shape, string Mrtd, ImmutableArray<string> Rtmrs);

/// <summary>A TPM's platform configuration registers in the SHA-256 bank.</summary>
public sealed record TpmReference(string Shape, ImmutableArray<Pcr> Pcrs);

/// <summary>One register.</summary>
/// <param name="Index">0 to 23.</param>
public sealed record Pcr(int Index, string Sha256);
