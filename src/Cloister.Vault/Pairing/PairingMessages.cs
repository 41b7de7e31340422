using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Unlockers;
using Cloister.Wire;

namespace Cloister.Vault.Pairing;

/// <summary>What a new device says of itself: message 1 of pairing (docs/spec/vault.md, section 4).</summary>
/// <param name="Unlocker">Its identity.</param>
/// <param name="SignInKey">Signs in.</param>
/// <param name="PublicKey">The account key is wrapped to it.</param>
/// <param name="Label">As its user called it; at most 64 bytes. Nobody vouches for it.</param>
public sealed record NewDevice(Identity Unlocker, Ed25519PublicKey SignInKey, ReadOnlyMemory<byte> PublicKey, string Label)
{
    /// <summary>Of a label, in bytes.</summary>
    public const int MaxLabel = 64;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ArgumentException">The label is longer than 64 bytes, or not text.</exception>
    public byte[] ToBytes()
    {
        byte[] label = Utf8.GetBytes(Label);
        if (label.Length > MaxLabel)
        {
            throw new ArgumentException("A label has at most 64 bytes.");
        }
        return [PairingMessages.Version, .. Unlocker.ToArray(), .. SignInKey.Bytes, .. PublicKey.Span, (byte)label.Length, .. label];
    }

    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out NewDevice? device, out WireError error)
    {
        var reader = new WireReader(bytes);
        reader.Expect("version", [PairingMessages.Version]);
        var unlocker = reader.Bytes("unlocker", Identity.Size);
        var signIn = reader.Bytes("sign-in public key", Ed25519PublicKey.Size);
        var publicKey = reader.Bytes("public key", UnlockerSecret.PublicKeySize);
        int length = reader.UInt8("label length");
        if (length > MaxLabel)
        {
            reader.Refuse("label length", MaxLabel, length);
        }
        var label = reader.Bytes("label", reader.Failed ? 0 : length);
        reader.ExpectEnd("message 1");
        string text = "";
        if (!reader.Failed && !TryText(label, out text))
        {
            reader.Refuse("label", 0, 1);
        }
        error = reader.Error;
        device = reader.Failed ? null : new(Identity.Read(unlocker), new(signIn), publicKey.ToArray(), text);
        return device is not null;
    }

    // A label is shown beside a question that matters: no line breaks, nothing that turns the direction of text.
    private static bool TryText(ReadOnlySpan<byte> bytes, out string text)
    {
        try
        {
            text = Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            text = "";
            return false;
        }
        return text.EnumerateRunes().All(letter => Rune.GetUnicodeCategory(letter) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));
    }
}

/// <summary>The parts of pairing that both sides compute alike (docs/spec/vault.md, section 4).</summary>
internal static class PairingMessages
{
    public const byte Version = 1;
    public const int NonceSize = 32;
    public const int CommitmentSize = 32;
    public const int PromiseSize = 1 + 32;
    public const int AnswerSize = 1 + NonceSize;
    public const int RevealSize = 1 + NonceSize + AccountNumber.Size + sizeof(uint) + CommitmentSize;

    /// <summary>Message 2: the promise of message 4, which binds what the old device says before it knows the new one's nonce.</summary>
    public static byte[] Promise(ReadOnlySpan<byte> reveal, ReadOnlySpan<byte> first) =>
        [Version, .. SHA256.HashData([.. "cloister pairing v1\0"u8, .. reveal[1..], .. SHA256.HashData(first)])];

    /// <summary>The six digits that people compare.</summary>
    public static string Digits(ReadOnlySpan<byte> first, ReadOnlySpan<byte> promise, ReadOnlySpan<byte> answer, ReadOnlySpan<byte> reveal)
    {
        byte[] hash = SHA256.HashData([.. "cloister pairing digits v1\0"u8, .. first, .. promise, .. answer, .. reveal]);
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }
}

/// <summary>The eight letters that a new device shows: the slot of the mailbox.</summary>
public static class PairingSlot
{
    private const int Size = 5;

    /// <summary>A new one: 40 random bits.</summary>
    public static string Generate() => CrockfordBase32.Encode(RandomNumberGenerator.GetBytes(Size));

    /// <summary>Reads what a person typed, and gives it in its one form, <c>XXXX-XXXX</c>.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out string? slot)
    {
        Span<byte> bytes = stackalloc byte[Size];
        slot = text is { Length: <= 32 } && CrockfordBase32.TryDecode(text, bytes) ? CrockfordBase32.Encode(bytes) : null;
        return slot is not null;
    }
}
