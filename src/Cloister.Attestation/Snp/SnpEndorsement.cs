using System.Formats.Asn1;

namespace Cloister.Attestation;

/// <summary>What a VCEK or VLEK certificate says of the chip and its firmware (AMD 57230, table 8).</summary>
internal sealed record SnpEndorsement(SnpProduct Product, TcbVersion Tcb, byte[] HardwareId)
{
    private const string Arc = "1.3.6.1.4.1.3704.1.";
    private const string ProductName = Arc + "2";
    private const string BootLoaderSpl = Arc + "3.1";
    private const string TeeSpl = Arc + "3.2";
    private const string SnpSpl = Arc + "3.3";
    private const string MicrocodeSpl = Arc + "3.8";
    private const string FmcSpl = Arc + "3.9";
    private const string HwId = Arc + "4";

    /// <summary>The extensions that are read here. AMD makes none of them critical.</summary>
    public static readonly string[] LookedAt = [ProductName, BootLoaderSpl, TeeSpl, SnpSpl, MicrocodeSpl, FmcSpl, HwId];

    /// <summary>Null where an extension is missing or malformed.</summary>
    public static SnpEndorsement? Read(Certificate certificate, SigningKey kind)
    {
        try
        {
            string name = new AsnReader(Extension(certificate, ProductName), AsnEncodingRules.DER).ReadCharacterString(UniversalTagNumber.IA5String);
            var product = ProductOf(name);
            var tcb = new TcbVersion(
                product is SnpProduct.Turin ? Spl(certificate, FmcSpl) : (byte)0,
                Spl(certificate, BootLoaderSpl), Spl(certificate, TeeSpl), Spl(certificate, SnpSpl), Spl(certificate, MicrocodeSpl));
            return new SnpEndorsement(product, tcb, kind is SigningKey.Vcek ? HardwareIdOf(certificate) : []);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    // The name may carry a stepping behind a dash: "Milan-B0".
    private static SnpProduct ProductOf(string name) => name.Split('-')[0] switch
    {
        "Milan"                        => SnpProduct.Milan,
        "Genoa" or "Siena" or "Bergamo" => SnpProduct.Genoa,
        "Turin"                        => SnpProduct.Turin,
        _                              => SnpProduct.Unknown,
    };

    private static byte Spl(Certificate certificate, string oid)
    {
        var reader = new AsnReader(Extension(certificate, oid), AsnEncodingRules.DER);
        Certificate.Require(reader.TryReadInt32(out int value) && value is >= 0 and <= 255, oid);
        reader.ThrowIfNotEmpty();
        return (byte)value;
    }

    // 64 bytes, 8 since Turin; AMD writes them bare, without an OCTET STRING of their own.
    private static byte[] HardwareIdOf(Certificate certificate)
    {
        byte[] value = Extension(certificate, HwId);
        Certificate.Require(value.Length is 64 or 8, HwId);
        return value;
    }

    private static byte[] Extension(Certificate certificate, string oid) =>
        certificate.TryGetExtension(oid, out var value) ? value : throw new AsnContentException(oid);
}
