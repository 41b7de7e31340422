using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Text;
using Cloister.Channel.Exchanges;
using CsCheck;

namespace Cloister.Channel.Tests.Exchanges;

public class BinaryHttpTests
{
    // RFC 9292, section 5.1: a request of known length, and the same of indeterminate length with ten bytes of padding.
    private const string KnownRequest = """
        0003 4745 5405 6874 7470 7300 0a2f 6865 6c6c 6f2e 7478 7440 6c0a 7573 6572 2d61 6765 6e74
        3463 7572 6c2f 372e 3136 2e33 206c 6962 6375 726c 2f37 2e31 362e 3320 4f70 656e 5353 4c2f
        302e 392e 376c 207a 6c69 622f 312e 322e 3304 686f 7374 0f77 7777 2e65 7861 6d70 6c65 2e63
        6f6d 0f61 6363 6570 742d 6c61 6e67 7561 6765 0665 6e2c 206d 6900 00
        """;

    private const string IndeterminateRequest = """
        0203 4745 5405 6874 7470 7300 0a2f 6865 6c6c 6f2e 7478 740a 7573 6572 2d61 6765 6e74 3463
        7572 6c2f 372e 3136 2e33 206c 6962 6375 726c 2f37 2e31 362e 3320 4f70 656e 5353 4c2f 302e
        392e 376c 207a 6c69 622f 312e 322e 3304 686f 7374 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d
        0f61 6363 6570 742d 6c61 6e67 7561 6765 0665 6e2c 206d 6900 0000 0000 0000 0000 0000 0000
        """;

    private static readonly Gen<ImmutableArray<Field>> Fields = Gen.Select(Gen.String["abcdefghij-0123"].Where(name => name.Length > 0), Gen.String["abc xyz=;"].Select(value => value.Trim()))
        .Select((name, value) => new Field(name, value)).Array[0, 6].Select(fields => fields.ToImmutableArray());

    private static readonly Gen<BinaryHttpMessage> Messages = Gen.Select(Gen.Bool, Gen.Int[200, 599], Fields, Gen.Byte.Array[0, 300], Fields).Select((request, status, fields, content, trailers) =>
        new BinaryHttpMessage(request ? new RequestHead("POST", "https", "enclave", "/v1/x?y=z", fields) : null, request ? null : new ResponseHead(status, fields), content, trailers));

    private static byte[] Hex(string text) => Convert.FromHexString(string.Concat(text.Where(char.IsAsciiHexDigit)));

    [Fact]
    public void The_requests_of_the_standard_are_read_and_written()
    {
        Assert.True(BinaryHttpCodec.TryReadMessage(Hex(KnownRequest), out var known, out _));
        Assert.Equal(("GET", "https", "", "/hello.txt"), (known.Request!.Method, known.Request.Scheme, known.Request.Authority, known.Request.Path));
        Assert.Equal([new("user-agent", "curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3"), new("host", "www.example.com"), new("accept-language", "en, mi")], known.Request.Fields);
        Assert.Equal(Hex(KnownRequest), Write(known));

        Assert.True(BinaryHttpCodec.TryReadMessage(Hex(IndeterminateRequest), out var indeterminate, out _));
        Assert.Equal(known.Request.Fields, indeterminate.Request!.Fields);
        Assert.Equal(Hex(IndeterminateRequest), Write(indeterminate, indeterminate: true, padding: 10));
    }

    // Section 5.2: two informational responses before a 200 of indeterminate length, and a 200 of known length with a trailer.
    private const string IndeterminateResponse = """
        03406607 72756e6e 696e670a 22736c65 65702031 35220040 67046c69 6e6b233c 2f737479 6c652e63 73733e3b 2072656c
        3d707265 6c6f6164 3b206173 3d737479 6c65046c 696e6b24 3c2f7363 72697074 2e6a733e 3b207265 6c3d7072 656c6f61
        643b2061 733d7363 72697074 0040c804 64617465 1d4d6f6e 2c203237 204a756c 20323030 39203132 3a32383a 35332047
        4d540673 65727665 72064170 61636865 0d6c6173 742d6d6f 64696669 65641d57 65642c20 3232204a 756c2032 30303920
        31393a31 353a3536 20474d54 04657461 67142233 34616133 38372d64 2d313536 38656230 30220d61 63636570 742d7261
        6e676573 05627974 65730e63 6f6e7465 6e742d6c 656e6774 68023531 04766172 790f4163 63657074 2d456e63 6f64696e
        670c636f 6e74656e 742d7479 70650a74 6578742f 706c6169 6e003348 656c6c6f 20576f72 6c642120 4d792063 6f6e7465
        6e742069 6e636c75 64657320 61207472 61696c69 6e672043 524c462e 0d0a0000
        """;

