using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Cloister.Inference.Generation;
using Cloister.Inference.Tokenization;

namespace Cloister.Inference.Embeddings;

/// <summary>Text to token ids as a tokenizer.json of type WordPiece says (BERT): of each word the longest piece first, from the left.</summary>
internal sealed class WordPieces
{
    private readonly BertText _text;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly int _unknown;
    private readonly string _inside;
    private readonly int _longest;

    public WordPieces(JsonObject json)
    {
        var model = json.Object("model") ?? throw new ModelException("tokenizer.json has no model.");
        var ids = Tokenizer.VocabularyOf(model);
        _text = new BertText(json);
        _ids = ids.ToFrozenDictionary().GetAlternateLookup<ReadOnlySpan<char>>();
        _unknown = ids.TryGetValue(model.Text("unk_token") ?? "[UNK]", out int unknown) ? unknown : throw new ModelException("tokenizer.json has no token for what is unknown.");
        _inside = model.Text("continuing_subword_prefix") ?? "##";
        _longest = model.Whole("max_input_chars_per_word") ?? 100;
    }

    public void Encode(string text, TokenList ids)
    {
        foreach (string word in _text.Words(text))
        {
            EncodeWord(word, ids);
        }
    }

    // A word of which any part is unknown is unknown as a whole.
    private void EncodeWord(string word, TokenList ids)
    {
        var pieces = new List<int>();
        int from = 0;
        while (from < word.Length && word.Length <= _longest && TryTake(word, ref from, out int id))
        {
            pieces.Add(id);
        }
        if (from < word.Length)
        {
            pieces = [_unknown];
        }
        pieces.ForEach(ids.Add);
    }

    private bool TryTake(string word, ref int from, out int id)
    {
        string rest = from == 0 ? word : _inside + word[from..];
        int least = rest.Length - (word.Length - from);
        for (int end = rest.Length; end > least; end--)
        {
            if (_ids.TryGetValue(rest.AsSpan(0, end), out id))
            {
                from += end - least;
                return true;
            }
        }
        id = 0;
        return false;
    }
}
