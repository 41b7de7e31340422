namespace Cloister.Channel.Noise;

/// <summary>Which side of a handshake we are.</summary>
internal enum Role : byte { Initiator, Responder }

/// <summary>A step of a handshake message. Noise rev 34, sections 7.1 and 9.2; <c>E1</c> and <c>Ekem1</c>: noise_hfs rev 1, section 4.</summary>
internal enum HandshakeToken : byte { E, S, Ee, Es, Se, Ss, Psk, E1, Ekem1 }

internal static class HandshakeTokens
{
    public static bool IsDiffieHellman(this HandshakeToken token) =>
        token is HandshakeToken.Ee or HandshakeToken.Es or HandshakeToken.Se or HandshakeToken.Ss;
}
