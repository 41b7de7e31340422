using System.Security.Cryptography;
using CsCheck;

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
        var reading = pair.Enclave.ReadAllAsync();
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
        await pair.Enclave.ReadExactlyAsync(2000);
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
        await pair.Enclave.ReadExactlyAsync(1_000_000);
        await writing;
    }

    [Fact]
    public Task Any_chunking_of_writes_and_reads_arrives_intact() =>
        Gen.Select(Gen.Byte.Array[0, 40_000].Array[0, 8], Gen.Int[1, 20_000], Gen.Enum<ShapingProfile>()).SampleAsync(async (writes, readSize, shaping) =>
        {
            await using var pair = await Pair.OpenAsync(shaping);
            var reading = pair.Enclave.ReadAllAsync(readSize);
            using (pair.Client.BeginAnswer())
            {
                foreach (byte[] data in writes)
                {
                    await pair.Client.WriteAsync(data);
                }
            }
            await pair.Client.DisposeAsync();
            Assert.Equal(writes.SelectMany(data => data), await reading);
        }, iter: 60);

    [Fact]
    public async Task A_zero_byte_read_waits_for_data_and_takes_none()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        var waiting = pair.Enclave.ReadAsync(Memory<byte>.Empty).AsTask();
        Assert.False(waiting.IsCompleted);

        await pair.Client.WriteAsync("hello"u8.ToArray());
        Assert.Equal(0, await waiting);
        Assert.Equal("hello", await pair.Enclave.ReadTextAsync(5));
    }

    [Fact]
    public async Task Both_sides_close_with_authentication_whoever_begins()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        var reading = pair.Client.ReadTextAsync();
        await pair.Enclave.WriteAsync("bye"u8.ToArray());
        await pair.Enclave.DisposeAsync();

        Assert.Equal("bye", await reading);
        Assert.Equal(0, await pair.Client.ReadAsync(new byte[1]));
        Assert.Equal([256, 256], pair.EnclaveRecords.Select(record => record.Length));
        Assert.Equal(256, Assert.Single(pair.ClientRecords).Length);

        var late = await Assert.ThrowsAsync<ChannelException>(async () => await pair.Client.WriteAsync(new byte[1]));
        Assert.Equal(ChannelFault.Closed, late.Fault);
        Assert.Null(pair.Client.Fault);
    }

    [Fact]
    public async Task Closing_waits_for_the_peer_no_longer_than_allowed()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        var closing = pair.Client.DisposeAsync().AsTask();
        Assert.False(closing.IsCompleted);
        pair.Time.Advance(TimeSpan.FromSeconds(1));
        await closing;
        Assert.True(pair.ClientEnd.IsDisposed);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Client.ReadExactlyAsync(1));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Client.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task What_was_written_leaves_before_the_close_even_when_paced()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Paced);
        using var answer = pair.Enclave.BeginAnswer();
        var reading = pair.Client.ReadTextAsync();
        await pair.Enclave.WriteAsync("the last words"u8.ToArray());
        Assert.Empty(pair.EnclaveRecords);

        await pair.Enclave.DisposeAsync();
        Assert.Equal("the last words", await reading);
    }

    [Fact]
    public async Task An_idle_session_is_closed_and_says_so()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        pair.Time.Advance(TimeSpan.FromMinutes(14));
        Assert.Null(pair.Enclave.Fault);

        pair.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(ChannelFault.Idle, pair.Enclave.Fault);
        Assert.True(pair.EnclaveEnd.IsDisposed);
        await Assert.ThrowsAsync<ChannelException>(async () => await pair.Enclave.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task A_session_in_use_is_not_idle_and_a_used_key_is_replaced()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        for (int minute = 0; minute < 60; minute++)
        {
            await pair.Client.WriteAsync(new byte[1]);
            await pair.Enclave.ReadExactlyAsync(1);
            pair.Time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Null(pair.Client.Fault);
        Assert.Equal(60 + 6, pair.ClientRecords.Count());
        Assert.Empty(pair.EnclaveRecords);
    }

    [Fact]
    public async Task A_key_that_sealed_nothing_is_left_alone_and_one_that_did_gets_a_record_of_its_own()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        await pair.Client.WriteAsync(new byte[1]);
        pair.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal([256, 256], pair.ClientRecords.Select(record => record.Length));

        pair.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(2, pair.ClientRecords.Count());
        await pair.Client.WriteAsync("still there"u8.ToArray());
        Assert.Equal("\0still there", await pair.Enclave.ReadTextAsync(12));
    }
}
