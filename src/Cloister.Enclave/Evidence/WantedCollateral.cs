using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Enclave.Evidence;

/// <summary>What an enclave needs of its machine's makers, told to the host (docs/spec/collateral.md, section 1). Nothing in it is secret: the host knows its machine.</summary>
public sealed partial record WantedCollateral
{
    public const string FileName = "wanted.json";

    /// <summary>In bytes.</summary>
    public const int MaxSize = 256 * 1024;

    private const int CurrentVersion = 1;
    private const int MaxManifests = 64;
    private const int MaxChains = 32;

    public int Version { get; init; } = CurrentVersion;

    public SnpWant? Snp { get; init; }

    public TdxWant? Tdx { get; init; }

    public NvidiaWant? Nvidia { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, CollateralFiles.Default.WantedCollateral);

    /// <summary>Reads it strictly. What is read names nothing but things that a maker's service could have: no address can be made of it that leads elsewhere.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out WantedCollateral? wanted)
    {
        wanted = json.Length <= MaxSize ? CollateralFiles.Read(json, CollateralFiles.Default.WantedCollateral) : null;
        if (wanted is not { Version: CurrentVersion } || !(wanted.Snp?.IsWellFormed() ?? true) || !(wanted.Tdx?.IsWellFormed() ?? true) || !IsWellFormed(wanted.Nvidia))
        {
            wanted = null;
        }
        return wanted is not null;
    }

    private static bool IsWellFormed(NvidiaWant? nvidia) =>
        nvidia is null
        || (!nvidia.Manifests.IsDefault && nvidia.Manifests.Length <= MaxManifests && nvidia.Manifests.All(id => id is not null && ManifestId.IsMatch(id)) && nvidia.Manifests.Distinct().Count() == nvidia.Manifests.Length
            && !nvidia.Chains.IsDefault && nvidia.Chains.Length <= MaxChains && !nvidia.Chains.Contains(null!));

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\z")]
    private static partial Regex ManifestId { get; }
}

/// <summary>An SEV-SNP chip and its firmware, as AMD's key distribution service names them (AMD 57230, section 4).</summary>
public sealed record SnpWant
{
    /// <summary>Whose key signs the reports. AMD hands out no certificate of a VLEK; then only what is above it is wanted.</summary>
    public required SigningKey Key { get; init; }

    public required SnpProduct Product { get; init; }

    /// <summary>64 bytes in lower-case hex; null with a VLEK, as is the version.</summary>
    public string? ChipId { get; init; }

    /// <summary>The firmware that the reports are signed for.</summary>
    public SnpFirmware? Tcb { get; init; }

    public static SnpWant Of(SnpReport report) => report.Signer.Key is SigningKey.Vcek
        ? new SnpWant { Key = SigningKey.Vcek, Product = report.Product, ChipId = Hex.Encode(report.ChipId), Tcb = SnpFirmware.Of(TcbVersion.Read(report.ReportedTcb, report.Product)) }
        : new SnpWant { Key = report.Signer.Key, Product = report.Product };

    internal bool IsWellFormed() =>
        Product is SnpProduct.Milan or SnpProduct.Genoa or SnpProduct.Turin
        && (Key, ChipId, Tcb) switch
        {
            (SigningKey.Vcek, { } chip, not null) => Hex.TryDecode(chip, out var bytes) && bytes.Length == 64,
            (SigningKey.Vlek, null, null)         => true,
            _                                     => false,
        };
}

/// <summary>The security versions of a firmware's parts; a part that a product does not have is zero.</summary>
public sealed record SnpFirmware
{
    public required byte Fmc { get; init; }

    public required byte BootLoader { get; init; }

    public required byte Tee { get; init; }

    public required byte Snp { get; init; }

    public required byte Microcode { get; init; }

    public static SnpFirmware Of(TcbVersion tcb) => new() { Fmc = tcb.Fmc, BootLoader = tcb.BootLoader, Tee = tcb.Tee, Snp = tcb.Snp, Microcode = tcb.Microcode };
}

/// <summary>A TDX processor and who certified it, as Intel's provisioning certification service names them.</summary>
public sealed record TdxWant
{
    /// <summary>6 bytes in lower-case hex.</summary>
    public required string Fmspc { get; init; }

    public required PckAuthority Authority { get; init; }

    /// <exception cref="IOException">The quote's certification data are not the chain of a PCK certificate.</exception>
    public static TdxWant Of(TdxQuote quote, out PckExtensions platform)
    {
        if (quote.CertificationDataType != TdxQuote.PckChain || !PemCertificates.TryParse(quote.CertificationData, out var chain) || chain.Length < 2 || !PckExtensions.TryRead(chain[0], out platform!))
        {
            throw new IOException("The machine's quote carries no chain of a PCK certificate.");
        }
        return new TdxWant { Fmspc = Hex.Encode(platform.Fmspc.Span), Authority = AuthorityOf(chain[1]) };
    }

    internal bool IsWellFormed() => Hex.TryDecode(Fmspc, out var bytes) && bytes.Length == 6 && Authority is not PckAuthority.Unknown;

    // SGX PCK Certificate and CRL Profile Specification, section 1.2: the common name tells the two apart. A wrong answer only brings a list that does not fit.
    private static PckAuthority AuthorityOf(Certificate authority)
    {
        string name = new X500DistinguishedName(authority.Subject.ToArray()).Name;
        return name.Contains("PCK Platform CA", StringComparison.Ordinal) ? PckAuthority.Platform
            : name.Contains("PCK Processor CA", StringComparison.Ordinal) ? PckAuthority.Processor
            : throw new IOException("The machine's PCK certificate is of neither of Intel's two authorities.");
    }
}

/// <summary>Which of Intel's authorities certifies a processor: the one for machines of several sockets, or the other.</summary>
public enum PckAuthority : byte { Unknown, Platform, Processor }

/// <summary>What NVIDIA publishes about the GPUs.</summary>
public sealed record NvidiaWant
{
    /// <summary>Names of reference integrity manifests, such as <c>NV_GPU_DRIVER_GH100_550.144.03</c>.</summary>
    public required ImmutableArray<string> Manifests { get; init; }

    /// <summary>The devices' certificate chains in PEM, each from the device to the root: whether they are revoked is asked of NVIDIA's responder.</summary>
    public required ImmutableArray<string> Chains { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true,
    MaxDepth = 8,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WantedCollateral))]
[JsonSerializable(typeof(SnpSet))]
[JsonSerializable(typeof(TdxSet))]
[JsonSerializable(typeof(NvidiaSet))]
internal sealed partial class CollateralFiles : JsonSerializerContext
{
    /// <summary>Null where the bytes are not exactly one value of the type.</summary>
    public static T? Read<T>(ReadOnlySpan<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }
}
