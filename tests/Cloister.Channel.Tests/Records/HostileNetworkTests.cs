using Cloister.Channel.Noise;
using Cloister.Primitives;

namespace Cloister.Channel.Tests.Records;

/// <summary>One valid session with one thing spoiled by whoever carries it.</summary>
public class HostileNetworkTests
{
    private static readonly byte[] Secret = "the weather in the mountains"u8.ToArray();

    [Theory]
    [InlineData(0, 0x80)]
    [InlineData(40, 1)]
    [InlineData(1263, 1)]
    public async Task An_altered_first_message_ends_both_sides(int place, byte bit)
    {
        var (client, enclave) = await ShakeHandsAsync(up: message => Altered(message, place, bit), down: message => message);
        Assert.Equal((ChannelFault.Truncated, ChannelFault.Unauthentic), (client, enclave));
    }

    [Theory]
    [InlineData(0, 0x80)]
    [InlineData(40, 1)]
    [InlineData(1167, 1)]
    public async Task An_altered_second_message_ends_the_client(int place, byte bit)
    {
        var (client, enclave) = await ShakeHandsAsync(up: message => message, down: message => Altered(message, place, bit));
        Assert.Equal((ChannelFault.Unauthentic, ChannelFault.None), (client, enclave));
    }

    [Fact]
    public async Task Messages_of_another_length_end_the_session()
    {
        Assert.Equal((ChannelFault.Truncated, ChannelFault.BadLength), await ShakeHandsAsync(message => message[1..], message => message));
        Assert.Equal((ChannelFault.Truncated, ChannelFault.BadLength), await ShakeHandsAsync(_ => new byte[65535], message => message));
        Assert.Equal((ChannelFault.BadLength, ChannelFault.None), await ShakeHandsAsync(message => message, message => [.. message, 0]));
    }

    [Fact]
    public async Task A_handshake_of_another_enclave_or_statement_fails()
    {
        using var key = X25519PrivateKey.Generate();
        var (clientEnd, enclaveEnd) = MemoryTransport.Pair();
        var options = new ChannelOptions { Time = new ManualTime() };
        var accepting = SealedStream.AcceptAsync(enclaveEnd, key, new byte[32], options, CancellationToken.None);
        var opening = SealedStream.OpenAsync(clientEnd, key.PublicKey, Pair.StatementHash, options, CancellationToken.None);
        Assert.Equal(ChannelFault.Unauthentic, await FaultOfAsync(accepting));
        Assert.Equal(ChannelFault.Truncated, await FaultOfAsync(opening));
    }

    [Fact]
    public async Task A_peer_that_says_nothing_is_given_up()
    {
        using var key = X25519PrivateKey.Generate();
        var time = new ManualTime();
        var (clientEnd, enclaveEnd) = MemoryTransport.Pair();
        var options = new ChannelOptions { Time = time };
        var accepting = SealedStream.AcceptAsync(enclaveEnd, key, Pair.StatementHash, options, CancellationToken.None);
        clientEnd.Network = _ => null;
        var opening = SealedStream.OpenAsync(clientEnd, key.PublicKey, Pair.StatementHash, options, CancellationToken.None);

        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(accepting.IsCompleted || opening.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ChannelFault.HandshakeTimeout, await FaultOfAsync(accepting));
        Assert.Equal(ChannelFault.HandshakeTimeout, await FaultOfAsync(opening));
        Assert.True(enclaveEnd.IsDisposed && clientEnd.IsDisposed);
    }

    [Fact]
    public async Task Giving_up_ourselves_is_not_the_peers_fault()
    {
        using var key = X25519PrivateKey.Generate();
        using var tired = new CancellationTokenSource();
        var (_, enclaveEnd) = MemoryTransport.Pair();
        var accepting = SealedStream.AcceptAsync(enclaveEnd, key, Pair.StatementHash, new ChannelOptions { Time = new ManualTime() }, tired.Token);
        await tired.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
        Assert.True(enclaveEnd.IsDisposed);
    }

