using System.Formats.Asn1;
using System.Text;

namespace Cloister.Transparency;

/// <summary>Who signed, by what Fulcio wrote into the certificate (fulcio, docs/oid-info.md). Null is what it does not say.</summary>
/// <remarks>What a certificate says means nothing before its chain is verified.</remarks>
public sealed record FulcioIdentity
{
    private const string Arc = "1.3.6.1.4.1.57264.1.";
    private const string UserName = Arc + "7";

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The one alternative name of the subject: a URI, an e-mail address or a user name. Null too where there are several.</summary>
    public required string? Subject { get; init; }

    /// <summary>Who vouched for the subject to Fulcio: the newer extension's word where it is there, else the older's.</summary>
    public required string? Issuer { get; init; }

    /// <summary>Owner and name at GitHub, from the older extension.</summary>
    public required string? Repository { get; init; }

    /// <summary>The repository's address.</summary>
    public required string? SourceRepositoryUri { get; init; }

    /// <summary>The branch or tag that was built, the newer extension's word first.</summary>
    public required string? Ref { get; init; }

    /// <summary>The workflow that ran, as <c>address@ref</c>.</summary>
    public required string? BuildSignerUri { get; init; }

    internal static FulcioIdentity Read(SigstoreCertificate certificate) => new()
    {
        Subject = ReadSubject(certificate),
        Issuer = Newer(certificate, 8) ?? (Has(certificate, 8) ? null : Older(certificate, 1)),
        Repository = Older(certificate, 5),
        SourceRepositoryUri = Newer(certificate, 12),
        Ref = Newer(certificate, 14) ?? (Has(certificate, 14) ? null : Older(certificate, 6)),
        BuildSignerUri = Newer(certificate, 9),
    };

    /// <summary>Whether it is there at all: one that cannot be read must not make way for an older one.</summary>
    private static bool Has(SigstoreCertificate certificate, int number) => certificate.TryGetExtension($"{Arc}{number}", out _);

    // The first seven hold the text itself, the later ones a UTF8String.
    private static string? Older(SigstoreCertificate certificate, int number) =>
        certificate.TryGetExtension($"{Arc}{number}", out var value) ? Guarded(() => StrictUtf8.GetString(value)) : null;

    private static string? Newer(SigstoreCertificate certificate, int number) =>
        certificate.TryGetExtension($"{Arc}{number}", out var value) ? Guarded(() => ReadWhole(value)) : null;

    private static string ReadWhole(byte[] value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        string text = reader.ReadCharacterString(UniversalTagNumber.UTF8String);
        reader.ThrowIfNotEmpty();
        return text;
    }

    // RFC 5280, section 4.2.1.6.
    private static string? ReadSubject(SigstoreCertificate certificate) =>
        certificate.TryGetExtension(SigstoreCertificate.SubjectAlternativeName, out var value) ? Guarded(() =>
        {
            var reader = new AsnReader(value, AsnEncodingRules.DER);
            var names = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            string? name = ReadName(names);
            names.ThrowIfNotEmpty();
            return name;
        }) : null;

    private static string? ReadName(AsnReader names)
    {
        var tag = names.PeekTag();
        switch (tag.TagClass is TagClass.ContextSpecific ? tag.TagValue : -1)
        {
            case 0:
                var other = names.ReadSequence(tag);
                bool user = other.ReadObjectIdentifier() == UserName;
                var wrapped = other.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
                return user ? wrapped.ReadCharacterString(UniversalTagNumber.UTF8String) : null;
            case 1 or 6:
                return names.ReadCharacterString(UniversalTagNumber.IA5String, tag);
            default:
                return null;
        }
    }

    private static string? Guarded(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is AsnContentException or DecoderFallbackException)
        {
            return null;
        }
    }
}
