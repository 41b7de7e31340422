using System.Buffers.Binary;
using Cloister.Primitives;

namespace Cloister.Ledger;

/// <summary>The forms of a wrapped account key (docs/spec/vault.md, section 3). The numbers are stored: a new form takes a new number.</summary>
public enum WrapForm : byte
{
    /// <summary>Neither.</summary>
    None = 0,
    /// <summary>By the unlocker's secret.</summary>
    BySecret = 1,
    /// <summary>To the unlocker's public key.</summary>
    ToKey = 2,
}

/// <summary>The outside of a wrapped account key: <c>form(u8) ‖ epoch(u32) ‖ …</c>, of one length in each form.</summary>
public static class WrapFormat
{
    /// <summary>Form and epoch, in bytes.</summary>
    public const int HeaderSize = 1 + sizeof(uint);

    /// <summary>Of the sealed account key that both end in, in bytes.</summary>
    public const int SealedKeySize = AeadKey.Size + AeadKey.TagSize;

    /// <summary>Of a wrap by secret, in bytes: its nonce stands before the sealed key.</summary>
    public const int BySecretSize = HeaderSize + 12 + SealedKeySize;

    /// <summary>Of a wrap to a key, in bytes: the ephemeral key and the ciphertext stand before the sealed key.</summary>
    public const int ToKeySize = HeaderSize + X25519PublicKey.Size + MlKem768PrivateKey.CiphertextSize + SealedKeySize;

    /// <summary>Which form it is, by first byte and length.</summary>
    public static WrapForm Form(ReadOnlySpan<byte> wrap) => wrap switch
    {
        [(byte)WrapForm.BySecret, ..] when wrap.Length == BySecretSize => WrapForm.BySecret,
        [(byte)WrapForm.ToKey, ..] when wrap.Length == ToKeySize       => WrapForm.ToKey,
        _                                                              => WrapForm.None,
    };

    /// <summary>The epoch whose account key it holds, of a wrap in one of the forms.</summary>
    public static uint Epoch(ReadOnlySpan<byte> wrap) => BinaryPrimitives.ReadUInt32BigEndian(wrap[1..]);
}
