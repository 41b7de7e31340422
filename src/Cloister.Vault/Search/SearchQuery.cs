using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Cloister.Vault.Search;

/// <summary>What a person looks for: all of the words, in any order; each may be the beginning of a longer one. Case, accents and widths do not count.</summary>
/// <remarks>A word of one letter is meant as it is. Where a script puts no spaces between words, what was typed must stand there as it was typed.</remarks>
public sealed class SearchQuery
{
    private const int MaxWords = 16;

    // Around what was found: a little before, more after.
    private const int Before = 40;
    private const int After = 120;

    private readonly ImmutableArray<Word> _words;

    private SearchQuery(ImmutableArray<Word> words) => _words = words;

    /// <summary>No words, so nothing is found.</summary>
    public bool IsEmpty => _words.IsEmpty;

    /// <summary>What the index is asked for: a message has all of them.</summary>
    internal IEnumerable<QueryTerm> Terms => _words.SelectMany(TermsOf).Distinct();

    /// <summary>Reads at most the first 16 words of what was typed.</summary>
    public static SearchQuery Parse(string text) => new([.. Words.Of(text).Take(MaxWords)]);

    /// <summary>Whether all words are in a text, for instance a title: titles are not in the index, and what matches there comes first.</summary>
    public bool Matches(string text) => !IsEmpty && Find(text) is not null;

    /// <summary>The piece of a text around the first word that is found; false where not all of them are in it.</summary>
    public bool TryExtract(string text, [NotNullWhen(true)] out Snippet? snippet)
    {
        snippet = IsEmpty || Find(text) is not { } found ? null : Extract(text, found);
        return snippet is not null;
    }

    // Where words of the query stand, in order; null where one is missing.
    private List<Range>? Find(string text)
    {
        if (IsWithout(text))
        {
            return null;
        }
        var found = new List<Range>();
        var missing = _words.ToHashSet();
        foreach (var word in Words.Of(text))
        {
            Range? mark = null;
            foreach (var wanted in _words)
            {
                if (Place(word, wanted) is { } place)
                {
                    missing.Remove(wanted);
                    mark ??= place;
                }
            }
            if (mark is { } range)
            {
                found.Add(range);
            }
        }
        return missing.Count == 0 ? found : null;
    }

    // In a text of ASCII alone words stand as they are, but for case: where one is not contained, nothing else needs to be read. Most titles of a long list are done with so.
    private bool IsWithout(string text) => Ascii.IsValid(text) && _words.Any(word => !text.Contains(Words.Cut(word.Folded), StringComparison.OrdinalIgnoreCase));

    private static Range? Place(Word word, Word wanted)
    {
        if (wanted.IsRun != word.IsRun)
        {
            return null;
        }
        if (!wanted.IsRun)
        {
            bool found = wanted.Folded.Length == 1 ? word.Folded == wanted.Folded : word.Folded.StartsWith(Words.Cut(wanted.Folded), StringComparison.Ordinal);
            return found ? word.Start..word.End : null;
        }
        int at = word.Folded.IndexOf(wanted.Folded, StringComparison.Ordinal);
        bool aligned = word.Folded.Length == word.End - word.Start;
        return at < 0 ? null : aligned ? (word.Start + at)..(word.Start + at + wanted.Folded.Length) : word.Start..word.End;
    }

    private static Snippet Extract(string text, List<Range> found)
    {
        int first = found[0].Start.Value;
        int start = Boundary(text, Math.Max(0, first - Before));
        int end = Boundary(text, Math.Min(text.Length, Math.Max(first, start) + After));
        var marks = found.Where(range => range.Start.Value >= start && range.Start.Value < end)
            .Select(range => (range.Start.Value - start)..(Math.Min(range.End.Value, end) - start));
        return new(text[start..end], [.. marks]);
    }

    // Not in the middle of a character.
    private static int Boundary(string text, int at) => at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) ? at - 1 : at;

    private static IEnumerable<QueryTerm> TermsOf(Word word)
    {
        var terms = Words.Terms(word).ToList();
        return word.IsRun && terms.Count > 1
            ? terms.SkipLast(1).Select(pair => new QueryTerm(pair, false))
            : [new(terms[0], word.IsRun || word.Folded.Length > 1)];
    }
}

/// <summary>A term that a message must hold, or one that begins so.</summary>
internal readonly record struct QueryTerm(string Text, bool IsBeginning)
{
    public byte[] Bytes => Encoding.UTF8.GetBytes(Text);
}
