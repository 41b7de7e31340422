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

    [Fact]
    public void The_response_of_the_standard_with_informational_responses_is_read()
    {
        // Section 5.2: 102 and 103 before a 200, "This content contains CRLF.\r\n", and a trailer.
        byte[] response =
        [
            .. Hex("0340 6607 7275 6e6e 696e 670a 2273 6c65 6570 2031 3522 0040 6704 6c69 6e6b"), .. Hex("233c 2f73 7479 6c65 2e63 7373 3e3b 2072 656c 3d70 7265 6c6f 6164 3b20 6173 3d73 7479 6c65"),
            .. Hex("046c 696e 6b24 3c2f 7363 7269 7074 2e6a 733e 3b20 7265 6c3d 7072 656c 6f61 643b 2061 733d 7363 7269 7074 00"),
            .. Hex("40c8 0464 6174 651d"), .. "Mon, 27 Jul 2009 12:28:53 GMT"u8, .. Hex("0673 6572 7665 7206"), .. "Apache"u8, .. Hex("0033"),
            .. "Hello World! My content includes a trailing CRLF.\r\n"u8, .. Hex("0000"),
        ];
        Assert.True(BinaryHttpCodec.TryReadMessage(response, out var message, out var fault), $"{fault}");
        Assert.Equal(200, message.Response!.Status);
        Assert.Equal("Hello World! My content includes a trailing CRLF.\r\n", Encoding.ASCII.GetString(message.Content.Span));
    }

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
        var message = new BinaryHttpMessage(null, new ResponseHead(200, [.. Enumerable.Repeat(new Field("a", "b"), 65)]), default, []);
        Assert.False(BinaryHttpCodec.TryReadMessage(Write(message), out _, out var fault));
        Assert.Equal(BinaryHttpFault.TooManyFields, fault);
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
