using System.Net.WebSockets;
using CsCheck;

namespace Cloister.Operator.Tests;

public class ChannelTests
{
    [Fact]
    public async Task Messages_are_carried_exactly_both_ways()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();
        Assert.Equal(1, enclave.Kind);
        var echo = enclave.EchoAsync();

        await Gen.OneOf(Gen.Int[1, 65535], Gen.Const(1), Gen.Const(65535), Gen.Int[16_000, 21_000]).SelectMany(length => Gen.Byte.Array[length]).SampleAsync(async message =>
        {
            await device.SayAsync(message);
            Assert.Equal(message, await device.HearAsync());
        }, iter: 60, threads: 1);

        await device.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await echo;
    }

    [Fact]
    public async Task Many_messages_under_way_keep_their_order()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();
        _ = enclave.EchoAsync();

        var messages = Enumerable.Range(1, 2000).Select(number => BitConverter.GetBytes(number)).ToArray();
        var saying = Task.Run(async () =>
        {
            foreach (byte[] message in messages)
            {
                await device.SayAsync(message);
            }
        });
        foreach (byte[] message in messages)
        {
            Assert.Equal(message, await device.HearAsync());
        }
        await saying;
    }

    [Fact]
    public async Task Fragments_of_a_message_become_one_frame()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        await device.SendAsync("one "u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None);
        await device.SendAsync("message"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        Assert.Equal("one message"u8.ToArray(), await enclave.ReceiveAsync());
    }

    [Fact]
    public async Task Bytes_that_come_one_by_one_become_whole_messages()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        foreach (byte single in new byte[] { 0, 3, 7, 8, 9, 0, 1, 5 })
        {
            await enclave.SendRawAsync(new[] { single });
        }
        Assert.Equal([7, 8, 9], await device.HearAsync());
        Assert.Equal([5], await device.HearAsync());
    }

    [Fact]
    public async Task The_devices_close_reaches_the_enclave_after_what_was_said()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        await device.SayAsync("last words"u8.ToArray());
        var closing = device.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        Assert.Equal("last words"u8.ToArray(), await enclave.ReceiveAsync());
        Assert.Null(await enclave.ReceiveAsync());
        enclave.Dispose();
        await closing;
    }

    [Fact]
    public async Task The_enclaves_end_reaches_the_device_after_what_was_said()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        await enclave.SendAsync("last words"u8.ToArray());
        enclave.Dispose();
        Assert.Equal("last words"u8.ToArray(), await device.HearAsync());
        Assert.Null(await device.HearAsync());
        Assert.Equal(WebSocketCloseStatus.NormalClosure, device.CloseStatus);
        await device.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    [Theory]
    [InlineData(new byte[] { 0, 9, 1, 2 })]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 0, 0 })]
    public async Task A_broken_frame_ends_the_session_and_says_so(byte[] bytes)
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        await enclave.SendRawAsync(bytes);
        enclave.Dispose();
        Assert.Null(await device.HearAsync());
        Assert.Equal(WebSocketCloseStatus.InternalServerError, device.CloseStatus);
    }

    [Fact]
    public async Task Stopping_tells_the_device()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        var stopping = program.StopAsync();
        Assert.Null(await device.HearAsync());
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, device.CloseStatus);
        await device.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await stopping;
    }
}
