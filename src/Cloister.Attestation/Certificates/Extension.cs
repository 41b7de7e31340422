using System.Formats.Asn1;

namespace Cloister.Attestation;

/// <summary>An extension of a certificate or of a list of revoked ones (RFC 5280, sections 4.2 and 5.2).</summary>
/// <param name="Critical">Whoever made it wants that refused which does not heed it.</param>
internal sealed record Extension(bool Critical, byte[] Value)
{
    private const int MaxCount = 32;

    /// <summary>Those of a SEQUENCE, by their names, none twice.</summary>
    public static Dictionary<string, Extension> ReadAll(AsnReader list)
    {
        var extensions = new Dictionary<string, Extension>();
        while (list.HasData)
        {
            var (name, extension) = Read(list);
            Certificate.Require(extensions.Count < MaxCount && extensions.TryAdd(name, extension), "extensions");
        }
        return extensions;
    }

    /// <summary>Passes over those of a SEQUENCE, of which none is looked at: so none may be critical.</summary>
    public static void SkipAll(AsnReader list)
    {
        while (list.HasData)
        {
            Certificate.Require(!Read(list).Extension.Critical, "critical extension");
        }
    }

    private static (string Name, Extension Extension) Read(AsnReader list)
    {
        var extension = list.ReadSequence();
        string name = extension.ReadObjectIdentifier();
        bool critical = extension.PeekTag() == Asn1Tag.Boolean && extension.ReadBoolean();
        byte[] value = extension.ReadOctetString();
        extension.ThrowIfNotEmpty();
        return (name, new Extension(critical, value));
    }
}
