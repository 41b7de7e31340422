using System.Security.Cryptography;
using System.Text;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Vault.Unlockers;

/// <summary>Why a passphrase is not taken as a new one.</summary>
public enum PassphraseFault : byte
{
    None = 0,
    /// <summary>Fewer than 12 characters.</summary>
    TooShort = 1,
    /// <summary>More than 1,024 bytes.</summary>
    TooLong = 2,
    /// <summary>One or two different characters, over and over.</summary>
    TooUniform = 3,
    /// <summary>Half of a character that is written as two.</summary>
    NotText = 4,
}

/// <summary>A passphrase as an unlocker (docs/spec/vault.md, section 3). The operator can guess at it at Argon2id's price: it is as strong as it is.</summary>
public static class Passphrase
{
    // The specification's.
    private const int MinCharacters = 12;
    private const int MaxBytes = 1024;
    private const int MemoryKiB = 64 * 1024;
    private const int Passes = 3;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether it may become an unlocker. That it is hard to guess, nobody can tell from looking at it.</summary>
    public static PassphraseFault Check(string passphrase)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        if (passphrase.Length > MaxBytes || (TryEncode(passphrase, out byte[] bytes) && bytes.Length > MaxBytes))
        {
            return PassphraseFault.TooLong;
        }
        return !TryEncode(passphrase, out _) ? PassphraseFault.NotText
            : passphrase.EnumerateRunes().Count() < MinCharacters ? PassphraseFault.TooShort
            : passphrase.EnumerateRunes().Distinct().Count() < 3 ? PassphraseFault.TooUniform
            : PassphraseFault.None;
    }

    /// <summary>The identity of an account's passphrase: it has at most one.</summary>
    public static Identity Unlocker(AccountNumber account) => Identity.Read(Hash("cloister passphrase id v1\0"u8, account).AsSpan(0, Identity.Size));

    /// <summary>Its secret. Takes about 0.1 s and 64 MiB natively, and some seconds in a browser.</summary>
    /// <exception cref="ArgumentException">It is longer than 1,024 bytes or not text: such a one was never taken.</exception>
    public static async ValueTask<UnlockerSecret> ToSecretAsync(string passphrase, AccountNumber account, KeyCustody custody)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        if (!TryEncode(passphrase, out byte[] bytes) || bytes.Length > MaxBytes)
        {
            throw new ArgumentException("A passphrase is text of at most 1,024 bytes.", nameof(passphrase));
        }
        byte[] secret = new byte[MemorySecret.Size];
        Argon2id.Derive(bytes, Hash("cloister passphrase v1\0"u8, account).AsSpan(0, Argon2id.SaltSize), MemoryKiB, Passes, secret);
        CryptographicOperations.ZeroMemory(bytes);
        var imported = await custody.ImportAsync(UnlockerKind.Passphrase, secret).ConfigureAwait(false);
        CryptographicOperations.ZeroMemory(secret);
        return imported;
    }

    private static byte[] Hash(ReadOnlySpan<byte> label, AccountNumber account) => SHA256.HashData([.. label, .. account.ToArray()]);

    // As typed: without ICU two ways to write an accent stay two.
    private static bool TryEncode(string passphrase, out byte[] bytes)
    {
        try
        {
            bytes = Utf8.GetBytes(passphrase);
            return true;
        }
        catch (EncoderFallbackException)
        {
            bytes = [];
            return false;
        }
    }
}
