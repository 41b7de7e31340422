using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Inference.Generation;

namespace Cloister.Inference.Tokenization;

/// <summary>Text to token ids and back, as a Hugging Face <c>tokenizer.json</c> of type BPE says: byte-level (GPT-2, Llama 3, Qwen) or with ▁ and byte fallback (Llama 2, Mistral, Gemma).</summary>
internal sealed class Tokenizer
{
    // No vocabulary comes near; a larger id would only make us allocate.
    private const int MaxTokens = 4 * 1024 * 1024;
    private const string GptPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const char Space = '\u2581';

    private readonly FrozenDictionary<string, int> _ids;
    private readonly AddedTokens _added;
    private readonly byte[][] _bytes;
    private readonly BytePairs _pairs;
    private readonly List<SplitPattern> _splits = [];
    private readonly bool _byteFallback;
    private readonly bool _ignoreMerges;
    private readonly int? _unknown;
    private bool _byteLevel;
    private bool _prefixSpace;

    private Tokenizer(JsonObject json)
    {
        var model = json.Object("model") ?? throw new ModelException("tokenizer.json has no model.");
        if (model.Text("type") is { } type && type != "BPE")
        {
            throw new ModelException($"tokenizer.json is of type {type}; only BPE is known.");
        }

        _ids = VocabularyOf(model).ToFrozenDictionary();
        _added = new AddedTokens(json);
        _pairs = new BytePairs(ReadMerges(model.List("merges")));
        _byteFallback = model.Flag("byte_fallback") ?? false;
        _ignoreMerges = model.Flag("ignore_merges") ?? false;
        _unknown = model.Text("unk_token") is { } unknown && _ids.TryGetValue(unknown, out int id) ? id : null;
        foreach (var step in Steps(json, "pre_tokenizer", "pretokenizers"))
        {
            AddSplit(step);
        }
        foreach (var step in Steps(json, "normalizer", "normalizers"))
        {
            AddNormalizer(step);
        }

        _bytes = new byte[_ids.Values.Concat(_added.Ids.Values).DefaultIfEmpty(-1).Max() + 1][];
        Array.Fill(_bytes, []);
        foreach (var (token, tokenId) in _ids)
        {
            _bytes[tokenId] = MakeBytes(token);
        }
        foreach (var (token, tokenId) in _added.Ids)
        {
            _bytes[tokenId] = Encoding.UTF8.GetBytes(token);
        }
    }

    /// <summary>One more than the largest id.</summary>
    public int Size => _bytes.Length;

    /// <exception cref="ModelException">The file asks for something that is not known here, or is malformed.</exception>
    public static Tokenizer Load(ModelFolder folder) => Load(folder.Tokenizer);

    internal static Tokenizer Load(JsonObject json)
    {
        try
        {
            return new Tokenizer(json);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new ModelException("tokenizer.json is malformed.", e);
        }
    }

    /// <summary>The id of a token that stands for itself, such as an end of turn.</summary>
    public int? SpecialId(string token) => _added.Ids.TryGetValue(token, out int id) || _ids.TryGetValue(token, out id) ? id : null;

    /// <summary>True where the id is a marker and no text. An added token that is not special is text.</summary>
    public bool IsSpecial(int id) => _added.IsSpecial(id);

    /// <summary>The bytes that a token stands for. A code point may be spread over several tokens.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => (uint)id < (uint)_bytes.Length ? _bytes[id] : [];

    /// <summary>Text that a person wrote: what looks like a special token in it is text.</summary>
    /// <param name="atStart">The text stands at the very beginning, where some tokenizers put a space before.</param>
    public void Encode(string text, TokenList ids, bool atStart)
    {
        if (text.Length == 0)
        {
            return;
        }
        if (!_byteLevel)
        {
            EncodeSymbols((_prefixSpace && atStart ? Space.ToString() : "") + text.Replace(' ', Space), ids);
            return;
        }
        IEnumerable<string> pieces = [_prefixSpace && atStart && text[0] != ' ' ? " " + text : text];
        foreach (string piece in _splits.Aggregate(pieces, (pieces, split) => pieces.SelectMany(split.Cut)))
        {
            EncodeSymbols(ByteLevel.Write(piece), ids);
        }
    }

    /// <summary>Text of a template: special tokens in it are special.</summary>
    public void EncodeTemplate(string text, TokenList ids, bool atStart)
    {
        while (_added.TryFind(text, out int at, out string name))
        {
            Encode(text[..at], ids, atStart);
            ids.Add(_added.Ids[name]);
            text = text[(at + name.Length)..];
            atStart = false;
        }
        Encode(text, ids, atStart);
    }

