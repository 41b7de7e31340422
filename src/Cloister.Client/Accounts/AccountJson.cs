using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Ledger;

namespace Cloister.Client.Accounts;

/// <summary>How values are written in the operator's JSON.</summary>
internal static class JsonForms
{
    private const string Day = "yyyy-MM-dd";

    public static string Write(AccountNumber account) => account.ToString();

    // One encoding: what a person may type in many ways, a program writes in one.
    public static bool TryReadAccount(string? text, out AccountNumber account) => AccountNumber.TryParse(text, out account) && account.ToString() == text;

    public static string Write(DateOnly day) => day.ToString(Day, CultureInfo.InvariantCulture);

    public static bool TryReadDay(string? text, out DateOnly day) => DateOnly.TryParseExact(text, Day, CultureInfo.InvariantCulture, DateTimeStyles.None, out day);
}

internal sealed record UnlockerJson
{
    public required string Id { get; init; }
    public required byte Kind { get; init; }
    public required string? SignInKey { get; init; }
    public required string? Wrap { get; init; }
    public required string? Renewed { get; init; }
    public required string Added { get; init; }
}

internal sealed record ListingJson
{
    public required string Account { get; init; }
    public required string[] Epochs { get; init; }
    public required UnlockerJson[] Unlockers { get; init; }
    public required string? Head { get; init; }
    public required long Used { get; init; }
    public required long Quota { get; init; }
}

internal sealed record SessionJson
{
    public required string Token { get; init; }
    public required string Expires { get; init; }
    public required string Account { get; init; }
    public required string Unlocker { get; init; }
}

internal sealed record ChallengeJson
{
    public required string Challenge { get; init; }
}

internal sealed record SequenceJson
{
    public required ulong Sequence { get; init; }
}

internal sealed record PartsJson
{
    public required int[] Parts { get; init; }
    public required long Bytes { get; init; }
}

internal sealed record PasskeyOptionsJson
{
    public required JsonElement Options { get; init; }
    public required string State { get; init; }
}

internal sealed record NewAccountJson
{
    public required string Account { get; init; }
    public required string EpochRecord { get; init; }
    public required UnlockerJson[] Unlockers { get; init; }
}

internal sealed record ProofJson
{
    public required string Unlocker { get; init; }
    public required string Challenge { get; init; }
    public required string Signature { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Account { get; init; }
}

internal sealed record EpochJson
{
    public required string Record { get; init; }
    public required Dictionary<string, string> Wraps { get; init; }
}

internal sealed record LabelJson
{
    public required string Label { get; init; }
}

internal sealed record CredentialJson
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Unlocker { get; init; }

    public required JsonElement Credential { get; init; }
    public required string State { get; init; }
}

internal sealed record FaultJson
{
    public required string Error { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ulong? Sequence { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(ListingJson))]
[JsonSerializable(typeof(SessionJson))]
[JsonSerializable(typeof(ChallengeJson))]
[JsonSerializable(typeof(SequenceJson))]
[JsonSerializable(typeof(PartsJson))]
[JsonSerializable(typeof(PasskeyOptionsJson))]
[JsonSerializable(typeof(NewAccountJson))]
[JsonSerializable(typeof(ProofJson))]
[JsonSerializable(typeof(EpochJson))]
[JsonSerializable(typeof(LabelJson))]
[JsonSerializable(typeof(CredentialJson))]
[JsonSerializable(typeof(FaultJson))]
internal sealed partial class AccountJson : JsonSerializerContext;
