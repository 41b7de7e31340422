using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Text;

namespace Cloister.Attestation;

/// <summary>What a device's own certificate says of it.</summary>
/// <param name="Chip">As NVIDIA's boot code names it, such as <c>GH100</c> or <c>LS_10</c>.</param>
/// <param name="FirmwareId">SHA-384 of the firmware that holds the key; empty where the certificate does not name it.</param>
internal sealed record NvidiaIdentity(string Chip, string Serial, ReadOnlyMemory<byte> FirmwareId)
{
    private const string AlternativeName = "2.5.29.17";
    private const string DeviceInfo = "1.3.6.1.4.1.412.274.1";      // DMTF DSP0274, id-DMTF-device-info
    private const string CompositeDeviceId = "2.23.133.5.4.1";      // TCG DICE, up to Hopper
    private const string TcbInfo = "2.23.133.5.4.1.1";              // TCG DICE Attestation Architecture, from Blackwell
    private const string Sha384 = "2.16.840.1.101.3.4.2.2";

    /// <summary>The extensions that are read here.</summary>
    public static readonly string[] LookedAt = [AlternativeName, CompositeDeviceId, TcbInfo];

    public static bool TryRead(Certificate leaf, [NotNullWhen(true)] out NvidiaIdentity? identity)
    {
        identity = null;
        try
        {
            if (leaf.TryGetExtension(AlternativeName, out var name) && ReadName(name).Split(':') is ["NVIDIA", { Length: > 0 } chip, { Length: > 0 } serial])
            {
                identity = new NvidiaIdentity(chip, serial, ReadFirmwareId(leaf));
            }
        }
        catch (Exception e) when (e is AsnContentException or FormatException or OverflowException)
        {
            // Not NVIDIA's.
        }
        return identity is not null;
    }

    // GeneralNames ::= SEQUENCE { otherName [0] { type-id OID, value [0] UTF8String "NVIDIA:chip:serial" } }
    private static string ReadName(byte[] value)
    {
        var outer = new AsnReader(value, AsnEncodingRules.DER);
        var names = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var other = names.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        names.ThrowIfNotEmpty();
        Certificate.Require(other.ReadObjectIdentifier() == DeviceInfo, "device information");
        var tagged = other.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0));
        other.ThrowIfNotEmpty();
        string text = tagged.ReadCharacterString(UniversalTagNumber.UTF8String);
        tagged.ThrowIfNotEmpty();
        Certificate.Require(text.Length <= 128 && Ascii.IsValid(text), "device information");
        return text;
    }

    private static ReadOnlyMemory<byte> ReadFirmwareId(Certificate leaf)
    {
        if (leaf.TryGetExtension(CompositeDeviceId, out var composite))
        {
            // SEQUENCE { version INTEGER, deviceID SubjectPublicKeyInfo, fwid FWID }
            var outer = new AsnReader(composite, AsnEncodingRules.DER);
            var id = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            Certificate.Require(id.TryReadInt32(out int version) && version == 1, "version");
            id.ReadSequence();
            byte[] firmware = ReadFwid(id.ReadSequence());
            id.ThrowIfNotEmpty();
            return firmware;
        }
        if (leaf.TryGetExtension(TcbInfo, out var info))
        {
            // SEQUENCE { … fwids [6] IMPLICIT SEQUENCE OF FWID … }
            var outer = new AsnReader(info, AsnEncodingRules.DER);
            var members = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var wanted = new Asn1Tag(TagClass.ContextSpecific, 6);
            while (members.HasData)
            {
                if (members.PeekTag().HasSameClassAndValue(wanted))
                {
                    var list = members.ReadSequence(wanted);
                    byte[] firmware = ReadFwid(list.ReadSequence());
                    list.ThrowIfNotEmpty();
                    return firmware;
                }
                members.ReadEncodedValue();
            }
        }
        return default;
    }

    // FWID ::= SEQUENCE { hashAlg OID, digest OCTET STRING }
    private static byte[] ReadFwid(AsnReader fwid)
    {
        Certificate.Require(fwid.ReadObjectIdentifier() == Sha384, "hash");
        byte[] digest = fwid.ReadOctetString();
        fwid.ThrowIfNotEmpty();
        Certificate.Require(digest.Length == 48, "length");
        return digest;
    }
}
