using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Operator.Accounts.Http;

internal sealed record FaultBody(string Error, string Message, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ulong? Sequence);

internal sealed record NewAccountBody(AccountNumber Account, byte[] EpochRecord, ImmutableArray<UnlockerBody> Unlockers);

/// <summary>Docs/spec/accounts.md, section 2.</summary>
internal sealed record UnlockerBody(Identity Id, UnlockerKind Kind, byte[]? SignInKey, byte[]? Wrap, byte[]? Renewed, DateOnly Added);

internal sealed record ChallengeBody(byte[] Challenge);

/// <param name="Account">Only for signing in: of no other account than this.</param>
internal sealed record ProofBody(Identity Unlocker, byte[] Challenge, byte[] Signature, AccountNumber? Account = null);

internal sealed record SessionBody(byte[] Token, string Expires, AccountNumber Account, Identity Unlocker);

internal sealed record ListingBody(AccountNumber Account, ImmutableArray<byte[]> Epochs, ImmutableArray<UnlockerBody> Unlockers, byte[]? Head, long Used, long Quota);

internal sealed record EpochBody(byte[] Record, Dictionary<Identity, byte[]> Wraps);

internal sealed record SequenceBody(ulong Sequence);

internal sealed record PartsBody(ImmutableArray<long> Parts, long Bytes);

internal sealed record LabelBody(string Label);

internal sealed record PasskeyOptionsBody(JsonElement Options, string State);

internal sealed record PasskeySignInBody(JsonElement Credential, string State);

internal sealed record NewPasskeyBody(Identity Unlocker, JsonElement Credential, string State);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16,
    Converters = [typeof(BytesConverter), typeof(IdentityConverter), typeof(AccountConverter)])]
[JsonSerializable(typeof(FaultBody))]
[JsonSerializable(typeof(NewAccountBody))]
[JsonSerializable(typeof(UnlockerBody))]
[JsonSerializable(typeof(ChallengeBody))]
[JsonSerializable(typeof(ProofBody))]
[JsonSerializable(typeof(SessionBody))]
[JsonSerializable(typeof(ListingBody))]
[JsonSerializable(typeof(EpochBody))]
[JsonSerializable(typeof(SequenceBody))]
[JsonSerializable(typeof(PartsBody))]
[JsonSerializable(typeof(LabelBody))]
[JsonSerializable(typeof(PasskeyOptionsBody))]
[JsonSerializable(typeof(PasskeySignInBody))]
[JsonSerializable(typeof(NewPasskeyBody))]
internal sealed partial class AccountsJson : JsonSerializerContext;

/// <summary>Base64url without padding, in its one encoding.</summary>
internal sealed class BytesConverter : JsonConverter<byte[]>
{
    public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.String && Base64.TryDecodeUrl(reader.GetString(), out byte[]? bytes) ? bytes : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) => writer.WriteStringValue(Base64.EncodeUrl(value));
}

internal sealed class IdentityConverter : JsonConverter<Identity>
{
    public override Identity Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.String && Identity.TryParse(reader.GetString(), out var identity) ? identity : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, Identity value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    public override Identity ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Identity.TryParse(reader.GetString(), out var identity) ? identity : throw new JsonException();

    public override void WriteAsPropertyName(Utf8JsonWriter writer, Identity value, JsonSerializerOptions options) => writer.WritePropertyName(value.ToString());
}

/// <summary>As a person reads it, and in no other of the ways that a person may type it.</summary>
internal sealed class AccountConverter : JsonConverter<AccountNumber>
{
    public override AccountNumber Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.String && reader.GetString() is { } text && AccountNumber.TryParse(text, out var account) && account.ToString() == text ? account : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, AccountNumber value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
