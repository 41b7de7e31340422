using Cloister.Primitives;

namespace Cloister.Channel.Noise;

/// <summary>What one side brings to a handshake. The static key stays the caller's; the others become the handshake's, which wipes them.</summary>
internal sealed record HandshakeKeys
{
    public X25519PrivateKey? Static { get; init; }

    /// <summary>The peer's static key, where the pattern says that it is known before.</summary>
    public X25519PublicKey? RemoteStatic { get; init; }

    /// <summary>32 bytes each, in the order of their tokens.</summary>
    public IReadOnlyList<byte[]> Psks { get; init; } = [];

    // The rest is fixed by test vectors only; left alone, it is fresh.
    internal X25519PrivateKey? Ephemeral { get; init; }

    internal MlKem768PrivateKey? KemEphemeral { get; init; }

    internal Encapsulation Encapsulate { get; init; } = static (key, ciphertext, secret) => key.Encapsulate(ciphertext, secret);
}

/// <summary>FIPS 203, section 7.2: makes a secret and the ciphertext that tells it to the key's owner.</summary>
internal delegate void Encapsulation(MlKem768PublicKey key, Span<byte> ciphertext, Span<byte> secret);
