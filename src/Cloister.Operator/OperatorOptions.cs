using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Operator;

/// <summary>Everything that steers an operator. Neither the environment nor any other file does.</summary>
public sealed record OperatorOptions
{
    /// <summary>Where to listen: an address and a port, as in <c>127.0.0.1:8440</c>. Port 0 takes a free one.</summary>
    public required string Listen { get; init; }

    /// <summary>For each enclave's name (letters, digits and hyphens, at most 64) where its carrier link listens: <c>host:port</c>.</summary>
    public required ImmutableDictionary<string, string> Enclaves { get; init; }

    /// <summary>The folder of the published web app. Null serves none.</summary>
    public string? WebRoot { get; init; }

    /// <summary>The appraisal policy that the web app is given at <c>/policy.json</c>: a file. Null leaves what the folder holds.</summary>
    public string? Policy { get; init; }

    /// <summary>The address of the transparency log, whose tiles are handed on. It ends in a slash. Null hands on none.</summary>
    public string? Log { get; init; }

    /// <summary>The file of the web client's published entry with its proof, read at each request. Null shows none.</summary>
    public string? WebClient { get; init; }

    /// <summary>Sessions carried at once to one enclave; more are refused. Null: 10,000.</summary>
    public int? SessionsPerEnclave { get; init; }

    /// <summary>Accounts with their history, sealed. Null keeps none: their paths are not found.</summary>
    public AccountsOptions? Accounts { get; init; }

    /// <summary>Every fault, each as a sentence; empty where there is none.</summary>
    public ImmutableArray<string> Faults() =>
    [
        .. Fault(IPEndPoint.TryParse(Listen ?? "", out _) && (Listen ?? "").Contains(':'), $"listen: '{Listen}' is not an address and a port, such as 127.0.0.1:8440."),
        .. Fault(Enclaves is { Count: > 0 and <= MaxEnclaves }, $"enclaves: there must be 1 to {MaxEnclaves}."),
        .. (Enclaves ?? ImmutableDictionary<string, string>.Empty).SelectMany(enclave => (IEnumerable<string>)
        [
            .. Fault(IsName(enclave.Key), $"enclaves: '{enclave.Key}' is not a name of letters, digits and hyphens."),
            .. Fault(CarrierAddress.TryParse(enclave.Value, out _), $"enclaves: '{enclave.Value}' is not a host and a port, such as 127.0.0.1:9440."),
        ]),
        .. Fault(WebRoot is null || File.Exists(Path.Combine(WebRoot, "index.html")), $"web_root: there is no index.html in '{WebRoot}'."),
        .. Fault(Policy is null || File.Exists(Policy), $"policy: there is no file '{Policy}'."),
        .. Fault(Log is null || (Uri.TryCreate(Log, UriKind.Absolute, out var log) && log is { Query: "", Fragment: "", UserInfo: "" } && log.AbsolutePath.EndsWith('/') && (log.Scheme == "https" || (log.Scheme == "http" && log.IsLoopback))), $"log: '{Log}' is not an https address, or an http one on this machine, that ends in a slash."),
        .. Fault(SessionsPerEnclave is null or > 0, "sessions_per_enclave: must be positive."),
        .. Accounts?.Faults() ?? [],
    ];

    /// <summary>Reads and checks a JSON file. An unknown, repeated or missing member is a fault.</summary>
    public static bool TryRead(string file, [NotNullWhen(true)] out OperatorOptions? options, out ImmutableArray<string> faults)
    {
        options = null;
        try
        {
            using var stream = File.OpenRead(file);
            options = JsonSerializer.Deserialize(stream, OptionsJson.Default.OperatorOptions);
            faults = options?.Faults() ?? ["The configuration is empty."];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            faults = [$"The configuration '{file}' cannot be read: {fault.Message}"];
        }
        options = faults.IsEmpty ? options : null;
        return options is not null;
    }

    private const int MaxEnclaves = 64;

    private static bool IsName(string name) => name is { Length: > 0 and <= 64 } && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-');

    private static ImmutableArray<string> Fault(bool holds, string sentence) => holds ? [] : [sentence];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(OperatorOptions))]
internal sealed partial class OptionsJson : JsonSerializerContext;
