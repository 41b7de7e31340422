using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Ledger;

namespace Cloister.Vault.Unlockers;

/// <summary>What is wrong with words that somebody typed.</summary>
public enum WordsFaultKind : byte
{
    None = 0,
    /// <summary>Not twelve.</summary>
    WrongCount = 1,
    /// <summary>A word that is not in the list.</summary>
    UnknownWord = 2,
    /// <summary>All are words of the list, but these twelve do not belong together: one is another, or two changed places.</summary>
    WrongChecksum = 3,
}

/// <param name="Position">For an unknown word, which: 1 to 12. For a wrong count, how many there are.</param>
public readonly record struct WordsFault(WordsFaultKind Kind, int Position);

/// <summary>Twelve words that open an account without anything else (docs/spec/vault.md, section 3): 16 random bytes by BIP-39's English list, with its checksum.</summary>
public sealed class RecoveryWords
{
    /// <summary>How many words there are.</summary>
    public const int Count = 12;

    private const int EntropySize = 16;
    private const int BitsPerWord = 11;
    private const int ChecksumBits = 4;
    private const int UniquePrefix = 4;

    private readonly byte[] _entropy;

    private RecoveryWords(byte[] entropy) => (_entropy, Words) = (entropy, Spell(entropy));

    /// <summary>In order, in lower case.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>The words with single spaces.</summary>
    public string Text => string.Join(' ', Words);

    /// <summary>The identity of this unlocker, which the words alone tell: whoever recovers need not know the account number.</summary>
    public Identity Unlocker
    {
        get
        {
            byte[] bytes = Secret();
            using var secret = MemorySecret.Import(UnlockerKind.RecoveryWords, bytes);
            CryptographicOperations.ZeroMemory(bytes);
            return secret.OwnIdentity();
        }
    }

    /// <summary>New ones.</summary>
    public static RecoveryWords Generate() => new(RandomNumberGenerator.GetBytes(EntropySize));

    /// <summary>Reads what a person typed: in any case, with any white space and commas, each word whole or by its first four letters, which are unique.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RecoveryWords? words, out WordsFault fault)
    {
        words = null;
        string[] typed = text is { Length: <= 1024 } ? text.Split([' ', '\t', '\r', '\n', ',', '\u00a0', '\u3000'], StringSplitOptions.RemoveEmptyEntries) : [];
        if (typed.Length != Count)
        {
            fault = new(WordsFaultKind.WrongCount, typed.Length);
            return false;
        }

        Span<byte> bits = stackalloc byte[EntropySize + 1];
        for (int position = 0; position < Count; position++)
        {
            int index = Find(typed[position].ToLowerInvariant());
            if (index < 0)
            {
                fault = new(WordsFaultKind.UnknownWord, position + 1);
                return false;
            }
            Put(bits, position, index);
        }
        byte[] entropy = bits[..EntropySize].ToArray();
        bool matches = bits[EntropySize] >> (8 - ChecksumBits) == Checksum(entropy);
        fault = new(matches ? WordsFaultKind.None : WordsFaultKind.WrongChecksum, 0);
        words = matches ? new(entropy) : null;
        return matches;
    }

    /// <summary>The unlocker's secret.</summary>
    public async ValueTask<UnlockerSecret> ToSecretAsync(KeyCustody custody)
    {
        byte[] secret = Secret();
        var imported = await custody.ImportAsync(UnlockerKind.RecoveryWords, secret).ConfigureAwait(false);
        CryptographicOperations.ZeroMemory(secret);
        return imported;
    }

    internal static RecoveryWords Of(ReadOnlySpan<byte> entropy) => new(entropy.ToArray());

    internal byte[] Secret() => HKDF.DeriveKey(HashAlgorithmName.SHA256, _entropy, MemorySecret.Size, [], "cloister recovery words v1"u8.ToArray());

    private static int Find(string typed)
    {
        int index = Array.BinarySearch(WordList.English, typed, StringComparer.Ordinal);
        if (index < 0 && typed.Length == UniquePrefix)
        {
            index = ~index < WordList.English.Length && WordList.English[~index].StartsWith(typed, StringComparison.Ordinal) ? ~index : -1;
        }
        return index;
    }

    // BIP-39: entropy and checksum as one row of bits, eleven for each word.
    private static string[] Spell(byte[] entropy)
    {
        byte[] bits = [.. entropy, (byte)(Checksum(entropy) << (8 - ChecksumBits))];
        var words = new string[Count];
        for (int position = 0; position < Count; position++)
        {
            int index = 0;
            for (int bit = position * BitsPerWord; bit < (position + 1) * BitsPerWord; bit++)
            {
                index = (index << 1) | ((bits[bit / 8] >> (7 - (bit % 8))) & 1);
            }
            words[position] = WordList.English[index];
        }
        return words;
    }

    private static void Put(Span<byte> bits, int position, int index)
    {
        for (int i = 0; i < BitsPerWord; i++)
        {
            int bit = (position * BitsPerWord) + i;
            bits[bit / 8] |= (byte)(((index >> (BitsPerWord - 1 - i)) & 1) << (7 - (bit % 8)));
        }
    }

    private static int Checksum(ReadOnlySpan<byte> entropy) => SHA256.HashData(entropy)[0] >> (8 - ChecksumBits);
}

/// <summary>BIP-39's English list: 2,048 words in order.</summary>
internal static class WordList
{
    public static string[] English { get; } = Read();

    private static string[] Read()
    {
        using var stream = typeof(WordList).Assembly.GetManifestResourceStream("english.txt") ?? throw new System.Diagnostics.UnreachableException();
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
