using CsCheck;

namespace Cloister.Wire.Tests;

public class TextTests
{
    [Fact]
    public void What_is_encoded_decodes_to_the_same_bytes() => Gen.Byte.Array[0, 80].Sample(bytes =>
        Hex.TryDecode(Hex.Encode(bytes), out var hex) && hex.AsSpan().SequenceEqual(bytes)
        && Base64.TryDecode(Base64.Encode(bytes), out var standard) && standard.AsSpan().SequenceEqual(bytes)
        && Base64.TryDecodeUrl(Base64.EncodeUrl(bytes), out var url) && url.AsSpan().SequenceEqual(bytes));

    [Theory]
    [InlineData("a")]
    [InlineData("AB")]
    [InlineData("0x")]
    [InlineData(" 00")]
    [InlineData("0g")]
    public void Hex_has_one_encoding(string text) => Assert.False(Hex.TryDecode(text, out _));

    [Theory]
    [InlineData("QQ")]        // padding missing
    [InlineData("QR==")]      // bits set behind the last byte
    [InlineData("QQ== ")]
    [InlineData("Q Q=")]
    [InlineData("QUI=\n")]
    [InlineData("QU-_")]      // the other alphabet
    public void Standard_base64_has_one_encoding(string text) => Assert.False(Base64.TryDecode(text, out _));

    [Theory]
    [InlineData("QQ==")]
    [InlineData("QR")]
    [InlineData("Q")]
    [InlineData("QU+/")]
    [InlineData("QQ ")]
    public void Url_base64_has_one_encoding(string text) => Assert.False(Base64.TryDecodeUrl(text, out _));
}
