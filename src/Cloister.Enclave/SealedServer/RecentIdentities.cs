using Cloister.Attestation;

namespace Cloister.Enclave.SealedServer;

/// <summary>The identity of the moment, and those before it for as long as a client may still hold their statements.</summary>
internal sealed class RecentIdentities(Func<EnclaveIdentity> current, TimeProvider time)
{
    // Ours to choose: each one more costs a stranger's connection another key agreement.
    private const int MaxFormer = 4;

    private readonly Lock _gate = new();
    private readonly List<(EnclaveIdentity Identity, long LastCurrent)> _recent = [];

    /// <summary>Newest first. To be asked at the start of each connection: whatever bundle a client holds was handed out by one.</summary>
    public EnclaveIdentity[] Candidates()
    {
        var newest = current();
        lock (_gate)
        {
            _recent.RemoveAll(former => time.GetElapsedTime(former.LastCurrent) >= EnclaveStatement.MaxValidity || former.Identity.StatementHash.Span.SequenceEqual(newest.StatementHash.Span));
            _recent.Insert(0, (newest, time.GetTimestamp()));
            if (_recent.Count > 1 + MaxFormer)
            {
                _recent.RemoveAt(_recent.Count - 1);
            }
            return [.. _recent.Select(former => former.Identity)];
        }
    }
}