    private const string KnownResponse = """
        0140c800 1d546869 7320636f 6e74656e 7420636f 6e746169 6e732043 524c462e 0d0a0d07 74726169 6c657204 74657874
        """;

    [Fact]
    public void The_responses_of_the_standard_are_read_and_written()
    {
        Assert.True(BinaryHttpCodec.TryReadMessage(Hex(IndeterminateResponse), out var indeterminate, out _));
        Assert.Equal((200, 8), (indeterminate.Response!.Status, indeterminate.Response.Fields.Length));
        Assert.Equal(new("vary", "Accept-Encoding"), indeterminate.Response.Fields[6]);
        Assert.Equal("Hello World! My content includes a trailing CRLF.\r\n", Encoding.ASCII.GetString(indeterminate.Content.Span));

        // What came before the final response is dropped, and all the rest is the same again.
        byte[] final = Hex(IndeterminateResponse);
        int start = final.AsSpan().IndexOf(Hex("40c804"));
        Assert.Equal([3, .. final[start..]], Write(indeterminate, indeterminate: true));

        Assert.True(BinaryHttpCodec.TryReadMessage(Hex(KnownResponse), out var known, out _));
        Assert.Equal("This content contains CRLF.\r\n", Encoding.ASCII.GetString(known.Content.Span));
        Assert.Equal([new("trailer", "text")], known.Trailers);
        Assert.Equal(Hex(KnownResponse), Write(known));
    }

    // Section 3.8: empty trailers may be left out, and empty content before them.
    [Theory]
    [InlineData(KnownRequest, 2, 2)]
    [InlineData(IndeterminateRequest, 12, 12)]
    [InlineData(IndeterminateResponse, 54, 2)]
    [InlineData(KnownResponse, 44, 2)]
    public void A_message_may_be_truncated_before_its_last_parts_and_nowhere_else(string example, int furthest, int ways)
    {
        byte[] whole = Hex(example);
        var lengths = Enumerable.Range(0, whole.Length).Where(length => BinaryHttpCodec.TryReadMessage(whole.AsSpan(0, length), out _, out var fault) || fault is not BinaryHttpFault.Truncated).ToArray();
        Assert.Equal(ways, lengths.Length);
        Assert.Equal(whole.Length - furthest, lengths[0]);
    }

    [Fact]
    public void Whatever_is_read_is_written_back() => Gen.Select(Messages, Gen.Bool, Gen.Int[0, 400], Gen.Byte).Sample((message, indeterminate, at, value) =>
    {
        byte[] bytes = Write(message, indeterminate);
        bytes[at % bytes.Length] = value;
        if (BinaryHttpCodec.TryReadMessage(bytes, out var read, out _))
        {
            Assert.True(BinaryHttpCodec.TryReadMessage(Write(read), out var again, out _));
            Assert.Equal(Write(read), Write(again));
        }
    }, iter: 20_000);

    [Theory]
    [InlineData("a", "line\r\nfeed")]
    [InlineData("a", "nul\0")]
    [InlineData("a", "del\u007f")]
    [InlineData("a", " leading")]
    [InlineData("a", "trailing\t")]
    [InlineData("a", "not Latin: \u0101")]
    [InlineData("Upper", "")]
    [InlineData(":status", "200")]
    [InlineData("", "")]
    public void A_field_that_cannot_be_read_is_not_written(string name, string value)
    {
        var message = new BinaryHttpMessage(null, new ResponseHead(200, [new(name, value)]), default, []);
        Assert.Throws<ArgumentException>(() => Write(message));
    }

