using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Channel.Tests.Records;

/// <summary>The sealed stream over a real socket, as between operator and enclave.</summary>
public class CarrierLinkTests
{
    [Fact]
    public async Task A_session_over_a_socket_carries_much_both_ways_and_ends_cleanly()
    {
        var (left, right) = await ConnectAsync();
        using var key = X25519PrivateKey.Generate();
        var options = new ChannelOptions { Time = TimeProvider.System, Shaping = ShapingProfile.Padded };
        var accepting = SealedStream.AcceptAsync(new FramedTransport(left), key, Pair.StatementHash, options, CancellationToken.None);
        var client = await SealedStream.OpenAsync(new FramedTransport(right), key.PublicKey, Pair.StatementHash, options, CancellationToken.None);
        var enclave = await accepting;

        byte[] up = RandomNumberGenerator.GetBytes(3_000_000);
        byte[] down = RandomNumberGenerator.GetBytes(3_000_000);
        var received = await Task.WhenAll(SendAndReceiveAsync(client, up, down.Length), SendAndReceiveAsync(enclave, down, up.Length));
        Assert.Equal(down, received[0]);
        Assert.Equal(up, received[1]);

        await enclave.WriteAsync("unread, and no reset"u8.ToArray());
        var rest = client.ReadTextAsync();
        await enclave.DisposeAsync();
        Assert.Equal("unread, and no reset", await rest);
        await client.DisposeAsync();
        Assert.Null(client.Fault ?? enclave.Fault);
    }

    [Fact]
    public async Task A_socket_that_is_cut_is_a_truncation()
    {
        var (left, right) = await ConnectAsync();
        using var key = X25519PrivateKey.Generate();
        var options = new ChannelOptions { Time = TimeProvider.System };
        var accepting = SealedStream.AcceptAsync(new FramedTransport(left), key, Pair.StatementHash, options, CancellationToken.None);
        await using var client = await SealedStream.OpenAsync(new FramedTransport(right), key.PublicKey, Pair.StatementHash, options, CancellationToken.None);
        await using var enclave = await accepting;

        var reading = client.ReadFaultAsync();
        await left.DisposeAsync();
        Assert.Equal(ChannelFault.Truncated, await reading);
    }

    private static async Task<byte[]> SendAndReceiveAsync(SealedStream stream, byte[] data, int length)
    {
        var receiving = stream.ReadExactlyAsync(length);
        await stream.WriteAsync(data);
        return await receiving;
    }

    private static async Task<(NetworkStream, NetworkStream)> ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        return ((await accepting).GetStream(), client.GetStream());
    }
}
