using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace Cloister.Attestation;

/// <summary>What a PCK certificate says of the processor and its firmware (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5).</summary>
public sealed record PckExtensions
{
    public const string Oid = "1.2.840.113741.1.13.1";

    private const int Components = 16;

    /// <summary>The platform's identity, 16 bytes.</summary>
    public required ReadOnlyMemory<byte> Ppid { get; init; }

    /// <summary>Security versions of the platform's parts, 16 bytes.</summary>
    public required ReadOnlyMemory<byte> TcbComponents { get; init; }

    public required ushort PceSvn { get; init; }

    /// <summary>The same versions in the processor's own encoding, 16 bytes.</summary>
    public required ReadOnlyMemory<byte> CpuSvn { get; init; }

    /// <summary>2 bytes.</summary>
    public required ReadOnlyMemory<byte> PceId { get; init; }

    /// <summary>Family, model, stepping, platform and custom SKU, 6 bytes.</summary>
    public required ReadOnlyMemory<byte> Fmspc { get; init; }

    public required SgxType Type { get; init; }

    /// <summary>16 bytes for a platform of several processors; empty otherwise.</summary>
    public required ReadOnlyMemory<byte> PlatformInstanceId { get; init; }

    /// <summary>Null where the certificate does not say.</summary>
    public required PckConfiguration? Configuration { get; init; }

    public static bool TryRead(Certificate certificate, [NotNullWhen(true)] out PckExtensions? extensions)
    {
        extensions = null;
        return certificate.TryGetExtension(Oid, out var value) && TryParse(value, out extensions);
    }

    /// <summary>Reads the value of the extension. No member twice, none of the mandatory ones missing; members that are not known are passed over.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out PckExtensions? extensions)
    {
        try
        {
            extensions = Parse(der);
            return true;
        }
        catch (Exception e) when (e is AsnContentException or OverflowException)
        {
            extensions = null;
            return false;
        }
    }

    private static PckExtensions Parse(ReadOnlyMemory<byte> der)
    {
        var members = Members(der, Oid);
        var tcb = Members(Member(members, "2"), $"{Oid}.2");
        var components = new byte[Components];
        for (int i = 0; i < Components; i++)
        {
            components[i] = checked((byte)Number(Member(tcb, $"{i + 1}")));
        }

        return new PckExtensions
        {
            Ppid = Octets(Member(members, "1"), 16),
            TcbComponents = components,
            PceSvn = checked((ushort)Number(Member(tcb, "17"))),
            CpuSvn = Octets(Member(tcb, "18"), 16),
            PceId = Octets(Member(members, "3"), 2),
            Fmspc = Octets(Member(members, "4"), 6),
            Type = TypeOf(Member(members, "5")),
            PlatformInstanceId = members.TryGetValue("6", out var instance) ? Octets(instance, 16) : ReadOnlyMemory<byte>.Empty,
            Configuration = members.TryGetValue("7", out var configuration) ? PckConfiguration.Read(Members(configuration, $"{Oid}.7")) : null,
        };
    }

    // A sequence of pairs: an identifier under this arc, and a value.
    private static Dictionary<string, ReadOnlyMemory<byte>> Members(ReadOnlyMemory<byte> der, string arc)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();

        var members = new Dictionary<string, ReadOnlyMemory<byte>>();
        while (list.HasData)
        {
            var pair = list.ReadSequence();
            string oid = pair.ReadObjectIdentifier();
            var value = pair.ReadEncodedValue();
            pair.ThrowIfNotEmpty();
            Certificate.Require(members.Count < 32 && oid.StartsWith($"{arc}.", StringComparison.Ordinal) && members.TryAdd(oid[(arc.Length + 1)..], value), "SGX extension");
        }
        return members;
    }

    private static ReadOnlyMemory<byte> Member(Dictionary<string, ReadOnlyMemory<byte>> members, string name) =>
        members.TryGetValue(name, out var value) ? value : throw new AsnContentException(name);

    private static byte[] Octets(ReadOnlyMemory<byte> der, int length)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        byte[] octets = reader.ReadOctetString();
        reader.ThrowIfNotEmpty();
        Certificate.Require(octets.Length == length, "length");
        return octets;
    }

    private static int Number(ReadOnlyMemory<byte> der)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        Certificate.Require(reader.TryReadInt32(out int number), "number");
        reader.ThrowIfNotEmpty();
        return number;
    }

    private static SgxType TypeOf(ReadOnlyMemory<byte> der)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        var value = reader.ReadEnumeratedBytes();
        reader.ThrowIfNotEmpty();
        Certificate.Require(value.Span is [<= 2], "SGX type");
        return (SgxType)(value.Span[0] + 1);
    }
}

/// <summary>How the machine's memory is protected.</summary>
public enum SgxType : byte { Unknown, Standard, Scalable, ScalableWithIntegrity }

/// <summary>How the platform is configured. Null where the certificate leaves it open.</summary>
public sealed record PckConfiguration(bool? DynamicPlatform, bool? CachedKeys, bool? SmtEnabled)
{
    internal static PckConfiguration Read(Dictionary<string, ReadOnlyMemory<byte>> members)
    {
        return new PckConfiguration(Flag("1"), Flag("2"), Flag("3"));

        bool? Flag(string name) => members.TryGetValue(name, out var der) ? new AsnReader(der, AsnEncodingRules.DER).ReadBoolean() : null;
    }
}
