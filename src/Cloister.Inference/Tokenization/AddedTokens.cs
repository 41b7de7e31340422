using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Cloister.Inference.Tokenization;

/// <summary>The <c>added_tokens</c> of tokenizer.json: tokens that stand for themselves, such as an end of turn. Only special ones are kept out of answers.</summary>
internal sealed class AddedTokens
{
    private readonly FrozenSet<int> _special;
    private readonly SearchValues<string> _names;
    private readonly string[] _longestFirst;

    public AddedTokens(JsonObject tokenizer)
    {
        var special = new HashSet<int>();
        foreach (var token in tokenizer.Objects("added_tokens"))
        {
            int id = Tokenizer.CheckedId(token["id"]);
            Ids[token.Text("content") ?? throw new ModelException("tokenizer.json has an added token without text.")] = id;
            if (token.Flag("special") ?? false)
            {
                special.Add(id);
            }
        }
        Ids.Remove("");
        _special = special.ToFrozenSet();
        _longestFirst = [.. Ids.Keys.OrderByDescending(name => name.Length)];
        _names = SearchValues.Create(_longestFirst, StringComparison.Ordinal);
    }

    public Dictionary<string, int> Ids { get; } = [];

    public bool IsSpecial(int id) => _special.Contains(id);

    /// <summary>The first added token in a text, the longest where several begin there.</summary>
    /// <returns>False where there is none.</returns>
    public bool TryFind(ReadOnlySpan<char> text, out int at, out string name)
    {
        (at, name) = (text.IndexOfAny(_names), "");
        foreach (string candidate in at < 0 ? [] : _longestFirst)
        {
            if (text[at..].StartsWith(candidate, StringComparison.Ordinal))
            {
                name = candidate;
                return true;
            }
        }
        return false;
    }
}
