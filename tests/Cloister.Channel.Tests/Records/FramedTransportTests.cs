using System.Security.Cryptography;
using CsCheck;
using Nerdbank.Streams;

namespace Cloister.Channel.Tests.Records;

public class FramedTransportTests
{
    [Fact]
    public async Task A_message_is_preceded_by_its_length()
    {
        using var written = new MemoryStream();
        await using var transport = new FramedTransport(written);
        await transport.SendAsync(new byte[] { 7, 8, 9 }, CancellationToken.None);
        Assert.Equal([0, 3, 7, 8, 9], written.ToArray());
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await transport.SendAsync(Array.Empty<byte>(), CancellationToken.None));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await transport.SendAsync(new byte[65536], CancellationToken.None));
    }

    [Fact]
    public Task Messages_arrive_whole_however_their_bytes_do() =>
        Gen.Select(Gen.Byte.Array[1, 7000].Array[1, 8], Gen.Int[1, 5000]).SampleAsync(async (messages, chunk) =>
        {
            byte[] bytes = [.. messages.SelectMany(message => (byte[])[(byte)(message.Length / 256), (byte)(message.Length % 256), .. message])];
            await using var transport = new FramedTransport(new DrippingStream(bytes, chunk));
            byte[] buffer = new byte[MessageTransport.MaxMessageLength];
            foreach (byte[] message in messages)
            {
                await transport.WaitAsync(CancellationToken.None);
                int length = await transport.ReceiveAsync(buffer, CancellationToken.None);
                Assert.Equal(message, buffer[..length]);
            }
            Assert.Equal(0, await transport.ReceiveAsync(buffer, CancellationToken.None));
        }, iter: 200);

    [Fact]
    public async Task The_longest_message_passes()
    {
        var (left, right) = FullDuplexStream.CreatePair();
        await using var sender = new FramedTransport(left);
        await using var receiver = new FramedTransport(right);
        byte[] message = RandomNumberGenerator.GetBytes(65535);
        byte[] buffer = new byte[65535];

        var sending = sender.SendAsync(message, CancellationToken.None);
        Assert.Equal(65535, await receiver.ReceiveAsync(buffer, CancellationToken.None));
        await sending;
        Assert.Equal(message, buffer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0003")]
    [InlineData("00030102")]
    public async Task An_end_in_the_middle_is_an_end(string bytes)
    {
        await using var transport = new FramedTransport(new DrippingStream(Convert.FromHexString(bytes), 1));
        Assert.Equal(0, await transport.ReceiveAsync(new byte[100], CancellationToken.None));
    }

    [Theory]
    [InlineData("0000")]
    [InlineData("0065")]
    [InlineData("ffff")]
    public async Task A_length_that_is_not_allowed_is_refused_before_anything_is_read(string bytes)
    {
        await using var transport = new FramedTransport(new DrippingStream(Convert.FromHexString(bytes), 2));
        Assert.Equal(MessageTransport.TooLong, await transport.ReceiveAsync(new byte[100], CancellationToken.None));
    }

    [Fact]
    public async Task A_cancelled_receive_loses_nothing()
    {
        var (left, right) = FullDuplexStream.CreatePair();
        await using var transport = new FramedTransport(right);
        using var tired = new CancellationTokenSource();
        await left.WriteAsync(new byte[] { 0, 3, 1, 2 });
        byte[] buffer = new byte[10];

        var receiving = transport.ReceiveAsync(buffer, tired.Token).AsTask();
        await tired.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);

        await left.WriteAsync(new byte[] { 3 });
        Assert.Equal(3, await transport.ReceiveAsync(buffer, CancellationToken.None));
        Assert.Equal([1, 2, 3], buffer[..3]);
    }

    /// <summary>Gives its bytes a few at a time.</summary>
    private sealed class DrippingStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}
