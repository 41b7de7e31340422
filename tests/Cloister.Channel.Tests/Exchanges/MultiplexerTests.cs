using System.Buffers;
using System.Text;
using Cloister.Channel.Exchanges;
using CsCheck;
using Nerdbank.Streams;

namespace Cloister.Channel.Tests.Exchanges;

public class MultiplexerTests
{
    private static readonly CancellationToken Patience = new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;

    private static readonly RequestHead Get = new("GET", "http", "enclave", "/", []);

    [Theory]
    [InlineData(ShapingProfile.None)]
    [InlineData(ShapingProfile.Padded)]
    public async Task A_message_passes_each_way_over_a_sealed_stream(ShapingProfile shaping)
    {
        await using var pair = await Pair.OpenAsync(shaping);
        await using var enclave = Multiplexer.ForEnclave(pair.Enclave, Serving(EchoAsync));
        await using var client = Multiplexer.ForClient(pair.Client);
        Assert.Equal("hello", await AskAsync(client, "hello"));
        Assert.Equal("again", await AskAsync(client, "again"));
    }

    [Fact]
    public Task Contents_of_any_length_pass_both_ways_at_once() => Gen.Byte.Array[0, 2_000_000].SampleAsync(async content =>
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var enclave = Multiplexer.ForEnclave(theirs, Serving(EchoAsync));
        await using var client = Multiplexer.ForClient(ours);
        Assert.Equal(content, await AskAsync(client, content));
    }, iter: 20, threads: 1);

    [Fact]
    public async Task A_short_request_and_a_short_answer_are_one_record_each_and_one_that_lets_go()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.None);
        await using var enclave = Multiplexer.ForEnclave(pair.Enclave, Serving(async exchange =>
        {
            await new BinaryHttpReader(exchange).ReadRequestHeadAsync(Patience);
            var writer = new BinaryHttpWriter(exchange);
            writer.WriteHead(new ResponseHead(200, []));
            "answer"u8.CopyTo(writer.GetSpan(6));
            writer.Advance(6);
            await writer.EndAsync([], Patience);
        }));
        await using var client = Multiplexer.ForClient(pair.Client);

        var exchange = client.Begin();
        Assert.Equal("answer", await AskAsync(exchange, ""));
        Assert.Equal(ExchangeFault.None, await exchange.Completion.WaitAsync(Patience));
        Assert.Equal((2, 1), (pair.ClientRecords.Count(), pair.EnclaveRecords.Count()));
    }

    [Fact]
    public async Task The_reference_client_is_answered()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var enclave = Multiplexer.ForEnclave(ours, Serving(EchoAsync));
        await using var reference = MultiplexingStream.Create(theirs, new MultiplexingStream.Options { ProtocolMajorVersion = 3, DefaultChannelReceivingWindowSize = Cloister.Channel.Exchanges.Exchanges.Window });

        var answers = Enumerable.Range(0, 20).Select(async n =>
        {
            byte[] content = [.. Enumerable.Repeat((byte)n, n * 40_000)];
            var channel = await reference.OfferChannelAsync("", Patience);
            var writing = Task.Run(async () =>
            {
                BinaryHttpCodec.WriteMessage(channel.Output, new BinaryHttpMessage(Get, null, content, []), indeterminate: true);
                await channel.Output.FlushAsync(Patience);
                await channel.Output.CompleteAsync();
            }, Patience);
            var reader = new BinaryHttpReader(channel.Input);
            Assert.Equal(200, (await reader.ReadResponseHeadAsync(Patience)).Status);
            Assert.Equal(content, await reader.ReadAllAsync());
            await writing;
            await channel.Completion.WaitAsync(Patience);
        });
        await Task.WhenAll(answers);
        Assert.Equal(MultiplexingFault.None, enclave.Fault);
    }

    [Fact]
    public async Task The_reference_enclave_answers_us()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var client = Multiplexer.ForClient(ours);
        await using var reference = MultiplexingStream.Create(theirs, new MultiplexingStream.Options
        {
            ProtocolMajorVersion = 3,
            DefaultChannelReceivingWindowSize = Cloister.Channel.Exchanges.Exchanges.Window,
            StartSuspended = true,
        });
        reference.ChannelOffered += (_, offer) => _ = Task.Run(async () =>
        {
            var channel = reference.AcceptChannel(offer.QualifiedId.Id);
            var reader = new BinaryHttpReader(channel.Input);
            await reader.ReadRequestHeadAsync(Patience);
            byte[] content = await reader.ReadAllAsync();
            BinaryHttpCodec.WriteMessage(channel.Output, new BinaryHttpMessage(null, new ResponseHead(200, []), content, []), indeterminate: true);
            await channel.Output.FlushAsync(Patience);
            await channel.Output.CompleteAsync();
        }, Patience);
        reference.StartListening();

        var answers = Enumerable.Range(0, 20).Select(async n =>
        {
            byte[] content = [.. Enumerable.Repeat((byte)n, n * 40_000)];
            Assert.Equal(content, await AskAsync(client, content));
        });
        await Task.WhenAll(answers);
        Assert.Equal(MultiplexingFault.None, client.Fault);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_the_writer_up_at_the_window()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        long written = 0;
        var stopped = new TaskCompletionSource();
        await using var enclave = Multiplexer.ForEnclave(theirs, Serving(async exchange =>
        {
            var writer = new BinaryHttpWriter(exchange);
            writer.WriteHead(new ResponseHead(200, []));
            while (Volatile.Read(ref written) < 2_000_000)
            {
                var writing = writer.WriteAsync(new byte[10_000], Patience);
                if (!writing.IsCompleted && Volatile.Read(ref written) > 200_000)
                {
                    stopped.TrySetResult();
                }
                await writing;
                Interlocked.Add(ref written, 10_000);
            }
            await writer.EndAsync([], Patience);
        }));
        await using var client = Multiplexer.ForClient(ours);
        var exchange = client.Begin();
        await SendAsync(exchange, ""u8.ToArray());
        await stopped.Task.WaitAsync(Patience);
        Assert.InRange(Volatile.Read(ref written), 200_000, Cloister.Channel.Exchanges.Exchanges.Window);

        var reader = new BinaryHttpReader(exchange);
        await reader.ReadResponseHeadAsync(Patience);
        Assert.Equal(2_000_000, (await reader.ReadAllAsync()).Length);
    }

    [Fact]
    public async Task Letting_go_tells_the_peer_and_spares_the_others()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        var seen = System.Threading.Channels.Channel.CreateUnbounded<Exchange>();
        await using var enclave = Multiplexer.ForEnclave(theirs, seen.Writer.TryWrite);
        await using var client = Multiplexer.ForClient(ours);

        var (cancelled, broken, whole) = (client.Begin(), client.Begin(), client.Begin());
        foreach (var exchange in new[] { cancelled, broken, whole })
        {
            await SendAsync(exchange, "x"u8.ToArray());
        }
        cancelled.Abandon();
        var atEnclave = await seen.Reader.ReadAsync(Patience);
        Assert.Equal(ExchangeFault.Cancelled, await atEnclave.Completion.WaitAsync(Patience));
        await Assert.ThrowsAsync<ExchangeException>(async () => await new BinaryHttpWriter(atEnclave).EndAsync([], Patience));

        (await seen.Reader.ReadAsync(Patience)).Abandon();
        var failure = await Assert.ThrowsAsync<ExchangeException>(async () => await new BinaryHttpReader(broken).ReadResponseHeadAsync(Patience));
        Assert.Equal(ExchangeFault.Cancelled, failure.Fault);

        await EchoAsync(await seen.Reader.ReadAsync(Patience));
        Assert.Equal("x", await ReadAsync(whole));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_in_its_middle_is_not_a_short_one()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var enclave = Multiplexer.ForEnclave(theirs, Serving(async exchange =>
        {
            var writer = new BinaryHttpWriter(exchange);
            writer.WriteHead(new ResponseHead(200, []));
            await writer.WriteAsync("part"u8.ToArray(), Patience);
            writer.Complete();
        }));
        await using var client = Multiplexer.ForClient(ours);
        var exchange = client.Begin();
        await SendAsync(exchange, []);
        var reader = new BinaryHttpReader(exchange);
        await reader.ReadResponseHeadAsync(Patience);
        var buffer = new byte[100];
        Assert.Equal("part", Encoding.ASCII.GetString(buffer, 0, await reader.ReadContentAsync(buffer, Patience)));
        var failure = await Assert.ThrowsAsync<ExchangeException>(async () => await reader.ReadContentAsync(buffer, Patience));
        Assert.Equal(ExchangeFault.Cancelled, failure.Fault);
    }

    [Theory]
    [InlineData(true, ExchangeFault.SessionLost)]
    [InlineData(false, ExchangeFault.SessionClosed)]
    public async Task Cut_and_closed_sessions_are_told_apart(bool cut, ExchangeFault expected)
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.None);
        var seen = new TaskCompletionSource<Exchange>();
        await using var enclave = Multiplexer.ForEnclave(pair.Enclave, exchange => seen.TrySetResult(exchange));
        var client = Multiplexer.ForClient(pair.Client);
        var exchange = client.Begin();
        await SendAsync(exchange, []);
        var atEnclave = await seen.Task.WaitAsync(Patience);
        if (cut)
        {
            pair.ClientEnd.Cut();
        }
        else
        {
            await client.DisposeAsync();
            Assert.Equal(ExchangeFault.Abandoned, exchange.Fault);
        }
        Assert.Equal(expected, await atEnclave.Completion.WaitAsync(Patience));
        Assert.Equal(expected, await enclave.Completion.WaitAsync(Patience));
        await client.DisposeAsync();
        Assert.Throws<ExchangeException>(() => client.Begin());
    }

    [Fact]
    public async Task Whoever_writes_when_a_session_is_lost_is_told_so_whether_or_not_others_were_told_before()
    {
        for (int round = 0; round < 20; round++)
        {
            var stream = new Falling();
            await using var client = Multiplexer.ForClient(stream);
            for (int i = 0; i < 2000; i++)
            {
                await SendAsync(client.Begin(), []);
            }
            var last = client.Begin();
            await SendAsync(last, [1], end: false);
            stream.Holds = true;
            var writing = SendAsync(last, [1]);
            stream.Fall(() => SpinWait.SpinUntil(() => Record.Exception(client.Begin) is ExchangeException));
            Assert.Equal(ExchangeFault.SessionLost, (await Assert.ThrowsAsync<ExchangeException>(() => writing.WaitAsync(Patience))).Fault);
            Assert.Equal(ExchangeFault.SessionLost, (await Assert.ThrowsAsync<ExchangeException>(() => SendAsync(last, [1]))).Fault);
        }
    }

    [Fact]
    public async Task An_exchange_that_begins_after_its_session_was_lost_is_lost_with_it()
    {
        var stream = new Falling();
        await using var client = Multiplexer.ForClient(stream);
        var exchange = client.Begin();
        stream.Fall(() => { });
        await client.Completion.WaitAsync(Patience);
        Assert.Equal(ExchangeFault.SessionLost, (await Assert.ThrowsAsync<ExchangeException>(() => SendAsync(exchange, []))).Fault);
        Assert.Equal(ExchangeFault.SessionLost, exchange.Fault);
        Assert.False(exchange.HasBegun);
    }

    [Fact]
    public async Task Whoever_writes_to_an_exchange_that_we_let_go_of_is_not_told_that_the_peer_did()
    {
        var stream = new Falling();
        await using var client = Multiplexer.ForClient(stream);
        for (int round = 0; round < 2000; round++)
        {
            var exchange = client.Begin();
            await SendAsync(exchange, [1], end: false);
            using var start = new Barrier(2);
            var lettingGo = Task.Run(() =>
            {
                start.SignalAndWait(Patience);
                exchange.Abandon();
            });
            var writing = Task.Run(async () =>
            {
                var writer = new BinaryHttpWriter(exchange);
                start.SignalAndWait(Patience);
                while (true)
                {
                    await writer.WriteAsync(new byte[1], Patience);
                }
            });
            await lettingGo;
            Assert.Equal(ExchangeFault.Abandoned, (await Assert.ThrowsAsync<ExchangeException>(() => writing)).Fault);
        }
    }

    [Fact]
    public async Task One_more_than_there_are_places_is_rejected()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        int seen = 0;
        await using var enclave = Multiplexer.ForEnclave(theirs, _ => Interlocked.Increment(ref seen) > 0);
        await using var client = Multiplexer.ForClient(ours);
        var exchanges = Enumerable.Range(0, 65).Select(_ => client.Begin()).ToArray();
        foreach (var exchange in exchanges)
        {
            await SendAsync(exchange, []);
        }
        Assert.Equal(ExchangeFault.Rejected, await exchanges[^1].Completion.WaitAsync(Patience));
        Assert.Equal(64, seen);
        Assert.All(exchanges[..64], exchange => Assert.False(exchange.Completion.IsCompleted));
    }

    private const string Offer = "94000101c40792a0ce00040000";

    [Theory]
    [InlineData("92 00 01", MultiplexingFault.BadFrame)]                                               // another array
    [InlineData("93 07 01 01", MultiplexingFault.BadFrame)]                                            // a code that does not exist
    [InlineData("93 03 cc 7f 01", MultiplexingFault.BadFrame)]                                         // a channel not in its shortest form
    [InlineData("93 03 d0 01 01", MultiplexingFault.BadFrame)]                                         // a signed channel
    [InlineData("93 03 01 00", MultiplexingFault.BadFrame)]                                            // offered by nobody
    [InlineData("94 02 01 01 c6 00000001 00", MultiplexingFault.BadFrame)]                             // a length in 32 bits
    [InlineData("94 02 01 01 c5 00ff", MultiplexingFault.BadFrame)]                                    // a length not in its shortest form
    [InlineData("94 02 01 01 c5 5001", MultiplexingFault.BadFrame)]                                    // longer than frames are
    [InlineData("93 00 01 01", MultiplexingFault.BadFrame)]                                            // an offer of nothing
    [InlineData("94 00 01 01 c4 08 92 a1 61 ce 00040000", MultiplexingFault.BadFrame)]                 // with a name
    [InlineData("94 00 01 01 c4 03 92 a0 01", MultiplexingFault.BadWindow)]                            // with a window that is too small
    [InlineData("94 00 01 ff c4 07 92 a0 ce 00040000", MultiplexingFault.OutOfOrder)]                  // of a channel that we would have to offer
    [InlineData(Offer + Offer, MultiplexingFault.OutOfOrder)]                                          // twice
    [InlineData("93 03 01 01", MultiplexingFault.OutOfOrder)]                                          // never offered
    [InlineData(Offer + "93 03 01 ff", MultiplexingFault.OutOfOrder)]                                  // by us
    [InlineData(Offer + "93 02 01 01", MultiplexingFault.BadFrame)]                                    // content without any
    [InlineData(Offer + "94 03 01 01 c4 01 00", MultiplexingFault.BadFrame)]                           // an end with something
    [InlineData(Offer + "94 04 01 01 c4 01 00", MultiplexingFault.BadFrame)]                           // a reason for letting go
    [InlineData(Offer + "93 05 01 01", MultiplexingFault.BadFrame)]                                    // nothing was read
    [InlineData(Offer + "94 05 01 01 c4 0a 91 cf ffffffffffffffff", MultiplexingFault.BadWindow)]      // more was read than can be
    [InlineData(Offer + "94 05 01 01 c4 20", MultiplexingFault.BadFrame)]                              // a number that is too long
    [InlineData(Offer + "94 01 01 01 c4 06 91 ce 00040000", MultiplexingFault.OutOfOrder)]             // it accepts its own offer
    [InlineData(Offer + "93 03 01 01 93 03 01 01", MultiplexingFault.OutOfOrder)]                      // two ends
    [InlineData(Offer + "93 03 01 01 94 02 01 01 c4 01 00", MultiplexingFault.OutOfOrder)]             // content behind the end
    public async Task A_client_that_breaks_the_protocol_loses_its_session(string hex, MultiplexingFault expected)
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var enclave = Multiplexer.ForEnclave(ours, _ => true);
        await theirs.WriteAsync(Bytes(hex), Patience);
        await theirs.FlushAsync(Patience);
        await enclave.Completion.WaitAsync(Patience);
        Assert.Equal(expected, enclave.Fault);
    }

    [Theory]
    [InlineData(Offer, MultiplexingFault.OutOfOrder)]                                                  // an enclave offers nothing
    [InlineData("94 02 01 ff c4 01 00", MultiplexingFault.OutOfOrder)]                                 // content before the acceptance
    [InlineData("94 01 01 ff c4 02 91 01", MultiplexingFault.BadWindow)]                               // a window that is too small
    [InlineData("94 01 02 ff c4 06 91 ce 00040000", MultiplexingFault.OutOfOrder)]                     // never offered
    [InlineData("94 01 01 ff c4 06 91 ce 00040000 94 01 01 ff c4 06 91 ce 00040000", MultiplexingFault.OutOfOrder)] // twice
    public async Task An_enclave_that_breaks_the_protocol_loses_its_session(string hex, MultiplexingFault expected)
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var client = Multiplexer.ForClient(ours);
        var exchange = client.Begin();
        await SendAsync(exchange, []);
        await theirs.WriteAsync(Bytes(hex), Patience);
        await theirs.FlushAsync(Patience);
        Assert.NotEqual(ExchangeFault.None, await exchange.Completion.WaitAsync(Patience));
        Assert.Equal(expected, client.Fault);
    }

    [Fact]
    public async Task A_client_that_sends_beyond_the_window_loses_its_session()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var enclave = Multiplexer.ForEnclave(ours, _ => true);
        await theirs.WriteAsync(Bytes(Offer), Patience);
        for (int sent = 0; sent <= Cloister.Channel.Exchanges.Exchanges.Window; sent += 0x4000)
        {
            await theirs.WriteAsync(Bytes("94 02 01 01 c5 4000"), Patience);
            await theirs.WriteAsync(new byte[0x4000], Patience);
            await theirs.FlushAsync(Patience);
        }
        await enclave.Completion.WaitAsync(Patience);
        Assert.Equal(MultiplexingFault.BadWindow, enclave.Fault);
    }

    [Fact]
    public async Task A_client_that_asks_and_does_not_listen_loses_its_session()
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var enclave = Multiplexer.ForEnclave(new Deaf(ours), _ => false);
        for (int n = 1; !enclave.Completion.IsCompleted && n < 100_000; n++)
        {
            await theirs.WriteAsync(Bytes($"94 00 ce {0x10000 + n:x8} 01 c4 07 92 a0 ce 00040000"), Patience);
            await theirs.FlushAsync(Patience);
        }
        await enclave.Completion.WaitAsync(Patience);
        Assert.Equal(MultiplexingFault.Overflow, enclave.Fault);
    }

    [Fact]
    public Task Whatever_a_client_sends_the_session_ends_or_goes_on() => Gen.Select(Gen.Byte.Array[0, 60], Gen.Bool).SampleAsync(async (bytes, offerFirst) =>
    {
        var (ours, theirs) = FullDuplexStream.CreatePair();
        await using var enclave = Multiplexer.ForEnclave(ours, _ => true);
        await theirs.WriteAsync(offerFirst ? [.. Bytes(Offer), .. bytes] : bytes, Patience);
        await theirs.DisposeAsync();
        await enclave.Completion.WaitAsync(Patience);
    }, iter: 2000, threads: 1);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    private static Func<Exchange, bool> Serving(Func<Exchange, Task> serve) => exchange =>
    {
        _ = Task.Run(() => serve(exchange));
        return true;
    };

    private static async Task EchoAsync(Exchange exchange)
    {
        var reader = new BinaryHttpReader(exchange);
        var writer = new BinaryHttpWriter(exchange);
        await reader.ReadRequestHeadAsync(Patience);
        writer.WriteHead(new ResponseHead(200, []));
        var buffer = new byte[10_000];
        while (await reader.ReadContentAsync(buffer, Patience) is > 0 and var length)
        {
            await writer.WriteAsync(buffer.AsMemory(0, length), Patience);
        }
        await writer.EndAsync([], Patience);
    }

    private static async Task SendAsync(Exchange exchange, byte[] content, bool end = true)
    {
        var writer = new BinaryHttpWriter(exchange);
        writer.WriteHead(Get);
        if (content.Length > 0)
        {
            await writer.WriteAsync(content, Patience);
        }
        if (end)
        {
            await writer.EndAsync([], Patience);
        }
    }

    private static async Task<string> ReadAsync(Exchange exchange)
    {
        var reader = new BinaryHttpReader(exchange);
        await reader.ReadResponseHeadAsync(Patience);
        return Encoding.ASCII.GetString(await reader.ReadAllAsync());
    }

    private static async Task<string> AskAsync(Exchange exchange, string content)
    {
        await SendAsync(exchange, Encoding.ASCII.GetBytes(content));
        return await ReadAsync(exchange);
    }

    private static Task<string> AskAsync(Multiplexer client, string content) => AskAsync(client.Begin(), content);

    private static async Task<byte[]> AskAsync(Multiplexer client, byte[] content)
    {
        var exchange = client.Begin();
        var sending = SendAsync(exchange, content);
        var reader = new BinaryHttpReader(exchange);
        Assert.Equal(200, (await reader.ReadResponseHeadAsync(Patience)).Status);
        byte[] answer = await reader.ReadAllAsync();
        await sending;
        return answer;
    }

    /// <summary>A stream whose peer takes nothing.</summary>
    private sealed class Deaf(Stream inner) : DuplexStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => new(Task.Delay(Timeout.Infinite, Patience));

        public override async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync();
            await base.DisposeAsync();
        }
    }

    /// <summary>A stream whose peer says nothing, until reading fails and then a write that is under way.</summary>
    private sealed class Falling : DuplexStream
    {
        private readonly TaskCompletionSource<int> _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _writing = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Holds { get; set; }

        public void Fall(Action between)
        {
            _reading.SetException(new IOException());
            between();
            _writing.SetException(new IOException());
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(_reading.Task);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => Holds ? new(_writing.Task) : default;
    }

    private abstract class DuplexStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

internal static class BinaryHttpReading
{
    public static async Task<byte[]> ReadAllAsync(this BinaryHttpReader reader)
    {
        var content = new ArrayBufferWriter<byte>();
        while (await reader.ReadContentAsync(content.GetMemory(5000), CancellationToken.None) is > 0 and var length)
        {
            content.Advance(length);
        }
        return content.WrittenSpan.ToArray();
    }
}
