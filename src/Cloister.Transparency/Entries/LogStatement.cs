using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>What an entry states. A statement of one type is refused where another is asked for.</summary>
public enum EntryType : byte { None, Release, Recall, Fleet, OhttpKeys, Policy, WebClient, Rebuild }

/// <summary>A typed statement in a namespace, for a time (docs/spec/transparency.md, section 4). The member that is there is its type.</summary>
public sealed record LogStatement
{
    /// <summary>Whose statement it is, for example <c>example.com/assistant</c>: what is stated in one namespace counts in no other.</summary>
    public required string Namespace { get; init; }

    /// <summary>RFC 3339 in UTC with whole seconds, as is <see cref="NotAfter"/>.</summary>
    public required string NotBefore { get; init; }

    public required string NotAfter { get; init; }

    public ReleaseManifest? Release { get; init; }

    public Recall? Recall { get; init; }

    public Fleet? Fleet { get; init; }

    public OhttpKeyConfigurations? OhttpKeys { get; init; }

    public PublishedPolicy? Policy { get; init; }

    public WebClient? WebClient { get; init; }

    public Rebuild? Rebuild { get; init; }

    [JsonIgnore]
    public EntryType Type => Members.SingleOrDefault(member => member.Body is not null).Type;

    public static string FormatTime(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    internal bool IsCurrent(DateTimeOffset now) => ParseTime(NotBefore) <= now && now <= ParseTime(NotAfter);

    internal bool HasBegun(DateTimeOffset now) => ParseTime(NotBefore) <= now;

    internal bool IsWellFormed() =>
        IsName(Namespace) && ParseTime(NotBefore) is { } begin && ParseTime(NotAfter) is { } end && begin <= end
        && Members.Count(member => member.Body is not null) == 1 && Members.All(member => member.Body?.IsWellFormed() is not false);

    internal static bool IsName(string? text) => text is { Length: > 0 and <= 256 } && text.All(letter => letter is > ' ' and not '\x7f');

    internal static bool IsDigest(string? text, params ReadOnlySpan<int> sizes) => Hex.TryDecode(text, out var bytes) && (sizes.IsEmpty ? bytes.Length == 32 : sizes.Contains(bytes.Length));

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private (EntryType Type, IStatementBody? Body)[] Members =>
    [
        (EntryType.Release, Release), (EntryType.Recall, Recall), (EntryType.Fleet, Fleet), (EntryType.OhttpKeys, OhttpKeys),
        (EntryType.Policy, Policy), (EntryType.WebClient, WebClient), (EntryType.Rebuild, Rebuild),
    ];

    private static DateTimeOffset? ParseTime(string text) =>
        DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}

/// <summary>What all bodies of statements have in common.</summary>
internal interface IStatementBody
{
    bool IsWellFormed();
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LogStatement))]
internal sealed partial class EntryJson : JsonSerializerContext
{
    /// <summary>Null where the text is not exactly one value of the type.</summary>
    public static T? Read<T>(string text, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(text, type);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }
}
