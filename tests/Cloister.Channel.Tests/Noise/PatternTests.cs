using Cloister.Channel.Noise;
using static Cloister.Channel.Noise.HandshakeToken;

namespace Cloister.Channel.Tests.Noise;

public class PatternTests
{
    // The examples of noise_hfs rev 1, section 5, that follow its rule.
    [Theory]
    [InlineData("NNhfs", "e,e1 e,ee,ekem1")]
    [InlineData("NKhfs", "e,es,e1 e,ee,ekem1")]
    [InlineData("NXhfs", "e,e1 e,ee,ekem1,s,es")]
    [InlineData("XKhfs", "e,es,e1 e,ee,ekem1 s,se")]
    [InlineData("IKhfs", "e,es,e1,s,ss e,ee,ekem1,se")]
    [InlineData("XXpsk0+psk3", "psk,e e,ee,s,es s,se,psk")]
    public void Modifiers_go_where_their_documents_say(string name, string expected) =>
        Assert.Equal(expected, string.Join(' ', HandshakePattern.Parse(name).Messages.Select(message => string.Join(',', message).ToLowerInvariant())));

    [Fact]
    public void The_product_speaks_NK_with_the_hybrid_extension()
    {
        var pattern = NoiseProtocol.Parse(SealedHandshake.ProtocolName).Pattern;
        Assert.Equal((false, true), (pattern.InitiatorIsKnown, pattern.ResponderIsKnown));
        Assert.Equal([[E, Es, E1], [E, Ee, Ekem1]], pattern.Messages);
    }

    [Theory]
    [InlineData("Noise_NK_25519_ChaChaPoly_BLAKE2s")]
    [InlineData("Noise_NK_448_ChaChaPoly_SHA256")]
    [InlineData("Noise_NK_25519_Rot13_SHA256")]
    [InlineData("Noise_ZZ_25519_ChaChaPoly_SHA256")]
    [InlineData("Noise_NKpsk9_25519_ChaChaPoly_SHA256")]
    [InlineData("Noise_NKhfs_25519_ChaChaPoly_SHA256")]
    [InlineData("Noise_NK_25519+MLKEM768_ChaChaPoly_SHA256")]
    [InlineData("NK_25519_ChaChaPoly_SHA256")]
    public void A_name_of_something_else_is_refused(string name) => Assert.Throws<FormatException>(() => NoiseProtocol.Parse(name));

    [Fact]
    public void The_count_goes_on_after_a_rekey_and_the_old_key_opens_nothing_more()
    {
        using var sending = Keyed();
        using var receiving = Keyed();
        using var left = Keyed();
        byte[] message = new byte[20];
        byte[] opened = new byte[4];
        foreach (var cipher in (CipherState[])[sending, receiving, left])
        {
            cipher.Encrypt([], new byte[4], message);
        }

        sending.Rekey();
        receiving.Rekey();
        sending.Encrypt([], [1, 2, 3, 4], message);
        Assert.False(left.TryDecrypt([], message, opened));
        Assert.True(receiving.TryDecrypt([], message, opened));
        Assert.Equal([1, 2, 3, 4], opened);
    }

    private static CipherState Keyed()
    {
        var cipher = new CipherState(NoiseCipher.ChaChaPoly);
        cipher.InitializeKey(new byte[32]);
        return cipher;
    }
}
