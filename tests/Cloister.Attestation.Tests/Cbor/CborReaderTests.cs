using CsCheck;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

public class CborReaderTests
{
    // RFC 8949, appendix A.
    [Theory]
    [InlineData("00", 0UL)]
    [InlineData("17", 23UL)]
    [InlineData("1818", 24UL)]
    [InlineData("1903e8", 1000UL)]
    [InlineData("1a000f4240", 1000000UL)]
    [InlineData("1b000000e8d4a51000", 1000000000000UL)]
    [InlineData("1bffffffffffffffff", ulong.MaxValue)]
    public void The_specifications_numbers_are_read(string hex, ulong value)
    {
        var reader = new CborReader(Convert.FromHexString(hex));
        Assert.Equal(value, reader.ReadUnsigned("number"));
        reader.ExpectEnd("number");
        Assert.False(reader.Failed);
    }

    [Theory]
    [InlineData("1817")]
    [InlineData("1900ff")]
    [InlineData("1a0000ffff")]
    [InlineData("1b00000000ffffffff")]
    [InlineData("1c")]
    [InlineData("1f")]
    [InlineData("20")]
    [InlineData("18")]
    [InlineData("")]
    [InlineData("f90000")]
    public void A_number_has_one_encoding(string hex)
    {
        var reader = new CborReader(Convert.FromHexString(hex));
        Assert.Equal(0UL, reader.ReadUnsigned("number"));
        Assert.True(reader.Failed);
    }

    [Fact]
    public void Any_number_is_read_as_it_is_written() => Gen.ULong.Sample(value =>
    {
        var reader = new CborReader(TestCbor.Head(0, value));
        Assert.Equal(value, reader.ReadUnsigned("number"));
    });

    [Fact]
    public void Any_number_below_zero_is_read_as_it_is_written() => Gen.Long[long.MinValue, -1].Sample(value =>
    {
        var reader = new CborReader(TestCbor.Negative(value));
        Assert.Equal(value, reader.ReadNegative("number"));
        reader.ExpectEnd("number");
        Assert.False(reader.Failed);
    });

    // RFC 8949, appendix A, where there is one; the last lies beyond what a long holds.
    [Theory]
    [InlineData("20", -1)]
    [InlineData("29", -10)]
    [InlineData("3863", -100)]
    [InlineData("3903e7", -1000)]
    [InlineData("3b7fffffffffffffff", long.MinValue)]
    [InlineData("3817", 0)]
    [InlineData("00", 0)]
    [InlineData("3b8000000000000000", 0)]
    public void A_number_below_zero_has_one_encoding(string hex, long value)
    {
        var reader = new CborReader(Convert.FromHexString(hex));
        Assert.Equal(value, reader.ReadNegative("number"));
        Assert.Equal(value == 0, reader.Failed);
    }

    [Theory]
    [InlineData("d2", 18, true)]
    [InlineData("d820", 32, true)]
    [InlineData("d901f4", 500, true)]
    [InlineData("d901f5", 500, false)]
    [InlineData("d812", 18, false)]
    [InlineData("d90020", 32, false)]
    [InlineData("d901", 500, false)]
    [InlineData("", 18, false)]
    public void A_tag_is_taken_only_where_it_stands_in_its_one_encoding(string hex, int tag, bool taken)
    {
        var reader = new CborReader(Convert.FromHexString(hex));
        Assert.Equal(taken, reader.TryReadTag((ushort)tag));
        Assert.Equal(taken ? hex.Length / 2 : 0, reader.Offset);
        Assert.False(reader.Failed);
    }

    [Fact]
    public void What_is_read_in_a_byte_string_ends_with_it()
    {
        (bool Left, int Offset) Read(byte[] source)
        {
            var reader = new CborReader(source);
            int end = reader.Enter("outer", 2);
            reader.ReadUnsigned("inner");
            reader.Leave("outer", end);
            return (!reader.Failed, reader.Error.Offset);
        }

        Assert.Equal((true, 0), Read([0x41, 5]));
        Assert.Equal((true, 0), Read([0x42, 24, 25]));
        Assert.Equal((false, 2), Read([0x42, 5, 5]));   // something is left
        Assert.Equal((false, 3), Read([0x41, 24, 25])); // it reaches beyond
        Assert.False(Read([0x43, 1, 2, 3]).Left);
        Assert.False(Read([0x40]).Left);
    }

    [Fact]
    public void Any_bytes_are_read_as_they_are_written() => Gen.Byte.Array[0, 300].Sample(value =>
    {
        var reader = new CborReader(TestCbor.Bytes(value));
        Assert.Equal(value, reader.ReadBytes("bytes", 300).ToArray());
        Assert.False(reader.Failed);
    });

    [Theory]
    [InlineData("5903e9", 2)]
    [InlineData("5bffffffffffffffff", 2)]
    [InlineData("7903e9", 3)]
    [InlineData("9903e9", 4)]
    [InlineData("b903e9", 5)]
    public void What_is_longer_than_the_caller_allows_is_refused_before_it_is_read(string hex, int type)
    {
        var reader = new CborReader(Convert.FromHexString(hex));
        int length = type switch
        {
            2 => reader.ReadBytes("x", 1000).Length,
            3 => reader.ReadText("x", 1000).Length,
            4 => reader.ReadArray("x", 1000),
            _ => reader.ReadMap("x", 1000),
        };
        Assert.Equal((0, WireFault.WrongValue, 1000L), (length, reader.Error.Fault, reader.Error.Expected));
    }

    [Fact]
    public void A_map_ends_in_a_break_only_where_it_may()
    {
        var may = new CborReader([0xbf, 0xff]);
        Assert.Equal(CborReader.Indefinite, may.ReadMap("map", 1, mayBeIndefinite: true));
        Assert.True(may.TryReadBreak() && !may.Failed);

        var mayNot = new CborReader([0xbf, 0xff]);
        Assert.Equal(0, mayNot.ReadMap("map", 1));
        Assert.True(mayNot.Failed && !mayNot.TryReadBreak());
    }
}
