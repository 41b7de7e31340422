using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;

namespace Cloister.Operator.Tests;

public class HostileDeviceTests
{
    [Theory]
    [InlineData(WebSocketMessageType.Text, 5, WebSocketCloseStatus.InvalidMessageType)]
    [InlineData(WebSocketMessageType.Binary, 65536, WebSocketCloseStatus.MessageTooBig)]
    [InlineData(WebSocketMessageType.Binary, 1_000_000, WebSocketCloseStatus.MessageTooBig)]
    [InlineData(WebSocketMessageType.Binary, 0, WebSocketCloseStatus.ProtocolError)]
    public async Task What_is_no_sealed_message_ends_the_session(WebSocketMessageType type, int length, WebSocketCloseStatus expected)
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();
        var heard = enclave.ReceiveAsync();
        _ = heard.ContinueWith(_ => enclave.Dispose(), TaskScheduler.Default);

        await device.SendAsync(Encoding.ASCII.GetBytes(new string('a', length)), type, true, CancellationToken.None);
        Assert.Null(await device.HearAsync());
        Assert.Equal(expected, device.CloseStatus);
        Assert.Null(await heard);
    }

    [Fact]
    public async Task A_device_that_vanishes_ends_the_enclaves_connection()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();
        device.Abort();
        Assert.Null(await enclave.ReceiveAsync());
    }

    [Theory]
    [InlineData("82050102030405")]           // not masked
    [InlineData("83850000000001020304")]     // an unknown opcode
    [InlineData("c2850000000001020304")]     // a reserved bit
    [InlineData("82ffffffffffffffffff00000000")] // a length of 2^64 - 1
    [InlineData("80850000000001020304")]     // a continuation of nothing
    public async Task Bytes_that_are_no_WebSocket_end_that_session_and_no_other(string hex)
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var other = await program.OpenAsync();
        using var otherEnclave = await neighbour.NextAsync();
        _ = otherEnclave.EchoAsync();

        using var hostile = await UpgradeAsync(program.Address);
        using var enclave = await neighbour.NextAsync();
        await hostile.SendAsync(Convert.FromHexString(hex));
        Assert.Null(await enclave.ReceiveAsync());

        await other.SayAsync("still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), await other.HearAsync());
    }

    [Fact]
    public async Task A_device_that_does_not_read_stops_the_enclave_and_loses_nothing()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        const int Messages = 2000;
        long sent = 0;
        var talking = Task.Run(async () =>
        {
            for (int number = 0; number < Messages; number++)
            {
                byte[] message = new byte[60_000];
                BitConverter.TryWriteBytes(message, number);
                await enclave.SendAsync(message);
                Interlocked.Increment(ref sent);
            }
        });

        // It stands still once what lies between the two is full.
        for (long seen = -1; seen != Interlocked.Read(ref sent);)
        {
            seen = Interlocked.Read(ref sent);
            await Task.Delay(300);
        }
        Assert.InRange(Interlocked.Read(ref sent), 1, Messages / 2);

        for (int number = 0; number < Messages; number++)
        {
            byte[]? message = await device.HearAsync();
            Assert.Equal(60_000, message?.Length);
            Assert.Equal(number, BitConverter.ToInt32(message));
        }
        await talking;
    }

    [Fact]
    public async Task An_enclave_that_does_not_read_stops_the_device()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();

        const int Messages = 2000;
        long sent = 0;
        var talking = Task.Run(async () =>
        {
            for (int number = 0; number < Messages; number++)
            {
                await device.SayAsync(new byte[60_000]);
                Interlocked.Increment(ref sent);
            }
        });
        for (long seen = -1; seen != Interlocked.Read(ref sent);)
        {
            seen = Interlocked.Read(ref sent);
            await Task.Delay(300);
        }
        Assert.InRange(Interlocked.Read(ref sent), 1, Messages / 2);

        for (int number = 0; number < Messages; number++)
        {
            Assert.Equal(60_000, (await enclave.ReceiveAsync())?.Length);
        }
        await talking;
    }

    private static async Task<Socket> UpgradeAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /cloister/v1/enclaves/one/channel HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: cloister.v1\r\n\r\n"));
        var answer = new StringBuilder();
        var buffer = new byte[1];
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.Equal(1, await socket.ReceiveAsync(buffer));
            answer.Append((char)buffer[0]);
        }
        Assert.StartsWith("HTTP/1.1 101", answer.ToString(), StringComparison.Ordinal);
        return socket;
    }
}
