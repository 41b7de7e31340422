using Cloister.Channel.Noise;
using Cloister.Wire;
using CsCheck;

namespace Cloister.Channel.Tests.Noise;

public class ChannelPayloadTests
{
    private static readonly byte[] Request = [1, 1, 3, .. new byte[13]];
    private static readonly byte[] Agreement = [1, 3, .. new byte[14]];

    [Fact]
    public void What_is_written_is_read_and_has_the_form_of_the_specification()
    {
        byte[] request = new byte[16];
        byte[] agreement = new byte[16];
        new ChannelRequest(1, 1, ShapingProfile.Paced).Write(request);
        new ChannelAgreement(1, ShapingProfile.Paced).Write(agreement);
        Assert.Equal(Request, request);
        Assert.Equal(Agreement, agreement);
    }

    [Fact]
    public void Whatever_is_accepted_is_written_the_same_again() => Gen.Byte[0, 4].Array[0, 20].Sample(bytes =>
    {
        byte[] written = new byte[16];
        if (ChannelRequest.TryParse(bytes, out var request, out _))
        {
            request.Write(written);
            Assert.Equal(bytes, written);
        }
        if (ChannelAgreement.TryParse(bytes, out var agreement, out _))
        {
            agreement.Write(written);
            Assert.Equal(bytes, written);
        }
    });

    [Theory]
    [InlineData(0, 0, "oldest_version")]
    [InlineData(0, 2, "oldest_version")]
    [InlineData(2, 0, "shaping")]
    [InlineData(2, 4, "shaping")]
    [InlineData(3, 1, "reserved")]
    [InlineData(15, 128, "reserved")]
    public void A_spoiled_request_is_refused(int place, byte value, string field)
    {
        byte[] spoiled = [.. Request];
        spoiled[place] = value;
        Assert.False(ChannelRequest.TryParse(spoiled, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Theory]
    [InlineData(1, 0, "shaping")]
    [InlineData(1, 4, "shaping")]
    [InlineData(2, 1, "reserved")]
    [InlineData(15, 128, "reserved")]
    public void A_spoiled_agreement_is_refused(int place, byte value, string field)
    {
        byte[] spoiled = [.. Agreement];
        spoiled[place] = value;
        Assert.False(ChannelAgreement.TryParse(spoiled, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void Another_length_is_refused()
    {
        Assert.False(ChannelRequest.TryParse(Request.AsSpan(1), out _, out var cut));
        Assert.False(ChannelAgreement.TryParse([.. Agreement, 0], out _, out var more));
        Assert.Equal((WireFault.WrongValue, WireFault.TrailingBytes), (cut.Fault, more.Fault));
    }
}
