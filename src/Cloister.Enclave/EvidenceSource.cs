using System.Collections.Immutable;
using Cloister.Attestation;

namespace Cloister.Enclave;

/// <summary>The machine that vouches for the enclave: which one it is, and how to ask it.</summary>
/// <param name="Node">The machine's identity in lower-case hex, as its evidence names it.</param>
/// <param name="AttestAsync">Asks for evidence whose report data is the given 64 bytes: one entry for each platform.</param>
public sealed record EvidenceSource(string Node, Func<ReadOnlyMemory<byte>, CancellationToken, Task<ImmutableArray<PlatformEvidence>>> AttestAsync)
{
    /// <summary>Asks the GPUs that the statement's model runs on, for a nonce of 32 bytes. Null where there are none.</summary>
    public Func<ReadOnlyMemory<byte>, NvidiaGpuEvidence>? Gpus { get; init; }
}
