using System.Text.Json.Serialization;

namespace Cloister.Conformance;

/// <summary>Strict: no unknown member, none twice, none of the required ones missing.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SevInput))]
[JsonSerializable(typeof(TdxInput))]
[JsonSerializable(typeof(SigstoreInput))]
internal sealed partial class InputJson : JsonSerializerContext;
