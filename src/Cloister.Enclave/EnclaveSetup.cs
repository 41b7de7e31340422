using System.Collections.Immutable;
using System.Net;
using Cloister.Attestation;
using Cloister.Enclave.Engines;

namespace Cloister.Enclave;

/// <summary>All that an enclave is started with.</summary>
public sealed record EnclaveSetup
{
    /// <summary>What steers it. It goes into the statement as it is.</summary>
    public required EnclaveConfiguration Configuration { get; init; }

    /// <summary>The engine that the configuration names. The host ends it.</summary>
    public required Engine Engine { get; init; }

    /// <summary>The served models by their digests, for the statement.</summary>
    public required ImmutableArray<ServedModel> Models { get; init; }

    public required EvidenceSource Evidence { get; init; }

    /// <summary>How the build was published, asked for at each renewal: proofs grow old. Null, or an answer of null: it was not.</summary>
    public Func<CancellationToken, Task<Publication?>>? Publication { get; init; }

    /// <summary>Where the operator's carrier connects. It does not steer anything, so it is not in the statement.</summary>
    public required EndPoint Endpoint { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Every fault, each as a sentence; empty where there is none.</summary>
    public ImmutableArray<string> Faults() =>
    [
        .. FaultsOf(Configuration),
        .. Fault(Configuration.Engine.Kind is EngineKind.Upstream == Engine is UpstreamEngine, "engine: it is not the one that the configuration names."),
    ];

    /// <summary>The faults of a configuration by itself.</summary>
    internal static ImmutableArray<string> FaultsOf(EnclaveConfiguration configuration) =>
    [
        .. Fault(configuration.Limits is { Sessions: > 0, Answers: > 0, RequestBytes: > 0, AnswerTokens: > 0 }, "limits: each must be positive."),
        .. Fault(configuration.Egress is { IsDefault: false, IsEmpty: true }, "egress: this version reaches nothing outside of itself, so the list must be empty."),
        .. Fault(configuration.Counters is { IsDefault: false, IsEmpty: true }, "counters: this version lets none out, so the list must be empty."),
    ];

    private static ImmutableArray<string> Fault(bool holds, string sentence) => holds ? [] : [sentence];
}
