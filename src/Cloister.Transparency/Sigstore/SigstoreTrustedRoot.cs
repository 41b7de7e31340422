using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using static Cloister.Transparency.ProtoJson;

namespace Cloister.Transparency;

/// <summary>Whom one trusts in an instance of Sigstore: its certificate authorities, logs and timestamp authorities, each for its time.</summary>
/// <remarks>It is data that the caller vouches for. How it came to be true (TUF) is not judged here. Members that are not known are passed over.</remarks>
public sealed class SigstoreTrustedRoot
{
    /// <summary>The longest trusted root, in bytes.</summary>
    public const int MaxSize = 1024 * 1024;

    private const int MaxOfEach = 64;
    private const string PublicGoodResource = "sigstore-public-good.json";

    private static readonly Lazy<SigstoreTrustedRoot> Published = new(ReadPublicGood);

    private SigstoreTrustedRoot() { }

    /// <summary>The public-good instance's (sigstore/root-signing, targets/trusted_root.json), as it was when this was built.</summary>
    public static SigstoreTrustedRoot PublicGood => Published.Value;

    /// <summary>Whether there is a certificate authority, a log and a certificate log, each with a key of a kind that is known. Without them only a known key's bundles can be verified, if any.</summary>
    public bool IsComplete => !CertificateAuthorities.IsEmpty && !Logs.IsEmpty && !CertificateLogs.IsEmpty;

    internal ImmutableArray<TrustedLog> Logs { get; private init; } = [];

    internal ImmutableArray<TrustedLog> CertificateLogs { get; private init; } = [];

    internal ImmutableArray<TrustedAuthority> CertificateAuthorities { get; private init; } = [];

    internal ImmutableArray<TrustedAuthority> TimestampAuthorities { get; private init; } = [];

    /// <summary>Reads a <c>trusted_root.json</c>. Ask <see cref="IsComplete"/> where each of its parts is needed.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out SigstoreTrustedRoot? root)
    {
        root = null;
        if (json.Length > MaxSize)
        {
            return false;
        }
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            root = Read(document.RootElement);
        }
        catch (Exception e) when (IsFault(e))
        {
            root = null;
        }
        return root is not null;
    }

    private static SigstoreTrustedRoot Read(JsonElement element)
    {
        // The first roots had no media type.
        Require(Optional(element, "mediaType") is not { } type || Text(type) is "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
            or "application/vnd.dev.sigstore.trustedroot.v0.1+json" or "application/vnd.dev.sigstore.trustedroot.v0.2+json");
        return new()
        {
            Logs = ReadLogs(element, "tlogs"),
            CertificateLogs = ReadLogs(element, "ctlogs"),
            CertificateAuthorities = ReadAuthorities(element, "certificateAuthorities"),
            TimestampAuthorities = ReadAuthorities(element, "timestampAuthorities"),
        };
    }

    private static ImmutableArray<TrustedLog> ReadLogs(JsonElement element, string name) =>
        [.. List(element, name, MaxOfEach).Select(TrustedLog.Read).OfType<TrustedLog>()];

    private static ImmutableArray<TrustedAuthority> ReadAuthorities(JsonElement element, string name) => [.. List(element, name, MaxOfEach).Select(TrustedAuthority.Read)];

    private static SigstoreTrustedRoot ReadPublicGood()
    {
        using var stream = typeof(SigstoreTrustedRoot).Assembly.GetManifestResourceStream(PublicGoodResource)!;
        byte[] json = new byte[stream.Length];
        stream.ReadExactly(json);
        return TryParse(json, out var root) ? root : throw new InvalidOperationException("The trusted root that was built in is damaged.");
    }
}

