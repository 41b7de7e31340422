using Cloister.Channel.Exchanges;
using CsCheck;

namespace Cloister.Channel.Tests.Exchanges;

public class FrameTests
{
    private static readonly Gen<ulong> Numbers = Gen.OneOf(Gen.ULong, Gen.Int[0, 300].Select(n => (ulong)n), Gen.UInt.Select(n => (ulong)n), Gen.UShort.Select(n => (ulong)n));

    private static readonly Gen<FrameHeader> Headers = Gen.Select(Gen.Int[0, 6], Numbers, Gen.Bool, Gen.Int[0, Frame.MaxPayload])
        .Select((code, channel, ours, payload) => new FrameHeader((FrameCode)code, channel, ours, payload));

    [Fact]
    public void Headers_read_back_and_every_beginning_of_one_asks_for_more() => Headers.Sample(header =>
    {
        var bytes = new byte[Frame.MaxHeaderLength];
        int length = Frame.WriteHeader(bytes, header);
        Assert.Equal(Progress.Done, Frame.ReadHeader(bytes.AsSpan(0, length), out var read, out int taken));
        Assert.Equal((header, length), (read, taken));
        for (int cut = 0; cut < length; cut++)
        {
            Assert.Equal(Progress.NeedMore, Frame.ReadHeader(bytes.AsSpan(0, cut), out _, out _));
        }
    });

    [Fact]
    public void What_reads_is_written_back_to_the_same_bytes() => Gen.Byte.Array[0, 24].Sample(bytes =>
    {
        if (Frame.ReadHeader(bytes, out var header, out int length) is Progress.Done)
        {
            var again = new byte[Frame.MaxHeaderLength];
            Assert.Equal(bytes.AsSpan(0, length), again.AsSpan(0, Frame.WriteHeader(again, header)));
        }
    }, iter: 100_000);

    // What MultiplexingStream puts on the wire. These bytes are the protocol's: to change them is to speak another one.
    [Theory]
    [InlineData(0, 1, 262144, "94000101c40792a0ce00040000")]
    [InlineData(1, 300, 262144, "9401cd012c01c40691ce00040000")]
    [InlineData(5, 127, 65536, "94057f01c40691ce00010000")]
    [InlineData(3, 128, 0, "9303cc8001")]
    [InlineData(4, 70000, 0, "9304ce0001117001")]
    public void Control_frames_are_the_protocols(int code, int channel, int number, string expected)
    {
        var bytes = new byte[Frame.MaxControlLength];
        int length = Frame.WriteControl(bytes, (FrameCode)code, (ulong)channel, true, (ulong)number);
        Assert.Equal(expected, Convert.ToHexStringLower(bytes.AsSpan(0, length)));
    }

    [Fact]
    public void A_frame_of_the_usual_payload_fits_into_one_record()
    {
        var bytes = new byte[Frame.MaxHeaderLength];
        int header = Frame.WriteHeader(bytes, new(FrameCode.Content, ulong.MaxValue, true, Frame.UsualPayload));
        Assert.True(header + Frame.UsualPayload + Frame.MaxControlLength <= Channel.Records.OpenRecord.Capacity);
    }
}
