using System.Text;

namespace Cloister.Vault.Search;

/// <summary>A word of a text, or a run of a script that puts no spaces between words.</summary>
/// <param name="Folded">Its plain letters.</param>
/// <param name="IsRun">Han, kana, Hangul, Thai, Lao, Burmese or Khmer.</param>
/// <param name="Start">Where it begins in the text.</param>
/// <param name="End">Where it ends.</param>
internal readonly record struct Word(string Folded, bool IsRun, int Start, int End);

/// <summary>Cuts a text into words, and words into the terms that the index holds.</summary>
internal static class Words
{
    /// <summary>Longer words are found by their beginning.</summary>
    public const int MaxLength = 32;

    public static IEnumerable<Word> Of(string text)
    {
        var folded = new StringBuilder();
        int start = 0;
        bool isRun = false;
        for (int at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out int length);
            bool run = IsUnspaced(rune.Value);
            bool part = run || Rune.IsLetterOrDigit(rune) || (folded.Length > 0 && IsInside(rune));
            bool ends = folded.Length > 0 && (!part || (run != isRun && !IsInside(rune)));
            if (ends)
            {
                yield return new(folded.ToString(), isRun, start, at);
                folded.Clear();
            }
            if (part)
            {
                (start, isRun) = folded.Length == 0 ? (at, run) : (start, isRun);
                Folding.Append(folded, rune);
            }
            at += length;
        }
        if (folded.Length > 0)
        {
            yield return new(folded.ToString(), isRun, start, text.Length);
        }
    }

    /// <summary>A word is one term; a run is its pairs of letters, and its last letter.</summary>
    public static IEnumerable<string> Terms(Word word)
    {
        if (!word.IsRun)
        {
            return [Cut(word.Folded)];
        }
        var letters = word.Folded.EnumerateRunes().Select(rune => rune.ToString()).ToList();
        return letters.Zip(letters.Skip(1), string.Concat).Append(letters[^1]);
    }

    /// <summary>The beginning of a long word.</summary>
    public static string Cut(string word) =>
        word.Length <= MaxLength ? word : word[..(char.IsHighSurrogate(word[MaxLength - 1]) ? MaxLength - 1 : MaxLength)];

    private static bool IsInside(Rune rune) => Folding.IsMark(rune.Value) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    private static bool IsUnspaced(int value) => value switch
    {
        < 0x0E00 => false,
        <= 0x0EFF => true,                                         // Thai, Lao
        >= 0x1000 and <= 0x109F or >= 0x1780 and <= 0x17FF => true, // Burmese, Khmer
        >= 0x1100 and <= 0x11FF => true,                            // Hangul
        0x3005 or 0x3007 or >= 0x3041 and <= 0x3096 or >= 0x309D and <= 0x309F or >= 0x30A1 and <= 0x30FA or >= 0x30FC and <= 0x30FF => true,
        >= 0x31F0 and <= 0x31FF or >= 0x3400 and <= 0x4DBF or >= 0x4E00 and <= 0x9FFF or >= 0xAC00 and <= 0xD7AF => true,
        >= 0xF900 and <= 0xFAFF or >= 0x20000 and <= 0x3134F => true,
        _ => false,
    };
}