/// <summary>From when to when a key counts, both included.</summary>
internal readonly record struct TrustedPeriod(DateTimeOffset Start, DateTimeOffset End)
{
    public static readonly TrustedPeriod Always = new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue);

    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    public bool Contains(DateTimeOffset time) => Start <= time && time <= End;

    /// <summary>RFC 3339 times; either may be missing, and is without bound then.</summary>
    public static TrustedPeriod Read(JsonElement? period) => period is not { } given ? Always
        : new(Optional(given, "start") is { } start ? Time(start) : Always.Start, Optional(given, "end") is { } end ? Time(end) : Always.End);

    private static DateTimeOffset Time(JsonElement text) => DateTimeOffset.ParseExact(Text(text), Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}

/// <summary>A log's key.</summary>
/// <param name="Id">Which key a bundle, a certificate's timestamp or a checkpoint means.</param>
internal sealed record TrustedLog(byte[] Id, SigstoreKey Key, TrustedPeriod ValidFor)
{
    /// <summary>The id's first four bytes, which stand before the log's signature under a checkpoint.</summary>
    public uint KeyHint => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(Id);

    public bool Is(ReadOnlySpan<byte> id) => id.SequenceEqual(Id);

    /// <summary>Whether the id is made from this very key: its hash, or for Ed25519 that of the log's name and key (C2SP signed-note).</summary>
    public bool HasDerivedId(string name) => Is(SHA256.HashData(Key.Encoded))
        || (!Key.Ed25519Bytes.IsEmpty && Is(SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)NoteKeyType.Ed25519, .. Key.Ed25519Bytes])));

    /// <summary>Null for a key or a hash of another kind.</summary>
    public static TrustedLog? Read(JsonElement element)
    {
        var key = Member(element, "publicKey");
        byte[] id = Bytes(Member(element, "logId"), "keyId");
        Require(id.Length >= sizeof(uint));
        bool known = (Optional(element, "hashAlgorithm") is not { } hash || Text(hash) is "SHA2_256") & SigstoreKey.TryRead(Bytes(key, "rawBytes"), out var read);
        var period = TrustedPeriod.Read(Optional(key, "validFor"));
        return known ? new(id, read!, period) : null;
    }
}

/// <summary>A chain of authorities. Those that are self-issued end a path; where none is, the last does.</summary>
internal sealed record TrustedAuthority(ImmutableArray<SigstoreCertificate> Certificates, TrustedPeriod ValidFor)
{
    private const int MaxCertificates = 8;

    public static TrustedAuthority Read(JsonElement element)
    {
        var certificates = List(Member(element, "certChain"), "certificates", MaxCertificates).Select(one =>
        {
            Require(SigstoreCertificate.TryParse(Bytes(one, "rawBytes"), out var certificate));
            return certificate!;
        }).ToImmutableArray();
        Require(!certificates.IsEmpty);
        return new(certificates, TrustedPeriod.Read(Optional(element, "validFor")));
    }

    /// <summary>The certificate above this one on a path to an anchor whose signatures and names hold; null where there is none.</summary>
    /// <param name="time">When all above the leaf must be valid; null where that is not asked.</param>
    public SigstoreCertificate? FindIssuer(SigstoreCertificate leaf, string purpose, DateTimeOffset? time) =>
        time is { } asked && !ValidFor.Contains(asked) ? null : Climb(leaf, purpose, time, authorities: 0);

    private SigstoreCertificate? Climb(SigstoreCertificate below, string purpose, DateTimeOffset? time, int authorities)
    {
        foreach (var issuer in Certificates)
        {
            if (!ReferenceEquals(issuer, below) && below.IsSignedBy(issuer) && issuer.IsAuthorityOver(authorities) && issuer.MayIssueFor(purpose)
                && (time is not { } asked || issuer.IsValidAt(asked))
                && (IsAnchor(issuer) || (authorities < MaxCertificates && Climb(issuer, purpose, time, authorities + 1) is not null)))
            {
                return issuer;
            }
        }
        return null;
    }

    private bool IsAnchor(SigstoreCertificate certificate) =>
        certificate.IsSelfIssued || (ReferenceEquals(certificate, Certificates[^1]) && !Certificates.Any(one => one.IsSelfIssued));
}
