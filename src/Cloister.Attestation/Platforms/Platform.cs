using System.Collections.Immutable;
using Cloister.Transparency;

namespace Cloister.Attestation;

/// <summary>A kind of hardware that vouches for an enclave: how its evidence is written, and what is asked of it. One folder each.</summary>
internal abstract class Platform
{
    /// <summary>Every platform that there is. Evidence of another one is refused.</summary>
    public static ImmutableArray<Platform> All { get; } = [new SnpPlatform(), new TdxPlatform(), new NitroPlatform(), new TpmPlatform(), new NvidiaPlatform()];

    /// <summary>Its name in the collection of evidence, and before the names of its checks.</summary>
    public abstract string Name { get; }

    /// <summary>For people.</summary>
    public abstract string Title { get; }

    /// <summary>The type of its evidence in the collection (docs/spec/statement.md, section 4).</summary>
    public abstract string MediaType { get; }

    /// <summary>In the order in which its verification lists them.</summary>
    public abstract ImmutableArray<CheckDescription> Checks { get; }

    /// <summary>It is what the enclave runs on, of which there is exactly one; otherwise it accompanies one, such as a GPU.</summary>
    public abstract bool IsMachine { get; }

    /// <summary>The policy says what it demands of this platform. One that it says nothing of is refused.</summary>
    public abstract bool IsNamedBy(AppraisalPolicy policy);

    /// <summary>What is wrong with the policy's part for this platform, as a sentence; null where nothing is.</summary>
    public abstract string? FaultOf(AppraisalPolicy policy);

    /// <summary>Runs the platform's whole verification. Null where the evidence cannot be read.</summary>
    public abstract PlatformFindings? Appraise(ReadOnlySpan<byte> evidence, AppraisalPolicy policy, Binding binding);

    /// <summary>For one that stands between the machine and the statement: what the machine's report must carry in the place of the statement's hash.</summary>
    public virtual ReadOnlyMemory<byte>? CarriedReportData(ReadOnlySpan<byte> evidence, AppraisalPolicy policy) => null;

    /// <summary>It may be all there is: the policy accepts it without a machine that protects its memory.</summary>
    public virtual bool StandsAlone(AppraisalPolicy policy) => false;
}

/// <summary>What evidence must be bound to, and when it is judged.</summary>
/// <param name="ReportData">64 bytes: the hash of the statement, or of the session.</param>
/// <param name="Machine">What the machine's report carries: the same, or where another platform stands between, what that one says.</param>
/// <param name="GpuNonce">32 bytes that accompanying devices must answer; empty where the statement names no such evidence.</param>
/// <param name="Release">What the accepted release says that its builds measure; null where none was asked for, or none accepted.</param>
internal sealed record Binding(ReadOnlyMemory<byte> ReportData, ReadOnlyMemory<byte> Machine, ReadOnlyMemory<byte> GpuNonce, ReferenceMeasurements? Release, DateTimeOffset Now);

/// <summary>What a platform's verification found.</summary>
/// <param name="Checks">One for each of <see cref="Platform.Checks"/>, in that order.</param>
/// <param name="Node">The machine's identity in lower-case hex; null where it has none, or none was proved.</param>
/// <param name="IsSimulated">The evidence ends in a root made for development.</param>
internal sealed record PlatformFindings(ImmutableArray<Check> Checks, string? Node, bool IsSimulated = false);
