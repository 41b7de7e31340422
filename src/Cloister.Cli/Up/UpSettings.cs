using System.Text.Json.Serialization;

namespace Cloister.Cli.Up;

/// <summary>What <c>cloister up</c> was asked for.</summary>
internal sealed record UpSettings(int Port, string? Model, string? Upstream, string? Web, DataFolder Data);

/// <summary>The line that a program reads when everything runs.</summary>
internal sealed record Ready(string Operator, string Enclave, string Policy, string Log, IReadOnlyList<string> Models, bool Web, bool Simulated);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Ready))]
internal sealed partial class UpJson : JsonSerializerContext;
