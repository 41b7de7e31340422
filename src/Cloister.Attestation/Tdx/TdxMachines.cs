using System.Collections.Immutable;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Which TDX machines a policy accepts, and which builds on them. There is no "null means unchecked".</summary>
public sealed record TdxMachines
{
    private const int SvnSize = 16;

    /// <summary>Root keys that may stand at the end of the chains: SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</summary>
    public required ImmutableArray<string> Roots { get; init; }

    /// <summary>Accepted builds. An empty list accepts none.</summary>
    public required ImmutableArray<TdxBuild> Builds { get; init; }

    /// <summary>The verdicts over the firmware that are accepted.</summary>
    public required ImmutableArray<TcbStatus> AcceptedStatuses { get; init; }

    /// <summary>Intel's advisories that may be open on the machine, each with the reason for people.</summary>
    public required ImmutableDictionary<string, string> AcceptedAdvisories { get; init; }

    /// <summary>The least evaluation data number of both collateral documents.</summary>
    public required int MinimumEvaluationDataNumber { get; init; }

    /// <summary>The least value of each byte of the security versions at launch: 16 bytes in lower-case hex.</summary>
    public required string MinimumTeeTcbSvn { get; init; }

    /// <summary>What the event log must tell. A listed build needs none: its registers say all.</summary>
    public required EventLogPolicy EventLog { get; init; }

    /// <summary>Firmware up to date and no advisory open. The numbers grow with what Intel publishes; the collateral itself must be current.</summary>
    public static TdxMachines Strict(ImmutableArray<TdxBuild> builds) => new()
    {
        Roots = [TdxRoot.Intel],
        Builds = builds,
        AcceptedStatuses = [TcbStatus.UpToDate],
        AcceptedAdvisories = ImmutableDictionary<string, string>.Empty,
        MinimumEvaluationDataNumber = 17,
        MinimumTeeTcbSvn = new string('0', 2 * SvnSize),
        EventLog = EventLogPolicy.NotAsked,
    };

    internal string? Fault() =>
        Roots.IsDefaultOrEmpty || Builds.IsDefault || AcceptedStatuses.IsDefault || AcceptedAdvisories is null || Builds.Contains(null!) || EventLog is null || EventLog.Registers.IsDefault || EventLog.Rules.IsDefault || EventLog.Rules.Any(rule => rule is null || rule.Digests.IsDefault) ? "A list for TDX is missing or holds nothing."
        : AcceptedStatuses.Any(status => status is TcbStatus.Revoked or TcbStatus.NotSupported) ? "Revoked firmware and firmware that Intel does not list are never accepted."
        : Builds.All(build => build.IsWellFormed()) && Roots.All(root => Hex.TryDecode(root, out var bytes) && bytes.Length == 32) && Hex.TryDecode(MinimumTeeTcbSvn, out var svn) && svn.Length == SvnSize ? null
        : "A build, a root or the least security version for TDX is not lower-case hex of its length.";

    /// <summary>The demands on a quote that carries <paramref name="reportData"/>, of a build that is listed here or published.</summary>
    internal TdxPolicy Demands(ReadOnlyMemory<byte> reportData, ReferenceMeasurements? release) => new()
    {
        Roots = Roots,
        Evaluation = TdxEvaluation.Full,
        AcceptedStatuses = AcceptedStatuses,
        AcceptedAdvisories = [.. AcceptedAdvisories.Keys],
        MinimumEvaluationDataNumber = MinimumEvaluationDataNumber,
        MinimumTeeTcbSvn = [.. Convert.FromHexString(MinimumTeeTcbSvn)],
        ArchitecturalDefaults = true,
        Builds = [.. Builds, .. release?.Tdx.Select(reference => new TdxBuild(reference.Mrtd, reference.Rtmrs)) ?? []],
        Expected = new Dictionary<TdxField, ImmutableArray<ReadOnlyMemory<byte>>>
        {
            [TdxField.ReportData] = [reportData],

            // Nobody but the build decides: no owner, no service domain that could move it elsewhere.
            [TdxField.MrConfigId] = [new byte[48]],
            [TdxField.MrOwner] = [new byte[48]],
            [TdxField.MrOwnerConfig] = [new byte[48]],
            [TdxField.MrServiceTd] = [new byte[48], ReadOnlyMemory<byte>.Empty],
        },
    };
}
