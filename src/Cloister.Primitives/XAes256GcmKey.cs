using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;

namespace Cloister.Primitives;

/// <summary>XAES-256-GCM (C2SP): AES-256-GCM with 24-byte nonces, long enough to be random, by a key derived from the first half.</summary>
/// <remarks>Each message has a key of its own, which the platform wraps in an object: sealing and opening allocate 192 bytes.</remarks>
public sealed class XAes256GcmKey : AeadKey
{
    private const int Block = 16;
    private const int DerivingSize = 12;

    private readonly Backend _backend;
    private readonly Secret _blocks = new(2 * Block);
    private ICryptoTransform? _native;
    private Secret? _k1;

    private XAes256GcmKey(ReadOnlySpan<byte> key, Backend backend) : base(key) => _backend = backend;

    public override int NonceSize => 24;

    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public static XAes256GcmKey Import(ReadOnlySpan<byte> key) => new(key, Backends.Default);

    internal static XAes256GcmKey Import(ReadOnlySpan<byte> key, Backend backend) => new(key, backend);

    private protected override void SealChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData, Span<byte> sealedBytes)
    {
        using var derived = Derive(nonce);
        derived.Seal(nonce[DerivingSize..], plaintext, associatedData, sealedBytes);
    }

    private protected override bool TryOpenChecked(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData, Span<byte> plaintext)
    {
        using var derived = Derive(nonce);
        return derived.TryOpen(nonce[DerivingSize..], sealedBytes, associatedData, plaintext);
    }

    private protected override void Forget()
    {
        _native?.Dispose();
        _native = null;
        _k1?.Wipe();
        _k1 = null;
    }

    private ReadOnlySpan<byte> K1 => (_k1 ??= DeriveK1()).Bytes;

    // L = AES-256ₖ(0¹²⁸); K1 = L shifted left by one bit, and 0x87 into its last byte where L's top bit was set.
    private Secret DeriveK1()
    {
        var secret = new Secret(Block);
        var k1 = secret.Bytes;
        k1.Clear();
        EncryptBlocks(k1);
        int carry = k1[0] >> 7;
        for (int i = 0; i < Block - 1; i++)
        {
            k1[i] = (byte)((k1[i] << 1 | k1[i + 1] >> 7) & 0xff);
        }
        k1[^1] = (byte)((k1[^1] << 1 ^ carry * 0x87) & 0xff);
        return secret;
    }

    // M1 = 0x00 01 'X' 0x00 ‖ N[:12], M2 = 0x00 02 'X' 0x00 ‖ N[:12]; Kx = AES-256ₖ(M1 ⊕ K1) ‖ AES-256ₖ(M2 ⊕ K1).
    private Aes256GcmKey Derive(ReadOnlySpan<byte> nonce)
    {
        var k1 = K1;
        Span<byte> derived = stackalloc byte[2 * Block];
        for (int half = 0; half < 2; half++)
        {
            var message = derived.Slice(half * Block, Block);
            ReadOnlySpan<byte> label = [0, (byte)(half + 1), (byte)'X', 0];
            label.CopyTo(message);
            nonce[..DerivingSize].CopyTo(message[label.Length..]);
            for (int i = 0; i < Block; i++)
            {
                message[i] ^= k1[i];
            }
        }
        EncryptBlocks(derived);

        var key = Aes256GcmKey.Import(derived, _backend);
        CryptographicOperations.ZeroMemory(derived);
        return key;
    }

    private void EncryptBlocks(Span<byte> blocks)
    {
        if (_backend.IsManaged())
        {
            var engine = AesUtilities.CreateEngine();
            engine.Init(true, new KeyParameter(Key.Bytes));
            for (int offset = 0; offset < blocks.Length; offset += Block)
            {
                engine.ProcessBlock(blocks[offset..], blocks[offset..]);
            }
            return;
        }

        blocks.CopyTo(_blocks.Bytes);
        Native.TransformBlock(_blocks.Array, 0, blocks.Length, _blocks.Array, 0);
        _blocks.Bytes[..blocks.Length].CopyTo(blocks);
        _blocks.Bytes.Clear();
    }

    private ICryptoTransform Native => _native ??= MakeNative();

    // One block at a time is what the specification asks for: ECB here is the bare block cipher, not a mode for data. Made once, since each message needs it.
    private ICryptoTransform MakeNative()
    {
        using var aes = Aes.Create();
        (aes.Mode, aes.Padding) = (CipherMode.ECB, PaddingMode.None);
        aes.SetKey(Key.Bytes);
        return aes.CreateEncryptor();
    }
}