    /// <summary>The text of whole tokens. What is no UTF-8 becomes U+FFFD.</summary>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (int id in ids)
        {
            bytes.Write(BytesOf(id));
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    internal static int CheckedId(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out int id) && id is >= 0 and < MaxTokens ? id : throw new ModelException($"tokenizer.json has a token whose id is not between 0 and {MaxTokens - 1}.");

    internal static Dictionary<string, int> VocabularyOf(JsonObject model) =>
        (model.Object("vocab") ?? throw new ModelException("tokenizer.json has no vocabulary.")).ToDictionary(entry => entry.Key, entry => CheckedId(entry.Value));

    internal static IEnumerable<JsonObject> Steps(JsonObject json, string name, string list) =>
        json.Object(name) is not { } step ? [] : step.Text("type") == "Sequence" ? step.Objects(list) : [step];

    private void AddSplit(JsonObject step)
    {
        switch (step.Text("type"))
        {
            case "ByteLevel":
                _byteLevel = true;
                _prefixSpace |= step.Flag("add_prefix_space") ?? false;
                if (step.Flag("use_regex") ?? true)
                {
                    _splits.Add(new SplitPattern(GptPattern));
                }
                break;
            case "Split":
                var pattern = step.Object("pattern") ?? throw new ModelException("tokenizer.json splits text without a pattern.");
                _splits.Add(pattern.Text("Regex") is { } regex ? new SplitPattern(regex) : SplitPattern.Literal(pattern.Text("String") ?? " "));
                break;
            case "Metaspace":
                _prefixSpace = step.Text("prepend_scheme") is { } scheme ? scheme != "never" : step.Flag("add_prefix_space") ?? true;
                break;
            case "Digits":
                _splits.Add(new SplitPattern(step.Flag("individual_digits") ?? false ? @"\p{N}|\P{N}+" : @"\p{N}+|\P{N}+"));
                break;
            case var other:
                throw new ModelException($"tokenizer.json splits text by {other ?? "nothing"}, which is not known.");
        }
    }

    private void AddNormalizer(JsonObject step)
    {
        switch (step.Text("type"))
        {
            case "Prepend":
                _prefixSpace = true;
                break;
            case "Replace" when step.Object("pattern")?.Text("String") == " " && step.Text("content") == Space.ToString():
            case "NFC": // what people type is composed already, and nothing here could compose it (docs/limitations.md)
                break;
            case var other:
                throw new ModelException($"tokenizer.json normalises text by {other ?? "nothing"}, which is not known.");
        }
    }

    private void EncodeSymbols(string symbols, TokenList ids)
    {
        if (_ignoreMerges && _ids.TryGetValue(symbols, out int whole))
        {
            ids.Add(whole);
            return;
        }

        foreach (string token in _pairs.Join([.. symbols.EnumerateRunes().Select(rune => rune.ToString())]))
        {
            if (_ids.TryGetValue(token, out int id))
            {
                ids.Add(id);
            }
            else if (_byteFallback)
            {
                foreach (byte one in Encoding.UTF8.GetBytes(token))
                {
                    ids.Add(_ids.GetValueOrDefault($"<0x{one:X2}>", _unknown ?? 0));
                }
            }
            else if (_unknown is { } unknown)
            {
                ids.Add(unknown);
            }
        }
    }

    private byte[] MakeBytes(string token)
    {
        if (_byteLevel)
        {
            return ByteLevel.Read(token);
        }
        bool isByte = _byteFallback && token is ['<', '0', 'x', _, _, '>'];
        return isByte && byte.TryParse(token.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out byte value) ? [value] : Encoding.UTF8.GetBytes(token.Replace(Space, ' '));
    }

    private static Dictionary<(string, string), int> ReadMerges(JsonArray merges)
    {
        var ranks = new Dictionary<(string, string), int>(merges.Count);
        foreach (var merge in merges)
        {
            ranks.TryAdd(ReadMerge(merge), ranks.Count);
        }
        return ranks;
    }

    // "a b", or since 2024 ["a", "b"].
    private static (string, string) ReadMerge(JsonNode? merge)
    {
        string[] pair = merge switch
        {
            JsonArray { Count: 2 } both => [both[0]!.GetValue<string>(), both[1]!.GetValue<string>()],
            JsonValue text when text.TryGetValue(out string? joined) && joined.Length > 2 && joined.IndexOf(' ', 1) is > 0 and var at => [joined[..at], joined[(at + 1)..]],
            _ => throw new ModelException("tokenizer.json has a merge that is not a pair."),
        };
        return (pair[0], pair[1]);
    }
}
