using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using static Cloister.Transparency.ProtoJson;

namespace Cloister.Transparency;

/// <summary>The versions of the bundle's format. Zero is none.</summary>
public enum SigstoreBundleVersion : byte { None, V01, V02, V03 }

/// <summary>A Sigstore bundle: a signature, who is said to have made it, and what a log and timestamp authorities said of it.</summary>
/// <remarks>It is read, not trusted: see <see cref="SigstoreVerification"/>.</remarks>
public sealed class SigstoreBundle
{
    /// <summary>The longest bundle, in bytes.</summary>
    public const int MaxSize = 8 * 1024 * 1024;

    // Ours to choose. Real bundles have one entry and at most one timestamp.
    private const int MaxOfEach = 16;

    private SigstoreBundle() { }

    public required SigstoreBundleVersion Version { get; init; }

    /// <summary>Whether it has an envelope with a payload of its own, and not only a signature over an artifact.</summary>
    public bool HasEnvelope => Envelope is not null;

    /// <summary>The envelope's payload; empty where there is none. It means nothing before the bundle is verified.</summary>
    public ReadOnlyMemory<byte> Payload => Envelope?.Payload ?? default;

    /// <summary>Null where the bundle names a key that both sides know, and for nothing else.</summary>
    internal SigstoreCertificate? Certificate { get; private init; }

    /// <summary>How many certificates came with the bundle. Only the first is looked at.</summary>
    internal int CertificateCount { get; private init; }

    internal ImmutableArray<RekorEntry> Entries { get; private init; } = [];

    /// <summary>Answers of timestamp authorities (RFC 3161), in DER.</summary>
    internal ImmutableArray<byte[]> Timestamps { get; private init; } = [];

    internal MessageSignature? Message { get; private init; }

    internal DsseEnvelope? Envelope { get; private init; }

    /// <summary>Reads a bundle in protobuf's JSON form: each version by its own rules, no member unknown or twice.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out SigstoreBundle? bundle)
    {
        bundle = null;
        if (json.Length > MaxSize)
        {
            return false;
        }
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            bundle = Read(document.RootElement);
            return true;
        }
        catch (Exception e) when (IsFault(e))
        {
            return false;
        }
    }

    private static SigstoreBundle Read(JsonElement root)
    {
        RequireOnly(root, "mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope");
        var version = VersionOf(Text(root, "mediaType"));
        var material = Member(root, "verificationMaterial");
        RequireOnly(material, "certificate", "x509CertificateChain", "publicKey", "tlogEntries", "timestampVerificationData");
        var certificates = ReadCertificates(material, version);
        var message = Optional(root, "messageSignature");
        var envelope = Optional(root, "dsseEnvelope");
        Require(message is null != envelope is null);

        return new()
        {
            Version = version,
            Certificate = certificates.FirstOrDefault(),
            CertificateCount = certificates.Length,
            Entries = [.. List(material, "tlogEntries", MaxOfEach).Select(entry => ReadEntry(entry, version))],
            Timestamps = ReadTimestamps(material),
            Message = message is null ? null : MessageSignature.Read(message.Value),
            Envelope = envelope is null ? null : DsseEnvelope.Read(envelope.Value),
        };
    }

    private static SigstoreBundleVersion VersionOf(string mediaType) => mediaType switch
    {
        "application/vnd.dev.sigstore.bundle+json;version=0.1" => SigstoreBundleVersion.V01,
        "application/vnd.dev.sigstore.bundle+json;version=0.2" => SigstoreBundleVersion.V02,
        "application/vnd.dev.sigstore.bundle+json;version=0.3" or "application/vnd.dev.sigstore.bundle.v0.3+json" => SigstoreBundleVersion.V03,
        _ => throw new FormatException(),
    };

    // One way or the other of saying whose key it is. A chain belongs to the versions before 0.3, a sole certificate to 0.3.
    private static ImmutableArray<SigstoreCertificate> ReadCertificates(JsonElement material, SigstoreBundleVersion version)
    {
        var (sole, chain, key) = (Optional(material, "certificate"), Optional(material, "x509CertificateChain"), Optional(material, "publicKey"));
        Require((sole is null ? 0 : 1) + (chain is null ? 0 : 1) + (key is null ? 0 : 1) == 1);
        if (key is not null)
        {
            RequireOnly(key.Value, "hint");
            _ = Optional(key.Value, "hint") is { } hint ? Text(hint) : null;
            return [];
        }
        if (sole is not null)
        {
            Require(version is SigstoreBundleVersion.V03);
            return [ReadCertificate(sole.Value)];
        }

        Require(version is not SigstoreBundleVersion.V03);
        RequireOnly(chain!.Value, "certificates");
        var certificates = List(chain.Value, "certificates", MaxOfEach).Select(ReadCertificate).ToImmutableArray();
        // Roots come from whom one trusts, never with the bundle.
        Require(certificates.Length > 0 && !certificates.Skip(1).Any(one => one.IsSelfIssued));
        return certificates;
    }

    private static SigstoreCertificate ReadCertificate(JsonElement element)
    {
        RequireOnly(element, "rawBytes");
        Require(SigstoreCertificate.TryParse(Bytes(element, "rawBytes"), out var certificate));
        return certificate!;
    }

    private static RekorEntry ReadEntry(JsonElement element, SigstoreBundleVersion version)
    {
        var entry = RekorEntry.Read(element);
        Require(version is SigstoreBundleVersion.V01 ? entry.Promise is not null : entry.Proof is not null);
        return entry;
    }

    private static ImmutableArray<byte[]> ReadTimestamps(JsonElement material)
    {
        if (Optional(material, "timestampVerificationData") is not { } data)
        {
            return [];
        }
        RequireOnly(data, "rfc3161Timestamps");
        return [.. List(data, "rfc3161Timestamps", MaxOfEach).Select(timestamp =>
        {
            RequireOnly(timestamp, "signedTimestamp");
            return Bytes(timestamp, "signedTimestamp");
        })];
    }
}
