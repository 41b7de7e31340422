using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.Inference.Embeddings;

/// <summary>What BERT does with text before it looks words up: the normaliser and the pre-tokenizer of that name in tokenizer.json.</summary>
internal sealed class BertText
{
    // Latin small letters behind the letter that is left of them without accents. Others keep theirs (docs/limitations.md).
    private static readonly FrozenDictionary<Rune, Rune> Plain = ((string[])
    [
        "aàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ",
        "eèéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ",
        "oòóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ",
        "uùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự",
        "bḃḅḇ", "cçćĉċčḉ", "dďḋḍḏḑḓ", "fḟ", "gĝğġģǧǵḡ", "hĥȟḣḥḧḩḫẖ", "iìíîïĩīĭįǐȉȋḭḯỉị", "jĵǰ", "kķǩḱḳḵ", "lĺļľḷḹḻḽ", "mḿṁṃ", "nñńņňǹṅṇṉṋ", "pṕṗ", "rŕŗřȑȓṙṛṝṟ", "sśŝşšșṡṣṥṧṩ", "tţťțṫṭṯṱẗ", "vṽṿ", "wŵẁẃẅẇẉẘ", "xẋẍ", "yýÿŷȳẏẙỳỵỷỹ", "zźżžẑẓẕ",
    ]).SelectMany(row => row.EnumerateRunes().Skip(1).Select(accented => KeyValuePair.Create(accented, (Rune)row[0]))).ToFrozenDictionary();

    private readonly bool _cleans;
    private readonly bool _parts;
    private readonly bool _lowers;
    private readonly bool _strips;

    /// <exception cref="ModelException">tokenizer.json asks for something else.</exception>
    public BertText(JsonObject tokenizer)
    {
        if (tokenizer.Object("normalizer") is { } normalizer)
        {
            Require(normalizer, "BertNormalizer", "normalises");
            _cleans = normalizer.Flag("clean_text") ?? true;
            _parts = normalizer.Flag("handle_chinese_chars") ?? true;
            _lowers = normalizer.Flag("lowercase") ?? true;
            _strips = normalizer.Flag("strip_accents") ?? _lowers;
        }
        Require(tokenizer.Object("pre_tokenizer") ?? [], "BertPreTokenizer", "splits");
    }

    /// <summary>Words and single marks of punctuation.</summary>
    public IEnumerable<string> Words(string text)
    {
        var word = new StringBuilder();
        foreach (var one in text.EnumerateRunes())
        {
            if (Normalise(one) is not { } rune)
            {
                continue;
            }
            bool isAlone = IsPunctuation(rune) || (_parts && IsIdeograph(rune.Value));
            if (word.Length > 0 && (isAlone || Rune.IsWhiteSpace(rune)))
            {
                yield return word.ToString();
                word.Clear();
            }
            if (isAlone)
            {
                yield return rune.ToString();
            }
            else if (!Rune.IsWhiteSpace(rune))
            {
                word.Append(rune);
            }
        }
        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }

    private Rune? Normalise(Rune rune)
    {
        if (_cleans && (rune.Value is 0xFFFD || (!Rune.IsWhiteSpace(rune) && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)))
        {
            return null;
        }
        if (_strips && Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark)
        {
            return null;
        }
        var lower = _lowers ? Rune.ToLowerInvariant(rune) : rune;
        return _strips ? Plain.GetValueOrDefault(lower, lower) : lower;
    }

    private static void Require(JsonObject step, string known, string does)
    {
        if (step.Text("type") != known)
        {
            throw new ModelException($"tokenizer.json {does} text by {step.Text("type") ?? "nothing"}; for word pieces only {known} is known.");
        }
    }

    private static bool IsPunctuation(Rune rune) => rune.IsAscii
        ? rune.Value is > 0x20 and < 0x7F && !Rune.IsLetterOrDigit(rune)
        : Rune.IsPunctuation(rune);

    // The blocks that BERT was trained with as single words.
    private static bool IsIdeograph(int point) => point is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B820 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
