using Cloister.Attestation;

namespace Cloister.Enclave;

/// <summary>The machine that vouches for the enclave: which one it is, and how to ask it.</summary>
/// <param name="Node">The chip's identity, 64 bytes in lower-case hex, as its reports name it.</param>
/// <param name="AttestAsync">Asks for evidence whose report data is the given 64 bytes.</param>
public sealed record EvidenceSource(string Node, Func<ReadOnlyMemory<byte>, CancellationToken, Task<SnpEvidence>> AttestAsync);
