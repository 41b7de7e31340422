using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Enclave.Evidence;

/// <summary>What endorses an SEV-SNP chip's reports: one file, so that it is there as a whole or not at all (docs/spec/collateral.md, section 2). Binary parts are DER in base64.</summary>
/// <remarks>It is read and not verified: that is done by whoever appraises the evidence. But every part is what its name says, so nothing else is ever published in its place.</remarks>
public sealed record SnpSet
{
    public const string FileName = "snp.json";

    /// <summary>In bytes.</summary>
    public const int MaxSize = 512 * 1024;

    /// <summary>What it was fetched for.</summary>
    public required SnpWant For { get; init; }

    /// <summary>From the chip's key to the root; with a VLEK the two above it.</summary>
    public required ImmutableArray<string> Certificates { get; init; }

    public required string RevocationList { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, CollateralFiles.Default.SnpSet);

    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out SnpSet? set)
    {
        set = json.Length <= MaxSize ? CollateralFiles.Read(json, CollateralFiles.Default.SnpSet) : null;
        if (set is not null && !(set.For.IsWellFormed() && !set.Certificates.IsDefault && set.Certificates.Length == (set.For.Key is SigningKey.Vcek ? 3 : 2)
            && set.Certificates.All(Der.IsCertificate) && Der.IsRevocationList(set.RevocationList)))
        {
            set = null;
        }
        return set is not null;
    }
}

/// <summary>What endorses a TDX machine's quotes, as <see cref="TdxEvidence"/> carries it: Intel's documents exactly as they were served, issuers in PEM.</summary>
public sealed record TdxSet
{
    public const string FileName = "tdx.json";

    /// <summary>In bytes.</summary>
    public const int MaxSize = 2 * 1024 * 1024;

    public required TdxWant For { get; init; }

    public required string TcbInfo { get; init; }

    public required string TcbInfoIssuers { get; init; }

    public required string QeIdentity { get; init; }

    public required string QeIdentityIssuers { get; init; }

    public required string PckRevocationList { get; init; }

    public required string PckRevocationListIssuers { get; init; }

    public required string RootRevocationList { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, CollateralFiles.Default.TdxSet);

    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out TdxSet? set)
    {
        set = json.Length <= MaxSize ? CollateralFiles.Read(json, CollateralFiles.Default.TdxSet) : null;
        if (set is not null && !(set.For.IsWellFormed()
            && SignedDocument.TryParse(Encoding.UTF8.GetBytes(set.TcbInfo), "tcbInfo", out _) && SignedDocument.TryParse(Encoding.UTF8.GetBytes(set.QeIdentity), "enclaveIdentity", out _)
            && new[] { set.TcbInfoIssuers, set.QeIdentityIssuers, set.PckRevocationListIssuers }.All(Der.IsChain)
            && Der.IsRevocationList(set.PckRevocationList) && Der.IsRevocationList(set.RootRevocationList)))
        {
            set = null;
        }
        return set is not null;
    }
}

/// <summary>What NVIDIA publishes about the GPUs. Manifests and answers are handed on as they were served.</summary>
public sealed record NvidiaSet
{
    public const string FileName = "nvidia.json";

    /// <summary>In bytes.</summary>
    public const int MaxSize = 3 * 1024 * 1024;

    public required NvidiaWant For { get; init; }

    public required ImmutableArray<NvidiaManifest> Manifests { get; init; }

    /// <summary>One for each certificate of the devices' chains and of the manifests' signers but the roots, none twice.</summary>
    public required ImmutableArray<OcspAnswer> Revocation { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, CollateralFiles.Default.NvidiaSet);

    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out NvidiaSet? set)
    {
        set = json.Length <= MaxSize ? CollateralFiles.Read(json, CollateralFiles.Default.NvidiaSet) : null;
        if (set is not null && !(!set.For.Manifests.IsDefault && !set.For.Chains.IsDefault
            && !set.Manifests.IsDefault && set.Manifests.All(manifest => manifest is not null && Base64.TryDecode(manifest.Content, out _)) && set.Manifests.Select(manifest => manifest.Id).SequenceEqual(set.For.Manifests)
            && !set.Revocation.IsDefault && set.Revocation.All(answer => answer is not null && Base64.TryDecode(answer.Content, out _))))
        {
            set = null;
        }
        return set is not null;
    }
}

/// <summary>A reference integrity manifest.</summary>
/// <param name="Content">Its XML in base64.</param>
public sealed record NvidiaManifest(string Id, string Content);

/// <summary>What a responder said of a certificate (RFC 6960).</summary>
/// <param name="Certificate">SHA-256 of the certificate's DER, in lower-case hex.</param>
/// <param name="Content">The response's DER in base64.</param>
public sealed record OcspAnswer(string Certificate, string Content);

internal static class Der
{
    public static bool IsCertificate(string? text) => text is not null && Base64.TryDecode(text, out var der) && Certificate.TryParse(der, out _);

    public static bool IsRevocationList(string text) => Base64.TryDecode(text, out var der) && Attestation.RevocationList.TryParse(der, out _);

    public static bool IsChain(string text) => PemCertificates.TryParse(Encoding.UTF8.GetBytes(text), out var chain) && chain.Length == 2;
}
