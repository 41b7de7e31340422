using CsCheck;

namespace Cloister.Wire.Tests;

public class WireReaderTests
{
    [Fact]
    public void What_is_written_reads_back() =>
        Gen.Select(Gen.Byte, Gen.UShort, Gen.UInt, Gen.ULong, Gen.Byte.Array[0, 40]).Sample((u8, u16, u32, u64, bytes) =>
        {
            Span<byte> buffer = new byte[15 + bytes.Length];
            var writer = new WireWriter(buffer);
            writer.UInt8(u8);
            writer.UInt16BigEndian(u16);
            writer.UInt32LittleEndian(u32);
            writer.UInt64BigEndian(u64);
            writer.Bytes(bytes);

            var reader = new WireReader(writer.Written);
            Assert.Equal(u8, reader.UInt8("u8"));
            Assert.Equal(u16, reader.UInt16BigEndian("u16"));
            Assert.Equal(u32, reader.UInt32LittleEndian("u32"));
            Assert.Equal(u64, reader.UInt64BigEndian("u64"));
            Assert.True(reader.Bytes("bytes", bytes.Length).SequenceEqual(bytes));
            reader.ExpectEnd("end");
            Assert.False(reader.Failed);
        });

    [Fact]
    public void The_first_fault_sticks()
    {
        var reader = new WireReader([1, 2, 3]);
        reader.UInt8("first");
        Assert.Equal(0u, reader.UInt32LittleEndian("second"));
        Assert.True(reader.Bytes("third", 1).IsEmpty);
        Assert.Equal(new WireError(WireFault.Truncated, "second", 1, 4, 2), reader.Error);
    }

    [Fact]
    public void A_wrong_constant_is_named_with_its_place()
    {
        var reader = new WireReader([1, 2, 9]);
        reader.Expect("magic", [1, 2, 3]);
        Assert.Equal(new WireError(WireFault.WrongValue, "magic", 2, 3, 9), reader.Error);
    }

    [Fact]
    public void Reserved_bytes_padding_and_ends_are_checked()
    {
        var reserved = new WireReader([0, 7]);
        reserved.Zeros("reserved", 2);
        Assert.Equal(new WireError(WireFault.WrongValue, "reserved", 1, 0, 7), reserved.Error);

        var padding = new WireReader([0, 7]);
        padding.ExpectZerosToEnd("padding");
        Assert.Equal(WireFault.DirtyPadding, padding.Error.Fault);

        var end = new WireReader([0]);
        end.ExpectEnd("end");
        Assert.Equal(WireFault.TrailingBytes, end.Error.Fault);
    }

    [Fact]
    public void A_length_that_lies_is_refused_before_it_is_used()
    {
        var reader = new WireReader([0xff, 0xff, 0xff, 0xff]);
        Assert.True(reader.PrefixedBytes("data", 16).IsEmpty);
        Assert.Equal(new WireError(WireFault.TooLong, "data", 0, 16, uint.MaxValue), reader.Error);
    }
}
