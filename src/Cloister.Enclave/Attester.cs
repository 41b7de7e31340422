using System.Collections.Immutable;
using Cloister.Attestation;

namespace Cloister.Enclave;

/// <summary>The machine, asked one question at a time: it holds only one, and renewal and sessions ask it.</summary>
internal sealed class Attester(EvidenceSource source) : IDisposable
{
    // Ours to choose: those behind would wait longer than their clients do.
    private const int MaxWaiting = 32;

    private readonly SemaphoreSlim _asking = new(1);
    private int _waiting;

    public string Node => source.Node;

    /// <summary>Null where the machine has no GPUs to be asked. They answer for seconds, on a thread of their own.</summary>
    public async Task<NvidiaGpuEvidence?> AttestGpusAsync(ReadOnlyMemory<byte> nonce, CancellationToken cancellation) =>
        source.Gpus is { } gpus ? await Task.Run(() => gpus(nonce), cancellation) : null;

    public bool HasGpus => source.Gpus is not null;

    /// <summary>Waits for its turn.</summary>
    public async Task<ImmutableArray<PlatformEvidence>> AttestAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellation)
    {
        await _asking.WaitAsync(cancellation);
        try
        {
            return await source.AttestAsync(reportData, cancellation);
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>The same for a client's question. Null where too many are waiting already.</summary>
    public async Task<ImmutableArray<PlatformEvidence>?> TryAttestAsync(ReadOnlyMemory<byte> reportData, CancellationToken cancellation)
    {
        bool taken = Interlocked.Increment(ref _waiting) <= MaxWaiting;
        try
        {
            return taken ? await AttestAsync(reportData, cancellation) : null;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Dispose() => _asking.Dispose();
}