    [Fact]
    public async Task Every_way_to_spoil_a_record_ends_the_session_and_delivers_nothing()
    {
        Assert.Equal(ChannelFault.Unauthentic, await ReceiveAsync(record => [Altered(record, 0, 1)]));
        Assert.Equal(ChannelFault.Unauthentic, await ReceiveAsync(record => [Altered(record, 255, 0x80)]));
        Assert.Equal(ChannelFault.Unauthentic, await ReceiveAsync(record => [[.. record, .. new byte[768]]]));
        Assert.Equal(ChannelFault.BadLength, await ReceiveAsync(record => [record[1..]]));
        Assert.Equal(ChannelFault.BadLength, await ReceiveAsync(record => [[.. record, 0]]));
        Assert.Equal(ChannelFault.BadLength, await ReceiveAsync(_ => [new byte[16385]]));
        Assert.Equal(ChannelFault.Unauthentic, await ReceiveAsync(_ => [new byte[16384]]));
        Assert.Equal(ChannelFault.Truncated, await ReceiveAsync(_ => []));
    }

    [Fact]
    public async Task A_replayed_record_ends_the_session_after_the_first_was_delivered()
    {
        var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        byte[]? first = null;
        pair.ClientEnd.Network = record => first ??= record;
        await pair.Client.WriteAsync(Secret);
        await pair.Client.WriteAsync(Secret);

        Assert.Equal(Secret, await pair.Enclave.ReadExactlyAsync(Secret.Length));
        Assert.Equal(ChannelFault.Unauthentic, await pair.Enclave.ReadFaultAsync());
    }

    [Fact]
    public async Task Reordered_records_end_the_session()
    {
        var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        pair.ClientEnd.Network = _ => null;
        await pair.Client.WriteAsync(Secret);
        byte[] held = pair.ClientEnd.Sent[^1];
        pair.ClientEnd.Network = record => record;
        await pair.Client.WriteAsync(Secret);
        pair.ClientEnd.Network = _ => held;
        await pair.Client.WriteAsync(Secret);

        Assert.Equal(ChannelFault.Unauthentic, await pair.Enclave.ReadFaultAsync());
    }

