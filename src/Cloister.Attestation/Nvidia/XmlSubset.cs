using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Cloister.Attestation;

/// <summary>Reads the subset of XML 1.0 that NVIDIA writes manifests in (docs/spec/nvidia.md, section 5.1), and refuses the rest.</summary>
/// <remarks>
/// What canonicalisation would have to rewrite is refused instead: entities and character references, comments, processing instructions, CDATA,
/// document types, carriage returns, characters outside of ASCII, <c>xml:</c> attributes. So there is no expansion, nothing is fetched, and the
/// canonical form differs from the text in the order of attributes, in their quotes and in empty elements only.
/// </remarks>
internal ref struct XmlSubset
{
    /// <summary>In bytes. NVIDIA's manifests are under 24 KiB.</summary>
    public const int MaxSize = 256 * 1024;

    private const int MaxDepth = 12;
    private const int MaxElements = 2048;
    private const int MaxAttributes = 128;
    private const int MaxName = 64;

    private static readonly string[] XmlDeclarations =
        [.. from quote in (string[])["\"", "'"] from encoding in (string[])["UTF-8", "utf-8"] select $"<?xml version={quote}1.0{quote} encoding={quote}{encoding}{quote}?>"];

    private static readonly SearchValues<byte> NameStart = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"u8);
    private static readonly SearchValues<byte> NameRest = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.-"u8);

    private readonly ReadOnlySpan<byte> _source;
    private int _offset;
    private int _elements;

    private XmlSubset(ReadOnlySpan<byte> source) => _source = source;

    public static bool TryParse(ReadOnlySpan<byte> source, [NotNullWhen(true)] out XmlElement? root)
    {
        root = null;
        if (source.Length > MaxSize)
        {
            return false;
        }
        try
        {
            root = new XmlSubset(source).Document();
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public static void Require([DoesNotReturnIf(false)] bool holds)
    {
        if (!holds)
        {
            throw new FormatException("Outside of the subset of XML.");
        }
    }

    private XmlElement Document()
    {
        foreach (string declaration in XmlDeclarations)
        {
            if (TryTake(Encoding.ASCII.GetBytes(declaration)))
            {
                break;
            }
        }
        SkipWhiteSpace();
        var root = Element(null, 1);
        SkipWhiteSpace();
        Require(_offset == _source.Length);
        return root;
    }

    private XmlElement Element(XmlElement? parent, int depth)
    {
        Require(depth <= MaxDepth && ++_elements <= MaxElements);
        Expect("<"u8);
        var (prefix, localName) = QualifiedName();
        var element = new XmlElement(parent, prefix, localName);
        while (SkipWhiteSpace() && !At((byte)'/') && !At((byte)'>'))
        {
            Attribute(element);
        }
        element.Resolve();

        if (!TryTake("/>"u8))
        {
            Expect(">"u8);
            ReadContent(element, depth);
            SkipWhiteSpace();
            Expect(">"u8);
        }
        return element;
    }

    private void ReadContent(XmlElement element, int depth)
    {
        while (true)
        {
            string text = Text();
            if (text.Length > 0)
            {
                element.Content.Add(new XmlContent(text, null));
            }
            if (TryTake("</"u8))
            {
                Require(QualifiedName() == (element.Prefix, element.LocalName));
                return;
            }
            element.Content.Add(new XmlContent(null, Element(element, depth + 1)));
        }
    }

    private void Attribute(XmlElement element)
    {
        Require(element.Attributes.Count + element.Declarations.Count < MaxAttributes);
        var (prefix, localName) = QualifiedName();
        Expect("="u8);
        string value = Value();
        if (prefix == "xmlns" || (prefix.Length == 0 && localName == "xmlns"))
        {
            // An absolute address, and not one of the two that are bound already.
            string declared = prefix.Length == 0 ? "" : localName;
            Require(declared is not ("xml" or "xmlns") && value.Contains(':', StringComparison.Ordinal) && !value.StartsWith("http://www.w3.org/XML/", StringComparison.Ordinal) && !value.StartsWith("http://www.w3.org/2000/xmlns", StringComparison.Ordinal));
            Require(!element.Declarations.Exists(one => one.Prefix == declared));
            element.Declarations.Add((declared, value));
        }
        else
        {
            Require(prefix != "xml");
            element.Attributes.Add(new XmlAttribute(prefix, localName, value));
        }
    }

    private (string Prefix, string LocalName) QualifiedName()
    {
        string first = Name();
        return TryTake(":"u8) ? (first, Name()) : ("", first);
    }

    private string Name()
    {
        var rest = _source[_offset..];
        Require(!rest.IsEmpty && NameStart.Contains(rest[0]));
        int length = rest.IndexOfAnyExcept(NameRest);
        Require(length is > 0 and <= MaxName);
        _offset += length;
        return Encoding.ASCII.GetString(rest[..length]);
    }

    private string Value()
    {
        Require(At((byte)'"') || At((byte)'\''));
        byte quote = _source[_offset++];
        int length = _source[_offset..].IndexOf(quote);
        Require(length >= 0);
        var value = _source.Slice(_offset, length);
        foreach (byte character in value)
        {
            Require(character is >= 0x20 and < 0x7f and not (byte)'<' and not (byte)'&' and not (byte)'"');
        }
        _offset += length + 1;
        return Encoding.ASCII.GetString(value);
    }

    private string Text()
    {
        int length = _source[_offset..].IndexOf((byte)'<');
        Require(length >= 0);
        var text = _source.Slice(_offset, length);
        foreach (byte character in text)
        {
            Require(character is (>= 0x20 and < 0x7f and not (byte)'>' and not (byte)'&') or (byte)'\n' or (byte)'\t');
        }
        _offset += length;
        return Encoding.ASCII.GetString(text);
    }

    private readonly bool At(byte character) => _offset < _source.Length && _source[_offset] == character;

    private bool SkipWhiteSpace()
    {
        int start = _offset;
        while (At((byte)' ') || At((byte)'\n') || At((byte)'\t'))
        {
            _offset++;
        }
        return _offset > start;
    }

    private bool TryTake(ReadOnlySpan<byte> text)
    {
        bool there = _source[_offset..].StartsWith(text);
        _offset += there ? text.Length : 0;
        return there;
    }

    private void Expect(ReadOnlySpan<byte> text) => Require(TryTake(text));
}
