namespace Cloister.Attestation;

/// <summary>An element of a document in the subset of XML that <see cref="XmlSubset"/> reads.</summary>
internal sealed class XmlElement(XmlElement? parent, string prefix, string localName)
{
    public XmlElement? Parent { get; } = parent;

    public string Prefix { get; } = prefix;

    public string LocalName { get; } = localName;

    /// <summary>Empty where the element is in no namespace.</summary>
    public string Namespace { get; private set; } = "";

    public string QualifiedName => Prefix.Length == 0 ? LocalName : $"{Prefix}:{LocalName}";

    public List<(string Prefix, string Uri)> Declarations { get; } = [];

    public List<XmlAttribute> Attributes { get; } = [];

    /// <summary>Text and elements in their order.</summary>
    public List<XmlContent> Content { get; } = [];

    public bool Is(string uri, string localName) => LocalName == localName && Namespace == uri;

    /// <summary>The value, or null where there is no such attribute.</summary>
    public string? Attribute(string localName, string uri = "")
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.LocalName == localName && attribute.Namespace == uri)
            {
                return attribute.Value;
            }
        }
        return null;
    }

    /// <summary>The children, if there is nothing but white space between them.</summary>
    public List<XmlElement> Children()
    {
        var children = new List<XmlElement>();
        foreach (var content in Content)
        {
            if (content.Element is { } child)
            {
                children.Add(child);
            }
            else
            {
                XmlSubset.Require(string.IsNullOrWhiteSpace(content.Text));
            }
        }
        return children;
    }

    /// <summary>The text of an element that holds nothing else.</summary>
    public string Text()
    {
        XmlSubset.Require(Content is [{ Text: not null }]);
        return Content[0].Text!;
    }

    /// <summary>The address that a prefix stands for here, or null.</summary>
    public string? Lookup(string prefix)
    {
        for (var element = this; element is not null; element = element.Parent)
        {
            foreach (var (declared, uri) in element.Declarations)
            {
                if (declared == prefix)
                {
                    return uri;
                }
            }
        }
        return null;
    }

    /// <summary>Once all of the start tag is read: an attribute may stand before the declaration of its prefix.</summary>
    public void Resolve()
    {
        XmlSubset.Require(Lookup(Prefix) is not null || Prefix.Length == 0);
        Namespace = Lookup(Prefix) ?? "";
        for (int i = 0; i < Attributes.Count; i++)
        {
            if (Attributes[i].Prefix is { Length: > 0 } prefixed)
            {
                XmlSubset.Require(Lookup(prefixed) is not null);
                Attributes[i] = Attributes[i] with { Namespace = Lookup(prefixed)! };
            }
        }
        Attributes.Sort(XmlAttribute.InCanonicalOrder);
        for (int i = 1; i < Attributes.Count; i++)
        {
            XmlSubset.Require(XmlAttribute.InCanonicalOrder(Attributes[i - 1], Attributes[i]) != 0);
        }
    }
}

/// <summary>Either text or an element.</summary>
internal readonly record struct XmlContent(string? Text, XmlElement? Element);

/// <param name="Namespace">Empty without a prefix: a default namespace is not an attribute's.</param>
internal readonly record struct XmlAttribute(string Prefix, string LocalName, string Value, string Namespace = "")
{
    public string QualifiedName => Prefix.Length == 0 ? LocalName : $"{Prefix}:{LocalName}";

    /// <summary>Canonical XML 1.1, section 2.2: by namespace, then by local name. Two that compare equal are the same attribute twice.</summary>
    public static int InCanonicalOrder(XmlAttribute one, XmlAttribute other) =>
        string.CompareOrdinal(one.Namespace, other.Namespace) is not 0 and var order ? order : string.CompareOrdinal(one.LocalName, other.LocalName);
}
