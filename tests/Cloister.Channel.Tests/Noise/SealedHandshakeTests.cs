using Cloister.Channel.Noise;
using Cloister.Primitives;

namespace Cloister.Channel.Tests.Noise;

public class SealedHandshakeTests
{
    private static readonly FixedSession Session = new();

    [Fact]
    public void Both_sides_agree_on_keys_and_on_the_name_of_the_session()
    {
        using var key = X25519PrivateKey.Generate();
        using var client = SealedHandshake.Initiate(key.PublicKey, FixedSession.StatementHash);
        using var enclave = SealedHandshake.Respond(key, FixedSession.StatementHash);
        byte[] first = new byte[SealedHandshake.RequestLength];
        byte[] second = new byte[SealedHandshake.AgreementLength];

        Assert.Equal(ChannelFault.None, client.WriteRequest(FixedSession.Request, first));
        Assert.Equal(ChannelFault.None, enclave.ReadRequest(first, out var request));
        Assert.Equal(ChannelFault.None, enclave.WriteAgreement(FixedSession.Agreement, second));
        Assert.Equal(ChannelFault.None, client.ReadAgreement(second, out var agreement));

        Assert.Equal((FixedSession.Request, FixedSession.Agreement), (request, agreement));
        Assert.Equal(client.Hash.ToArray(), enclave.Hash.ToArray());
    }

    [Fact]
    public void Every_flipped_bit_of_the_first_message_is_refused()
    {
        byte[] message = Session.FirstMessage;
        for (int bit = 0; bit < message.Length * 8; bit++)
        {
            using var enclave = FixedSession.Enclave();
            Assert.NotEqual(ChannelFault.None, enclave.ReadRequest(Flip(message, bit), out var request));
            Assert.Equal(default, request);
            AssertDead(enclave);
        }
    }

    [Fact]
    public void Every_flipped_bit_of_the_second_message_is_refused()
    {
        byte[] message = Session.SecondMessage;
        for (int bit = 0; bit < message.Length * 8; bit++)
        {
            using var client = FixedSession.ClientThatAsked();
            Assert.NotEqual(ChannelFault.None, client.ReadAgreement(Flip(message, bit), out var agreement));
            Assert.Equal(default, agreement);
            AssertDead(client);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(SealedHandshake.RequestLength - 1)]
    [InlineData(SealedHandshake.RequestLength + 1)]
    [InlineData(65535)]
    public void Another_length_is_refused(int length)
    {
        using var enclave = FixedSession.Enclave();
        Assert.Equal(ChannelFault.BadLength, enclave.ReadRequest(Resized(Session.FirstMessage, length), out _));
        AssertDead(enclave);

        using var client = FixedSession.ClientThatAsked();
        Assert.Equal(ChannelFault.BadLength, client.ReadAgreement(Resized(Session.SecondMessage, length), out _));
        AssertDead(client);
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void Keys_of_low_order_are_refused_on_both_sides(string key)
    {
        byte[] low = Convert.FromHexString(key);

        using var enclave = FixedSession.Enclave();
        Assert.Equal(ChannelFault.LowOrderKey, enclave.ReadRequest([.. low, .. Session.FirstMessage[32..]], out _));
        AssertDead(enclave);

        using var client = FixedSession.ClientThatAsked();
        Assert.Equal(ChannelFault.LowOrderKey, client.ReadAgreement([.. low, .. Session.SecondMessage[32..]], out _));
        AssertDead(client);

        using var fooled = SealedHandshake.Initiate(new X25519PublicKey(low), FixedSession.StatementHash);
        Assert.Equal(ChannelFault.LowOrderKey, fooled.WriteRequest(FixedSession.Request, new byte[SealedHandshake.RequestLength]));
        AssertDead(fooled);
    }

    [Fact]
    public void A_key_whose_coefficients_are_not_reduced_is_refused()
    {
        // A client that follows the protocol but for its encapsulation key: two coefficients of 4095.
        byte[] kemKey = FixedSession.KemKey;
        kemKey.AsSpan(0, 3).Fill(0xff);

        using var enclave = FixedSession.Enclave();
        Assert.Equal(ChannelFault.BadKemKey, enclave.ReadRequest(FixedSession.FirstMessageWith(kemKey), out _));
        AssertDead(enclave);
    }

    [Fact]
    public void Another_statement_is_another_session()
    {
        byte[] other = [.. FixedSession.StatementHash];
        other[0] ^= 1;
        using var enclave = SealedHandshake.Respond(FixedSession.StaticKey(), other);
        Assert.Equal(ChannelFault.Unauthentic, enclave.ReadRequest(Session.FirstMessage, out _));
    }

    [Fact]
    public void Another_enclave_cannot_answer()
    {
        using var client = FixedSession.ClientThatAsked();
        using var impostor = SealedHandshake.Respond(X25519PrivateKey.Generate(), FixedSession.StatementHash);
        Assert.Equal(ChannelFault.Unauthentic, impostor.ReadRequest(Session.FirstMessage, out _));
    }

    [Fact]
    public void Steps_out_of_turn_are_our_mistake()
    {
        using var enclave = FixedSession.Enclave();
        Assert.Throws<InvalidOperationException>(() => enclave.WriteAgreement(FixedSession.Agreement, new byte[SealedHandshake.AgreementLength]));
        Assert.Throws<InvalidOperationException>(() => enclave.Split());
        Assert.Throws<ArgumentException>(() => SealedHandshake.Respond(FixedSession.StaticKey(), new byte[31]));
    }

    private static void AssertDead(SealedHandshake handshake)
    {
        Assert.Throws<ObjectDisposedException>(() => handshake.Split());
        Assert.Equal(new byte[32], handshake.Hash.ToArray());
    }

    private static byte[] Flip(byte[] message, int bit)
    {
        byte[] flipped = [.. message];
        flipped[bit / 8] ^= (byte)(1 << bit % 8);
        return flipped;
    }

    private static byte[] Resized(byte[] message, int length)
    {
        byte[] resized = new byte[length];
        message.AsSpan(0, Math.Min(length, message.Length)).CopyTo(resized);
        return resized;
    }
}
