using System.Text.RegularExpressions;

namespace Cloister.Inference.Tokenization;

/// <summary>A pattern of tokenizer.json that cuts text into pieces.</summary>
internal sealed class SplitPattern(string regex)
{
    // From a file: it may be slow on purpose.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Regex _regex = new(regex, RegexOptions.CultureInvariant, Patience);

    public static SplitPattern Literal(string text) => new(Regex.Escape(text));

    /// <summary>All pieces in order: what the pattern matches, and what is between.</summary>
    /// <exception cref="ModelException">The pattern takes too long.</exception>
    public List<string> Cut(string text)
    {
        var pieces = new List<string>();
        int end = 0;
        try
        {
            foreach (var match in _regex.EnumerateMatches(text))
            {
                Add(end, match.Index);
                Add(match.Index, match.Index + match.Length);
                end = match.Index + match.Length;
            }
        }
        catch (RegexMatchTimeoutException)
        {
            // Without the inner exception: that one holds the text.
            throw new ModelException("A pattern of tokenizer.json takes too long.");
        }
        Add(end, text.Length);
        return pieces;

        void Add(int from, int to)
        {
            if (to > from)
            {
                pieces.Add(text[from..to]);
            }
        }
    }
}
