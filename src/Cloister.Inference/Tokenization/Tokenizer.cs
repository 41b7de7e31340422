using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cloister.Inference.Tokenization;

/// <summary>Text to token ids and back, as a Hugging Face <c>tokenizer.json</c> of type BPE says: byte-level (GPT-2, Llama 3, Qwen) or with ▁ and byte fallback (Llama 2, Mistral, Gemma).</summary>
public sealed class Tokenizer
{
    private const string GptPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const char Space = '\u2581';
    private static readonly TimeSpan PatternPatience = TimeSpan.FromSeconds(2);
    private static readonly string[] ByteSymbols = MakeByteSymbols();

    private readonly FrozenDictionary<string, int> _ids;
    private readonly byte[][] _bytes;
    private readonly FrozenDictionary<string, int> _special;
    private readonly SearchValues<string> _specialNames;
    private readonly BytePairs _pairs;
    private readonly List<Regex> _splits = [];
    private readonly bool _byteLevel;
    private readonly bool _byteFallback;
    private readonly bool _ignoreMerges;
    private readonly bool _prefixSpace;
    private readonly int? _unknown;

    private Tokenizer(JsonObject json)
    {
        var model = json["model"] as JsonObject ?? throw new ModelException("tokenizer.json has no model.");
        if ((string?)model["type"] is { } type && type != "BPE")
        {
            throw new ModelException($"tokenizer.json is of type {type}; only BPE is known.");
        }

        var vocabulary = (model["vocab"] as JsonObject ?? throw new ModelException("tokenizer.json has no vocabulary.")).ToDictionary(entry => entry.Key, entry => entry.Value!.GetValue<int>());
        var added = (json["added_tokens"] as JsonArray ?? []).OfType<JsonObject>().ToDictionary(token => token["content"]!.GetValue<string>(), token => token["id"]!.GetValue<int>());
        _ids = vocabulary.ToFrozenDictionary();
        _special = added.ToFrozenDictionary();
        _specialNames = SearchValues.Create([.. added.Keys.Where(name => name.Length > 0)], StringComparison.Ordinal);
        _pairs = new BytePairs(ReadMerges(model["merges"] as JsonArray ?? []));
        _byteFallback = (bool?)model["byte_fallback"] ?? false;
        _ignoreMerges = (bool?)model["ignore_merges"] ?? false;
        _unknown = (string?)model["unk_token"] is { } unknown && vocabulary.TryGetValue(unknown, out int id) ? id : null;

        foreach (var step in Steps(json["pre_tokenizer"], "pretokenizers"))
        {
            switch ((string?)step["type"])
            {
                case "ByteLevel":
                    _byteLevel = true;
                    _prefixSpace |= (bool?)step["add_prefix_space"] ?? false;
                    if ((bool?)step["use_regex"] ?? true)
                    {
                        _splits.Add(Pattern(GptPattern));
                    }
                    break;
                case "Split":
                    _splits.Add(Pattern((string?)step["pattern"]?["Regex"] ?? Regex.Escape((string?)step["pattern"]?["String"] ?? " ")));
                    break;
                case "Metaspace":
                    _prefixSpace = (string?)step["prepend_scheme"] is { } scheme ? scheme != "never" : (bool?)step["add_prefix_space"] ?? true;
                    break;
                case "Digits":
                    _splits.Add(Pattern((bool?)step["individual_digits"] ?? false ? @"\p{N}|\P{N}+" : @"\p{N}+|\P{N}+"));
                    break;
                case { } other:
                    throw new ModelException($"tokenizer.json splits text by {other}, which is not known.");
            }
        }
        _prefixSpace |= Steps(json["normalizer"], "normalizers").Any(step => (string?)step["type"] == "Prepend");

        int size = Math.Max(vocabulary.Values.DefaultIfEmpty(-1).Max(), added.Values.DefaultIfEmpty(-1).Max()) + 1;
        _bytes = new byte[size][];
        Array.Fill(_bytes, []);
        foreach (var (token, tokenId) in vocabulary)
        {
            _bytes[tokenId] = BytesOf(token);
        }
        foreach (var (token, tokenId) in added)
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
        catch (Exception e) when (e is InvalidOperationException or FormatException or ArgumentException or KeyNotFoundException or NullReferenceException or OverflowException or IndexOutOfRangeException or OutOfMemoryException)
        {
            throw new ModelException("tokenizer.json is malformed.", e);
        }
    }

    /// <summary>The id of a token that stands for itself, such as an end of turn.</summary>
    public int? SpecialId(string token) => _special.TryGetValue(token, out int id) || _ids.TryGetValue(token, out id) ? id : null;

    /// <summary>True where the id is a token that stands for itself and is not text.</summary>
    public bool IsSpecial(int id) => _special.Values.Contains(id);

    /// <summary>The bytes that a token stands for. A code point may be spread over several tokens.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => (uint)id < (uint)_bytes.Length ? _bytes[id] : [];

