using System.Text;

namespace Cloister.Attestation;

/// <summary>Canonical XML 1.1 without comments (W3C, section 2), for documents that <see cref="XmlSubset"/> has read.</summary>
/// <remarks>Version 1.0 gives the same bytes: the two differ in <c>xml:</c> attributes, which the subset has none of. Nothing needs escaping in it either.</remarks>
internal static class XmlCanonical
{
    /// <summary>The element and everything in it, but for one child of it and everything in that.</summary>
    public static byte[] Write(XmlElement apex, XmlElement? without = null)
    {
        var text = new StringBuilder(4096);
        Write(text, apex, InScope(apex), without);
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static void Write(StringBuilder text, XmlElement element, List<(string Prefix, string Uri)> declarations, XmlElement? without)
    {
        text.Append('<').Append(element.QualifiedName);
        declarations.Sort((one, other) => string.CompareOrdinal(one.Prefix, other.Prefix));
        foreach (var (prefix, uri) in declarations)
        {
            text.Append(prefix.Length == 0 ? " xmlns" : " xmlns:").Append(prefix).Append("=\"").Append(uri).Append('"');
        }
        foreach (var attribute in element.Attributes)
        {
            text.Append(' ').Append(attribute.QualifiedName).Append("=\"").Append(attribute.Value).Append('"');
        }
        text.Append('>');
        foreach (var content in element.Content)
        {
            text.Append(content.Text);
            if (content.Element is { } child && child != without)
            {
                Write(text, child, New(child), null);
            }
        }
        text.Append("</").Append(element.QualifiedName).Append('>');
    }

    // Around the apex nothing is written, so it carries every declaration that reaches it.
    private static List<(string Prefix, string Uri)> InScope(XmlElement apex)
    {
        var declarations = new List<(string Prefix, string Uri)>();
        for (var element = apex; element is not null; element = element.Parent)
        {
            foreach (var declaration in element.Declarations)
            {
                if (!declarations.Exists(nearer => nearer.Prefix == declaration.Prefix))
                {
                    declarations.Add(declaration);
                }
            }
        }
        return declarations;
    }

    // What the element around it says already is not said again.
    private static List<(string Prefix, string Uri)> New(XmlElement element) =>
        element.Declarations.Count == 0 ? [] : element.Declarations.FindAll(declaration => element.Parent!.Lookup(declaration.Prefix) != declaration.Uri);
}
