using System.Text.Json.Nodes;
using Cloister.Inference.Generation;
using Cloister.Inference.Tokenization;

namespace Cloister.Inference.Embeddings;

/// <summary>A whole text as an embedder reads it: its tokens, and around them those that the <c>post_processor</c> of tokenizer.json puts there.</summary>
internal sealed class TextEncoder
{
    private readonly Action<string, TokenList> _encode;
    private readonly List<int> _before = [];
    private readonly List<int> _after = [];

    /// <exception cref="ModelException">The file asks for something that is not known here.</exception>
    public TextEncoder(JsonObject json)
    {
        if (json.Object("model")?.Text("type") == "WordPiece")
        {
            _encode = new WordPieces(json).Encode;
        }
        else
        {
            var tokenizer = Tokenizer.Load(json);
            _encode = (text, ids) => tokenizer.Encode(text, ids, atStart: true);
        }
        foreach (var step in Tokenizer.Steps(json, "post_processor", "processors"))
        {
            AddSurroundings(step);
        }
    }

    public void Encode(string text, TokenList ids)
    {
        _before.ForEach(ids.Add);
        _encode(text, ids);
        _after.ForEach(ids.Add);
    }

    private void AddSurroundings(JsonObject step)
    {
        switch (step.Text("type"))
        {
            case "TemplateProcessing":
                AddTemplate(step);
                break;
            case "BertProcessing" or "RobertaProcessing":
                _before.Add(Tokenizer.CheckedId(step.List("cls").ElementAtOrDefault(1)));
                _after.Add(Tokenizer.CheckedId(step.List("sep").ElementAtOrDefault(1)));
                break;
            case "ByteLevel": // offsets only
                break;
            case var other:
                throw new ModelException($"tokenizer.json surrounds text by {other ?? "nothing"}, which is not known.");
        }
    }

    // [CLS] $A [SEP]: what stands before the text, and what behind it.
    private void AddTemplate(JsonObject step)
    {
        var side = _before;
        foreach (var part in step.Objects("single"))
        {
            if (part.ContainsKey("Sequence"))
            {
                side = _after;
                continue;
            }
            string name = part.Object("SpecialToken")?.Text("id") ?? "";
            var token = step.Object("special_tokens")?.Object(name) ?? throw new ModelException("tokenizer.json surrounds text by a token that it does not name.");
            side.AddRange(token.List("ids").Select(Tokenizer.CheckedId));
        }
    }
}