    /// <summary>Text that a person wrote: what looks like a special token in it is text.</summary>
    /// <param name="atStart">The text stands at the very beginning, where some tokenizers put a space before.</param>
    public void Encode(string text, List<int> ids, bool atStart)
    {
        if (text.Length == 0)
        {
            return;
        }
        text = text.Normalize(NormalizationForm.FormC) is var composed && _byteLevel ? composed : text;
        if (_byteLevel)
        {
            string prefixed = _prefixSpace && atStart && text[0] != ' ' ? " " + text : text;
            foreach (string piece in Split(prefixed))
            {
                EncodeSymbols(string.Concat(Encoding.UTF8.GetBytes(piece).Select(one => ByteSymbols[one])), ids);
            }
            return;
        }
        EncodeSymbols((_prefixSpace && atStart ? Space.ToString() : "") + text.Replace(' ', Space), ids);
    }

    /// <summary>Text of a template: special tokens in it are special.</summary>
    public void EncodeTemplate(string text, List<int> ids, bool atStart)
    {
        while (text.Length > 0)
        {
            int at = text.AsSpan().IndexOfAny(_specialNames);
            Encode(at < 0 ? text : text[..at], ids, atStart);
            if (at < 0)
            {
                return;
            }
            string name = _special.Keys.Where(key => key.Length > 0 && text.AsSpan(at).StartsWith(key, StringComparison.Ordinal)).MaxBy(key => key.Length)!;
            ids.Add(_special[name]);
            text = text[(at + name.Length)..];
            atStart = false;
        }
    }

    /// <summary>The text of whole tokens. What is no UTF-8 becomes U+FFFD.</summary>
    public string Decode(IEnumerable<int> ids)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (int id in ids)
        {
            bytes.Write(BytesOf(id));
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private IEnumerable<string> Split(string text)
    {
        IEnumerable<string> pieces = [text];
        foreach (var split in _splits)
        {
            pieces = pieces.SelectMany(piece => Cut(split, piece));
        }
        return pieces;
    }

    // What a pattern does not match is a piece too.
    private static IEnumerable<string> Cut(Regex pattern, string text)
    {
        int end = 0;
        foreach (var match in pattern.EnumerateMatches(text).ToRanges())
        {
            if (match.Start > end)
            {
                yield return text[end..match.Start];
            }
            if (match.End > match.Start)
            {
                yield return text[match.Start..match.End];
            }
            end = match.End;
        }
        if (end < text.Length)
        {
            yield return text[end..];
        }
    }

    private void EncodeSymbols(string symbols, List<int> ids)
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
                ids.AddRange(Encoding.UTF8.GetBytes(token).Select(one => _ids.GetValueOrDefault($"<0x{one:X2}>", _unknown ?? 0)));
            }
            else if (_unknown is { } unknown)
            {
                ids.Add(unknown);
            }
        }
    }

    private byte[] BytesOf(string token)
    {
        if (_byteLevel)
        {
            return [.. token.EnumerateRunes().SelectMany(rune => Array.IndexOf(ByteSymbols, rune.ToString()) is >= 0 and var one ? [(byte)one] : Encoding.UTF8.GetBytes(rune.ToString()))];
        }
        bool isByte = _byteFallback && token is ['<', '0', 'x', _, _, '>'];
        return isByte && byte.TryParse(token.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out byte value) ? [value] : Encoding.UTF8.GetBytes(token.Replace(Space, ' '));
    }

    private static Dictionary<(string, string), int> ReadMerges(JsonArray merges)
    {
        var ranks = new Dictionary<(string, string), int>(merges.Count);
        foreach (var merge in merges)
        {
            // "a b", or since 2024 ["a", "b"].
            var (left, right) = merge is JsonArray pair
                ? (pair[0]!.GetValue<string>(), pair[1]!.GetValue<string>())
                : merge!.GetValue<string>() is var text && text.IndexOf(' ', 1) is > 0 and var at ? (text[..at], text[(at + 1)..]) : throw new ModelException("tokenizer.json has a merge that is not a pair.");
            ranks.TryAdd((left, right), ranks.Count);
        }
        return ranks;
    }

    private static IEnumerable<JsonObject> Steps(JsonNode? node, string list) => node switch
    {
        JsonObject { } sequence when (string?)sequence["type"] == "Sequence" => (sequence[list] as JsonArray ?? []).OfType<JsonObject>(),
        JsonObject single => [single],
        _ => [],
    };

    // From a file: it may be slow on purpose.
    private static Regex Pattern(string pattern) => new(pattern, RegexOptions.CultureInvariant, PatternPatience);

    // GPT-2's printable stand-in for each byte.
    private static string[] MakeByteSymbols()
    {
        var symbols = new string[256];
        int extra = 0;
        for (int one = 0; one < 256; one++)
        {
            bool printable = one is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            symbols[one] = ((char)(printable ? one : 0x100 + extra++)).ToString();
        }
        return symbols;
    }
}

file static class Matches
{
    // The enumerator is a ref struct: its ranges have to leave it before they can be yielded.
    public static List<(int Start, int End)> ToRanges(this Regex.ValueMatchEnumerator matches)
    {
        var ranges = new List<(int, int)>();
        foreach (var match in matches)
        {
            ranges.Add((match.Index, match.Index + match.Length));
        }
        return ranges;
    }
}