    [Fact]
    public async Task A_cut_connection_is_never_a_clean_end()
    {
        var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        await pair.Client.WriteAsync(Secret);
        pair.ClientEnd.Cut();

        Assert.Equal(Secret, await pair.Enclave.ReadExactlyAsync(Secret.Length));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(ChannelFault.Truncated, await pair.Enclave.ReadFaultAsync());
        }
        Assert.True(pair.Enclave.Truncated);
        Assert.True(pair.EnclaveEnd.IsDisposed);
        Assert.Equal(ChannelFault.Truncated, (await Assert.ThrowsAsync<ChannelException>(async () => await pair.Enclave.WriteAsync(Secret))).Fault);
    }

    [Fact]
    public async Task A_dropped_close_is_a_truncation()
    {
        var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        await pair.Client.WriteAsync(Secret);
        pair.ClientEnd.Network = _ => null;
        var closing = pair.Client.DisposeAsync().AsTask();
        pair.Time.Advance(TimeSpan.FromSeconds(1));
        await closing;

        await pair.Enclave.ReadExactlyAsync(Secret.Length);
        Assert.Equal(ChannelFault.Truncated, await pair.Enclave.ReadFaultAsync());
        Assert.True(pair.Enclave.Truncated);
    }

    [Fact]
    public async Task Less_shaping_than_the_floor_is_refused()
    {
        Assert.Equal(ChannelFault.ShapingRefused, await AskAsync(ShapingProfile.None, floor: ShapingProfile.Padded));
        Assert.Equal(ChannelFault.ShapingRefused, await AskAsync(ShapingProfile.Padded, floor: ShapingProfile.Paced));
        Assert.Equal(ChannelFault.None, await AskAsync(ShapingProfile.Paced, floor: ShapingProfile.Padded));
        Assert.Equal(ChannelFault.None, await AskAsync(ShapingProfile.None, floor: ShapingProfile.None));
    }

    [Fact]
    public async Task An_agreement_to_something_else_is_refused()
    {
        Assert.Equal(ChannelFault.ShapingRefused, await AgreeAsync(new ChannelAgreement(1, ShapingProfile.Padded)));
        Assert.Equal(ChannelFault.NoCommonVersion, await AgreeAsync(new ChannelAgreement(2, ShapingProfile.Paced)));
        Assert.Equal(ChannelFault.None, await AgreeAsync(new ChannelAgreement(1, ShapingProfile.Paced)));
    }

    [Fact]
    public async Task A_client_of_only_later_versions_is_refused()
    {
        using var key = X25519PrivateKey.Generate();
        var (clientEnd, enclaveEnd) = MemoryTransport.Pair();
        var accepting = SealedStream.AcceptAsync(enclaveEnd, key, Pair.StatementHash, new ChannelOptions { Time = new ManualTime() }, CancellationToken.None);
        using var client = SealedHandshake.Initiate(key.PublicKey, Pair.StatementHash);
        byte[] message = new byte[SealedHandshake.RequestLength];
        client.WriteRequest(new(2, 3, ShapingProfile.Paced), message);
        await clientEnd.SendAsync(message, CancellationToken.None);
        Assert.Equal(ChannelFault.NoCommonVersion, await FaultOfAsync(accepting));
    }

    private static async Task<ChannelFault> AskAsync(ShapingProfile asked, ShapingProfile floor)
    {
        using var key = X25519PrivateKey.Generate();
        var time = new ManualTime();
        var (clientEnd, enclaveEnd) = MemoryTransport.Pair();
        var accepting = SealedStream.AcceptAsync(enclaveEnd, key, Pair.StatementHash, new() { Time = time, Shaping = floor }, CancellationToken.None);
        var opening = SealedStream.OpenAsync(clientEnd, key.PublicKey, Pair.StatementHash, new() { Time = time, Shaping = asked }, CancellationToken.None);
        var fault = await FaultOfAsync(accepting);
        Assert.Equal(fault is ChannelFault.None ? ChannelFault.None : ChannelFault.Truncated, await FaultOfAsync(opening));
        return fault;
    }

    private static async Task<ChannelFault> AgreeAsync(ChannelAgreement agreement)
    {
        using var key = X25519PrivateKey.Generate();
        var (clientEnd, enclaveEnd) = MemoryTransport.Pair();
        var opening = SealedStream.OpenAsync(clientEnd, key.PublicKey, Pair.StatementHash, new() { Time = new ManualTime() }, CancellationToken.None);

        using var enclave = SealedHandshake.Respond(key, Pair.StatementHash);
        byte[] message = new byte[SealedHandshake.RequestLength];
        await enclaveEnd.ReceiveAsync(message, CancellationToken.None);
        enclave.ReadRequest(message, out _);
        enclave.WriteAgreement(agreement, message);
        await enclaveEnd.SendAsync(message.AsMemory(0, SealedHandshake.AgreementLength), CancellationToken.None);
        return await FaultOfAsync(opening);
    }

    private static async Task<(ChannelFault Client, ChannelFault Enclave)> ShakeHandsAsync(Func<byte[], byte[]> up, Func<byte[], byte[]> down)
    {
        using var key = X25519PrivateKey.Generate();
        var (clientEnd, enclaveEnd) = MemoryTransport.Pair();
        (clientEnd.Network, enclaveEnd.Network) = (up, down);
        var options = new ChannelOptions { Time = new ManualTime() };
        var accepting = SealedStream.AcceptAsync(enclaveEnd, key, Pair.StatementHash, options, CancellationToken.None);
        var opening = SealedStream.OpenAsync(clientEnd, key.PublicKey, Pair.StatementHash, options, CancellationToken.None);
        return (await FaultOfAsync(opening), await FaultOfAsync(accepting));
    }

    // What the enclave's reader finds when the client has sent one record and the network made these of it, and then cut.
    private static async Task<ChannelFault> ReceiveAsync(Func<byte[], byte[][]> network)
    {
        var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        pair.ClientEnd.Network = record => network(record) is [var spoiled] ? spoiled : null;
        await pair.Client.WriteAsync(Secret);
        pair.ClientEnd.Cut();

        var fault = await pair.Enclave.ReadFaultAsync();
        Assert.Equal(fault, pair.Enclave.Fault);
        Assert.True(pair.EnclaveEnd.IsDisposed);
        return fault;
    }

    private static async Task<ChannelFault> FaultOfAsync(Task<SealedStream> stream)
    {
        try
        {
            await stream;
            return ChannelFault.None;
        }
        catch (ChannelException ended)
        {
            return ended.Fault;
        }
    }

    private static byte[] Altered(byte[] message, int place, byte bit)
    {
        message[place] ^= bit;
        return message;
    }
}
