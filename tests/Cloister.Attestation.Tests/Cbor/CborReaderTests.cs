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
