using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace Cloister.Attestation;

/// <summary>An X.509 v2 certificate revocation list (RFC 5280, section 5), read strictly.</summary>
/// <remarks>
/// A critical extension makes it a list of something else (section 5.2), so that it is none: but for the name of the place where it is published.
/// Which place that is nobody compares.
/// </remarks>
public sealed class RevocationList
{
    /// <summary>In bytes.</summary>
    public const int MaxSize = 256 * 1024;

    private const string IssuingDistributionPoint = "2.5.29.28";

    private readonly byte[] _signed;
    private readonly byte[] _signature;
    private readonly byte[] _issuer;
    private readonly SignatureAlgorithm _algorithm;
    private readonly HashSet<string> _serials;

    private RevocationList(byte[] signed, SignatureAlgorithm algorithm, byte[] signature, byte[] issuer, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, HashSet<string> serials)
    {
        (_signed, _algorithm, _signature, _issuer, _serials) = (signed, algorithm, signature, issuer, serials);
        (ThisUpdate, NextUpdate) = (thisUpdate, nextUpdate);
    }

    /// <summary>When it was made.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>When the next one is due; after that it says nothing.</summary>
    public DateTimeOffset NextUpdate { get; }

    /// <summary>True where <paramref name="issuer"/> made this list. Says nothing of time.</summary>
    /// <remarks>Where the issuer has a key usage, it names such lists (RFC 5280, section 6.3.3 (f)).</remarks>
    public bool IsSignedBy(Certificate issuer) =>
        _issuer.AsSpan().SequenceEqual(issuer.Subject) && CertificateUse.TryRead(issuer, out var use) && (use.SignsLists || !use.HasUsage)
        && issuer.Key.Verify(_algorithm, _signed, _signature);

    /// <summary>True where the list names <paramref name="certificate"/>'s serial number.</summary>
    public bool Revokes(Certificate certificate) => _serials.Contains(Convert.ToHexStringLower(certificate.Serial));

    public static bool TryParse(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out RevocationList? list)
    {
        list = null;
        if (der.Length > MaxSize)
        {
            return false;
        }
        try
        {
            list = Parse(der);
            return true;
        }
        catch (Exception e) when (e is AsnContentException or FormatException or OverflowException)
        {
            return false;
        }
    }

    private static RevocationList Parse(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();

        byte[] signed = list.PeekEncodedValue().ToArray();
        var tbs = list.ReadSequence();
        byte[] outerAlgorithm = list.PeekEncodedValue().ToArray();
        var algorithm = Algorithms.ReadSignature(list.ReadSequence());
        byte[] signature = Certificate.ReadBits(list);
        list.ThrowIfNotEmpty();

        Certificate.Require(tbs.TryReadInt32(out int version) && version == 1, "version");
        Certificate.Require(tbs.ReadEncodedValue().Span.SequenceEqual(outerAlgorithm), "signature algorithm");
        byte[] issuer = tbs.ReadEncodedValue().ToArray();
        var (thisUpdate, nextUpdate) = (Certificate.ReadTime(tbs), Certificate.ReadTime(tbs));
        var serials = ReadSerials(tbs);
        if (tbs.HasData)
        {
            var tagged = tbs.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
            CheckExtensions(tagged.ReadSequence());
            tagged.ThrowIfNotEmpty();
        }
        tbs.ThrowIfNotEmpty();
        return new RevocationList(signed, algorithm, signature, issuer, thisUpdate, nextUpdate, serials);
    }

    private static void CheckExtensions(AsnReader list)
    {
        foreach (var (name, extension) in Extension.ReadAll(list))
        {
            Certificate.Require(!extension.Critical || (name == IssuingDistributionPoint && IsWhole(extension.Value)), "critical extension");
        }
    }

    // Section 5.2.5: a place alone. Whatever else may be in it says that the list is about a part of the certificates only, or about others' too.
    private static bool IsWhole(byte[] value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var point = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        point.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        return !point.HasData;
    }

    private static HashSet<string> ReadSerials(AsnReader tbs)
    {
        var serials = new HashSet<string>();
        if (tbs.HasData && tbs.PeekTag() == Asn1Tag.Sequence)
        {
            var entries = tbs.ReadSequence();
            while (entries.HasData)
            {
                var entry = entries.ReadSequence();
                serials.Add(Convert.ToHexStringLower(entry.ReadIntegerBytes().Span));
                Certificate.ReadTime(entry);
                if (entry.HasData)
                {
                    Extension.SkipAll(entry.ReadSequence());
                }
                entry.ThrowIfNotEmpty();
            }
        }
        return serials;
    }
}
