using System.Security.Cryptography;

namespace Cloister.Channel.Tests.Records;

public class SealedStreamTests
{
    [Theory]
    [InlineData(ShapingProfile.None)]
    [InlineData(ShapingProfile.Padded)]
    [InlineData(ShapingProfile.Paced)]
    public async Task Bytes_go_both_ways_and_the_end_is_clean(ShapingProfile shaping)
    {
        await using var pair = await Pair.OpenAsync(shaping);
        Assert.Equal(pair.Client.HandshakeHash.ToArray(), pair.Enclave.HandshakeHash.ToArray());

        byte[] data = RandomNumberGenerator.GetBytes(100_000);
        var reading = ReadAllAsync(pair.Enclave);
        await pair.Client.WriteAsync(data);
        await pair.Client.DisposeAsync();

        Assert.Equal(data, await reading);
        Assert.Null(pair.Enclave.Fault);
        Assert.Null(pair.Client.Fault);
        Assert.True(pair.ClientEnd.IsDisposed);
    }

    [Fact]
    public async Task A_lone_small_write_leaves_at_once_in_the_smallest_record()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        await pair.Client.WriteAsync("hello"u8.ToArray());
        Assert.Equal(256, Assert.Single(pair.ClientRecords).Length);
    }

    [Fact]
    public async Task Writes_share_a_record_while_one_is_under_way()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        var congestion = new TaskCompletionSource();
        pair.ClientEnd.Congestion = congestion.Task;

        for (int i = 0; i < 40; i++)
        {
            await pair.Client.WriteAsync(new byte[50]);
        }
        Assert.Equal([256], pair.ClientRecords.Select(record => record.Length));

        congestion.SetResult();
        await ReadExactlyAsync(pair.Enclave, 2000);
        Assert.Equal([256, 4096], pair.ClientRecords.Select(record => record.Length));
    }

    [Fact]
    public async Task A_writer_waits_while_the_transport_does()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        var congestion = new TaskCompletionSource();
        pair.ClientEnd.Congestion = congestion.Task;

        var writing = pair.Client.WriteAsync(new byte[1_000_000]).AsTask();
        Assert.False(writing.IsCompleted);
        Assert.Single(pair.ClientRecords);

        congestion.SetResult();
        await ReadExactlyAsync(pair.Enclave, 1_000_000);
        await writing;
    }

    private static async Task<byte[]> ReadAllAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }

    private static async Task<byte[]> ReadExactlyAsync(Stream stream, int length)
    {
        byte[] data = new byte[length];
        await stream.ReadExactlyAsync(data);
        return data;
    }
}
