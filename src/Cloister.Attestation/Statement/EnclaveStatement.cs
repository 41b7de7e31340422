using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What an enclave says of itself (docs/spec/statement.md). The evidence binds its exact bytes.</summary>
public sealed record EnclaveStatement
{
    /// <summary>The longest statement, in bytes.</summary>
    public const int MaxSize = 64 * 1024;

    /// <summary>The longest time from issue to expiry.</summary>
    public static readonly TimeSpan MaxValidity = TimeSpan.FromHours(1);

    public const int CurrentVersion = 1;

    /// <summary>The role of an enclave that answers conversations.</summary>
    public const string InferenceRole = "inference";

    public required int Version { get; init; }

    public required string Role { get; init; }

    /// <summary>The machine, as its evidence names it: 8 to 128 bytes in lower-case hex.</summary>
    public required string Node { get; init; }

    /// <summary>The X25519 key of the channel's responder, base64 of 32 bytes. Its private half never leaves the enclave.</summary>
    public required string ChannelKey { get; init; }

    public required EnclaveConfiguration Config { get; init; }

    public required ImmutableArray<ServedModel> Models { get; init; }

    /// <summary>RFC 3339 in UTC with whole seconds, as is <see cref="ExpiresAt"/>.</summary>
    public required string IssuedAt { get; init; }

    public required string ExpiresAt { get; init; }

    /// <summary>The release that it runs: the entry's digest in lower-case hex. Null where it was not published.</summary>
    public string? Release { get; init; }

    /// <summary>SHA-256 of the evidence of the GPUs, in lower-case hex; null where there are none. It is written last (section 2).</summary>
    public string? GpuEvidence { get; init; }

    /// <summary>The bytes to be hashed, bound and carried.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.EnclaveStatement);

    /// <summary>Reads a statement strictly: no unknown, repeated or missing member, no trailing bytes, at most 64 KiB.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EnclaveStatement? statement)
    {
        statement = bytes.Length <= MaxSize && JsonMembers.Parse(bytes) is { } json ? Read(json) : null;
        if (statement is not null && !statement.IsWellFormed())
        {
            statement = null;
        }
        return statement is not null;
    }

    /// <summary>SHA-512("cloister enclave statement v1\0" ‖ statement): what the hardware signs (section 2).</summary>
    public static byte[] ReportData(ReadOnlySpan<byte> statement) => SHA512.HashData([.. "cloister enclave statement v1\0"u8, .. statement]);

    /// <summary>
    /// SHA-256("cloister gpu evidence v1\0" ‖ the statement without its last member): what GPUs must answer. Empty where the last member is not
    /// <see cref="GpuEvidence"/> in the one way in which it is written.
    /// </summary>
    public static byte[] GpuNonce(ReadOnlySpan<byte> statement)
    {
        int rest = statement.Length - GpuMember.Length - 64 - 2;
        return rest > 0 && statement[rest..].StartsWith(GpuMember) && statement.EndsWith("\"}"u8)
            ? SHA256.HashData([.. "cloister gpu evidence v1\0"u8, .. statement[..rest], (byte)'}'])
            : [];
    }

    private static ReadOnlySpan<byte> GpuMember => ",\"gpu_evidence\":\""u8;

    /// <summary>SHA-256 of the exact bytes: what the channel's prologue carries.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> statement) => SHA256.HashData(statement);

    public static string FormatTime(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    internal DateTimeOffset Issued => ParseTime(IssuedAt)!.Value;

    internal DateTimeOffset Expires => ParseTime(ExpiresAt)!.Value;

    internal X25519PublicKey Channel => new(Base64.TryDecode(ChannelKey, out var key) ? key : []);

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    internal static bool IsNode(string text) => Hex.TryDecode(text, out var node) && node.Length is >= 8 and <= 128;

    internal static DateTimeOffset? ParseTime(string text) =>
        DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static EnclaveStatement? Read(JsonElement json)
    {
        var members = new JsonMembers(json);
        var config = EnclaveConfiguration.Read(members.Required("config"));
        var models = ImmutableArray.CreateBuilder<ServedModel>();
        foreach (var one in members.Elements("models"))
        {
            if (ServedModel.Read(one) is not { } model)
            {
                return null;
            }
            models.Add(model);
        }
        var statement = config is null ? null : new EnclaveStatement
        {
            Version = members.Number("version"),
            Role = members.Text("role"),
            Node = members.Text("node"),
            ChannelKey = members.Text("channel_key"),
            Config = config,
            Models = models.ToImmutable(),
            IssuedAt = members.Text("issued_at"),
            ExpiresAt = members.Text("expires_at"),
            Release = members.OptionalText("release"),
            GpuEvidence = members.OptionalText("gpu_evidence"),
        };
        return members.End() ? statement : null;
    }

    private bool IsWellFormed() =>
        ParseTime(IssuedAt) is not null && ParseTime(ExpiresAt) is not null
        && IsNode(Node)
        && (Release is null || (Hex.TryDecode(Release, out var release) && release.Length == 32))
        && (GpuEvidence is null || (Hex.TryDecode(GpuEvidence, out var digest) && digest.Length == 32))
        && Base64.TryDecode(ChannelKey, out var key) && key.Length == X25519PublicKey.Size
        && Config.Limits is { Sessions: > 0, Answers: > 0, RequestBytes: > 0, AnswerTokens: > 0 }
        && Config.Engine.Kind is EngineKind.Embedded == Config.Engine.Upstream is null
        && (Config.Engine.Upstream is null || IsLoopback(Config.Engine.Upstream))
        && Models.All(IsWellFormed) && Models.DistinctBy(model => model.Name).Count() == Models.Length;

    private static bool IsWellFormed(ServedModel model) =>
        model.Name.Length is > 0 and <= 128 && new[] { model.Weights, model.Tokenizer, model.Template }.All(digest => digest is null || (Hex.TryDecode(digest, out var bytes) && bytes.Length == 32));

    private static bool IsLoopback(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { Scheme: "http", IsLoopback: true, Query: "", Fragment: "", UserInfo: "" };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EnclaveStatement))]
[JsonSerializable(typeof(EnclaveConfiguration))]
[JsonSerializable(typeof(SnpEvidence))]
[JsonSerializable(typeof(PublicationDocument))]
[JsonSerializable(typeof(NvidiaGpuEvidence))]
[JsonSerializable(typeof(TpmPart))]
[JsonSerializable(typeof(ProvedEntryDocument))]
[JsonSerializable(typeof(TdxEvidence))]
[JsonSerializable(typeof(NitroEvidence))]
[JsonSerializable(typeof(AppraisalPolicy))]
internal sealed partial class AttestationJson : JsonSerializerContext
{
    /// <summary>Null where the bytes are not exactly one value of the type.</summary>
    public static T? Read<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, type);
        }
        catch (Exception e) when (IsOfContent(e))
        {
            return null;
        }
    }

    /// <summary>The same, of a part of a larger text.</summary>
    public static T? Read<T>(JsonElement json, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return json.Deserialize(type);
        }
        catch (Exception e) when (IsOfContent(e))
        {
            return null;
        }
    }

    private static bool IsOfContent(Exception e) => e is JsonException or NotSupportedException or InvalidOperationException;
}
