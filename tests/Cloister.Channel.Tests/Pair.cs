using Cloister.Primitives;

namespace Cloister.Channel.Tests;

/// <summary>A client and an enclave after a handshake over memory, with time in the test's hand.</summary>
internal sealed class Pair : IAsyncDisposable
{
    public static readonly byte[] StatementHash = [.. Enumerable.Repeat((byte)7, 32)];

    public required ManualTime Time { get; init; }
    public required MemoryTransport ClientEnd { get; init; }
    public required MemoryTransport EnclaveEnd { get; init; }
    public required SealedStream Client { get; init; }
    public required SealedStream Enclave { get; init; }

    /// <summary>What the client's end sent after the handshake.</summary>
    public IEnumerable<byte[]> ClientRecords => ClientEnd.Sent.Skip(1);

    /// <summary>What the enclave's end sent after the handshake.</summary>
    public IEnumerable<byte[]> EnclaveRecords => EnclaveEnd.Sent.Skip(1);

    public static async Task<Pair> OpenAsync(ShapingProfile shaping)
    {
        var time = new ManualTime();
        var options = new ChannelOptions { Time = time, Shaping = shaping };
        using var key = X25519PrivateKey.Generate();
        var (clientEnd, enclaveEnd) = MemoryTransport.Pair();

        var accepting = SealedStream.AcceptAsync(enclaveEnd, key, StatementHash, options, CancellationToken.None);
        var client = await SealedStream.OpenAsync(clientEnd, key.PublicKey, StatementHash, options, CancellationToken.None);
        return new Pair { Time = time, ClientEnd = clientEnd, EnclaveEnd = enclaveEnd, Client = client, Enclave = await accepting };
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(Client.DisposeAsync().AsTask(), Enclave.DisposeAsync().AsTask());
}