    [Theory]
    [InlineData("", "http", "/")]
    [InlineData("G T", "http", "/")]
    [InlineData("GET", "", "/")]
    [InlineData("GET", "http", "")]
    [InlineData("GET", "http", "/a b")]
    [InlineData("GET", "http", "/\u00e9")]
    public void A_request_that_cannot_be_read_is_not_written(string method, string scheme, string path) =>
        Assert.Throws<ArgumentException>(() => Write(new BinaryHttpMessage(new RequestHead(method, scheme, "", path, []), null, default, [])));

    [Fact]
    public void What_is_written_reads_back_in_both_framings() => Gen.Select(Messages, Gen.Bool, Gen.Int[0, 20]).Sample((message, indeterminate, padding) =>
    {
        byte[] bytes = Write(message, indeterminate, padding);
        Assert.True(BinaryHttpCodec.TryReadMessage(bytes, out var read, out _));
        Assert.Equal(bytes, Write(read, indeterminate, padding));
    });

    [Fact]
    public Task A_message_arrives_whole_however_it_is_cut() => Gen.Select(Messages, Gen.Bool, Gen.Int[1, 50]).SampleAsync(async (message, indeterminate, step) =>
    {
        byte[] bytes = Write(message, indeterminate);
        var pipe = new Pipe();
        var feeding = FeedAsync(pipe.Writer, bytes, step);

        var reader = new BinaryHttpReader(pipe.Reader);
        if (message.Request is not null)
        {
            Assert.Equal(message.Request.Fields, (await reader.ReadRequestHeadAsync(default)).Fields);
        }
        else
        {
            Assert.Equal(message.Response!.Status, (await reader.ReadResponseHeadAsync(default)).Status);
        }

        var content = new MemoryStream();
        var buffer = new byte[17];
        while (await reader.ReadContentAsync(buffer, default) is > 0 and var length)
        {
            content.Write(buffer, 0, length);
        }
        await feeding;
        Assert.Equal(message.Content.ToArray(), content.ToArray());
        Assert.Equal(message.Trailers, reader.Trailers);
    }, iter: 200);

    [Fact]
    public async Task A_read_of_nothing_waits_for_content_and_takes_none()
    {
        var pipe = new Pipe();
        var reader = new BinaryHttpReader(pipe.Reader);
        BinaryHttpCodec.WriteResponseHead(pipe.Writer, new ResponseHead(200, []));
        await pipe.Writer.FlushAsync();
        await reader.ReadResponseHeadAsync(default);

        var waiting = reader.ReadContentAsync(Memory<byte>.Empty, default).AsTask();
        Assert.False(waiting.IsCompleted);
        BinaryHttpCodec.WriteChunk(pipe.Writer, "ab"u8);
        BinaryHttpCodec.WriteEnd(pipe.Writer, []);
        await pipe.Writer.FlushAsync();
        Assert.Equal(0, await waiting.WaitAsync(TimeSpan.FromSeconds(30)));

        Assert.Equal(2, await reader.ReadContentAsync(new byte[10], default));
        Assert.Equal(0, await reader.ReadContentAsync(Memory<byte>.Empty, default));
        Assert.Equal(0, await reader.ReadContentAsync(new byte[10], default));
    }

    [Fact]
    public async Task A_message_cut_off_anywhere_is_a_fault()
    {
        var message = new BinaryHttpMessage(null, new ResponseHead(200, [new("a", "b")]), "content"u8.ToArray(), [new("c", "d")]);
        byte[] bytes = Write(message, indeterminate: true);
        for (int length = 0; length < bytes.Length; length++)
        {
            var reader = new BinaryHttpReader(PipeReader.Create(new ReadOnlySequence<byte>(bytes, 0, length)));
            var exception = await Assert.ThrowsAsync<BinaryHttpException>(async () =>
            {
                await reader.ReadResponseHeadAsync(default);
                while (await reader.ReadContentAsync(new byte[100], default) > 0)
                {
                }
            });
            Assert.Equal(BinaryHttpFault.Truncated, exception.Fault);
        }
    }

