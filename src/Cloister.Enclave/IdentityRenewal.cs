using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Enclave.SealedServer;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Enclave;

/// <summary>Keeps what the enclave is up to date: its channel key, the statement that names it, the evidence for both (docs/spec/statement.md).</summary>
/// <remarks>A renewal counts for sessions that begin after it; sessions that are open stay open. If the machine does not answer, the last identity stands until it expires.</remarks>
internal sealed class IdentityRenewal : IAsyncDisposable
{
    // Ours to choose. A statement lives an hour; a client must find one with enough of it left. A key may live a day.
    private static readonly TimeSpan StatementPeriod = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan KeyLifetime = TimeSpan.FromHours(12);

    private readonly EnclaveSetup _setup;
    private readonly Attester _attester;
    private readonly CancellationTokenSource _stopping = new();
    private X25519PrivateKey _key = X25519PrivateKey.Generate();
    private X25519PrivateKey? _formerKey;
    private DateTimeOffset _keyMade;
    private EnclaveIdentity _current = null!;
    private Task _renewing = Task.CompletedTask;

    private IdentityRenewal(EnclaveSetup setup, Attester attester) => (_setup, _attester, _keyMade) = (setup, attester, setup.Time.GetUtcNow());

    public EnclaveIdentity Current => Volatile.Read(ref _current);

    /// <summary>Makes the first identity, so that the door never opens without one, and renews it from then on.</summary>
    public static async Task<IdentityRenewal> StartAsync(EnclaveSetup setup, Attester attester, CancellationToken cancellation)
    {
        var renewal = new IdentityRenewal(setup, attester);
        await renewal.RenewAsync(cancellation);
        renewal._renewing = renewal.RenewUntilStoppedAsync();
        return renewal;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _renewing;
        _key.Dispose();
        _formerKey?.Dispose();
        _stopping.Dispose();
    }

    private async Task RenewUntilStoppedAsync()
    {
        var period = StatementPeriod;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(period, _setup.Time, _stopping.Token);
                await RenewAsync(_stopping.Token);
                period = StatementPeriod;
            }
            catch (Exception) when (!_stopping.IsCancellationRequested)
            {
                period = RetryPeriod;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task RenewAsync(CancellationToken cancellation)
    {
        var now = _setup.Time.GetUtcNow();
        if (now - _keyMade >= KeyLifetime)
        {
            // Handshakes with the former key may be under way; they are over long before the next renewal.
            _formerKey?.Dispose();
            (_formerKey, _key, _keyMade) = (_key, X25519PrivateKey.Generate(), now);
        }

        var publication = _setup.Publication is null ? null : await _setup.Publication(cancellation);
        var (statement, gpus) = await NameGpusAsync(Statement(now, publication), cancellation);
        var evidence = await _attester.AttestAsync(EnclaveStatement.ReportData(statement), cancellation);
        byte[] bundle = new EnclaveBundle(statement, gpus is null ? evidence : evidence.Add(gpus.ToPlatformEvidence()), publication).ToBytes();
        Volatile.Write(ref _current, new EnclaveIdentity(_key, EnclaveStatement.Hash(statement), bundle));
    }

    // The GPUs answer the statement without its last member, which then names what they answered (docs/spec/statement.md, section 2).
    private async Task<(byte[] Statement, NvidiaGpuEvidence? Gpus)> NameGpusAsync(EnclaveStatement statement, CancellationToken cancellation)
    {
        if (!_attester.HasGpus)
        {
            return (statement.ToBytes(), null);
        }
        byte[] nonce = EnclaveStatement.GpuNonce((statement with { GpuEvidence = new string('0', 2 * SHA256.HashSizeInBytes) }).ToBytes());
        var gpus = await _attester.AttestGpusAsync(nonce, cancellation);
        return ((statement with { GpuEvidence = Hex.Encode(SHA256.HashData(gpus!.ToBytes())) }).ToBytes(), gpus);
    }

    private EnclaveStatement Statement(DateTimeOffset now, Publication? publication) => new()
    {
        Version = EnclaveStatement.CurrentVersion,
        Role = EnclaveStatement.InferenceRole,
        Node = _attester.Node,
        ChannelKey = Base64.Encode(_key.PublicKey.Bytes),
        Config = _setup.Configuration,
        Models = _setup.Models,
        IssuedAt = EnclaveStatement.FormatTime(now),
        ExpiresAt = EnclaveStatement.FormatTime(now + EnclaveStatement.MaxValidity),
        Release = publication?.ReleaseDigest,
    };
}