    [Theory]
    [InlineData("04", BinaryHttpFault.BadFraming)]
    [InlineData("4004", BinaryHttpFault.BadFraming)]
    [InlineData("02 00 05 6874747073 00 01 2f 00 00 00", BinaryHttpFault.BadControlData)]              // no method
    [InlineData("02 03 474554 05 6874747073 00 00 00 00 00", BinaryHttpFault.BadControlData)]          // no path
    [InlineData("02 03 47 20 54 05 6874747073 00 01 2f 00 00 00", BinaryHttpFault.BadControlData)]     // a space in the method
    [InlineData("02 03 474554 05 6874747073 00 02 2f0a 00 00 00", BinaryHttpFault.BadControlData)]     // a line feed in the path
    [InlineData("02 03 474554 05 6874747073 00 01 2f 01 41 01 62 00 00 00", BinaryHttpFault.BadField)] // an upper-case name
    [InlineData("02 03 474554 05 6874747073 00 01 2f 01 61 01 0a 00 00 00", BinaryHttpFault.BadField)] // a line feed in a value
    [InlineData("02 03 474554 05 6874747073 00 01 2f 01 61 01 20 00 00 00", BinaryHttpFault.BadField)] // white space around a value
    [InlineData("02 03 474554 05 6874747073 00 01 2f 00 00 00 01", BinaryHttpFault.BadPadding)]
    [InlineData("03 4258 00 00 00", BinaryHttpFault.BadStatus)]                                        // 600
    [InlineData("03 4063 00 00 00", BinaryHttpFault.BadStatus)]                                        // 99
    [InlineData("02 80100000", BinaryHttpFault.HeadTooLong)]
    public void A_spoiled_message_is_refused_by_name(string hex, BinaryHttpFault expected)
    {
        Assert.False(BinaryHttpCodec.TryReadMessage(Hex(hex), out _, out var fault));
        Assert.Equal(expected, fault);
    }

    [Fact]
    public void Too_many_fields_are_refused()
    {
        byte[] fields = [.. Enumerable.Repeat<byte[]>([1, (byte)'a', 1, (byte)'b'], 65).SelectMany(field => field)];
        Assert.False(BinaryHttpCodec.TryReadMessage([3, 0x40, 200, .. fields, 0, 0, 0], out _, out var fault));
        Assert.Equal(BinaryHttpFault.TooManyFields, fault);
        Assert.True(BinaryHttpCodec.TryReadMessage([3, 0x40, 200, .. fields[4..], 0, 0, 0], out _, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => Write(new BinaryHttpMessage(null, new ResponseHead(200, [.. Enumerable.Repeat(new Field("a", "b"), 65)]), default, [])));
    }

    [Fact]
    public void Informational_responses_are_bounded_too()
    {
        byte[] informational = [.. Enumerable.Repeat<byte[]>([0x40, 100, 0], 9).SelectMany(one => one)];
        Assert.False(BinaryHttpCodec.TryReadMessage([3, .. informational, 0x40, 200, 0, 0, 0], out _, out var fault));
        Assert.Equal(BinaryHttpFault.BadStatus, fault);
        Assert.True(BinaryHttpCodec.TryReadMessage([3, .. informational[3..], 0x40, 200, 0, 0, 0], out _, out _));
    }

    [Fact]
    public async Task A_head_that_never_ends_is_refused_before_it_is_held()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var reader = new BinaryHttpReader(pipe.Reader);
        pipe.Writer.Write(Hex("02 03 474554 05 6874747073 00 01 2f 01 61 80007fff"));
        pipe.Writer.Write(new byte[40_000]);
        await pipe.Writer.FlushAsync();
        await Assert.ThrowsAsync<BinaryHttpException>(async () => await reader.ReadRequestHeadAsync(default));
    }

    private static byte[] Write(BinaryHttpMessage message, bool indeterminate = false, int padding = 0)
    {
        var buffer = new ArrayBufferWriter<byte>();
        BinaryHttpCodec.WriteMessage(buffer, message, indeterminate, padding);
        return buffer.WrittenSpan.ToArray();
    }

    private static async Task FeedAsync(PipeWriter writer, byte[] bytes, int step)
    {
        for (int offset = 0; offset < bytes.Length; offset += step)
        {
            await writer.WriteAsync(bytes.AsMemory(offset, Math.Min(step, bytes.Length - offset)));
        }
        await writer.CompleteAsync();
    }
}
