using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;

namespace Cloister.Enclave;

/// <summary>The file that <c>Cloister.Enclave</c> is started with, and all that it is started with.</summary>
/// <remarks>What steers the enclave is in <see cref="Config"/>, which goes into the statement as it is. The rest says where bytes lie; what they are, the statement says by digest.</remarks>
public sealed record ProgramOptions
{
    public required EnclaveConfiguration Config { get; init; }

    /// <summary>For the embedded engine where each model lies; for an upstream server its names alone.</summary>
    public required ImmutableArray<ModelPlace> Models { get; init; }

    /// <summary>Where the operator's carrier connects: an address and a port.</summary>
    public required string Listen { get; init; }

    /// <summary>The folder in which the host's helper keeps what endorses the machine (docs/spec/collateral.md). Null: the host hands certificates out with its reports.</summary>
    public string? Endorsements { get; init; }

    /// <summary>The folder in which the enclave tells the host's helper what to keep there. Null: somebody tells it by hand.</summary>
    public string? Wanted { get; init; }

    /// <summary>NVIDIA's GPUs answer for themselves, and the statement names what they answered. What they are, that says.</summary>
    public bool Gpus { get; init; }

    /// <summary>Where the kernel makes entries for reports. A wrong place gives evidence that nobody accepts.</summary>
    public string Reports { get; init; } = ConfigfsTsm.UsualPath;

    /// <summary>The file that says how the build was published, read at each renewal. Null, or no such file: it was not.</summary>
    public string? Publication { get; init; }

    /// <exception cref="IOException">The file is not there, not well-formed, or has faults. The message names them all.</exception>
    public static ProgramOptions Read(string file)
    {
        ProgramOptions? options;
        try
        {
            options = JsonSerializer.Deserialize(File.ReadAllBytes(file), ProgramJson.Default.ProgramOptions);
        }
        catch (JsonException fault)
        {
            throw new IOException($"{file}, line {fault.LineNumber + 1}: at {fault.Path ?? "$"} a member is unknown, missing, given twice, or not what belongs there.", fault);
        }

        string faults = string.Join(' ', options?.Faults() ?? ["It holds nothing."]);
        return faults.Length == 0 ? options! : throw new IOException($"{file}: {faults}");
    }

    private ImmutableArray<string> Faults() =>
    [
        .. EnclaveSetup.FaultsOf(Config),
        .. Fault(Config.Engine.Kind is EngineKind.Upstream ? IsLoopback(Config.Engine.Upstream) : Config.Engine.Upstream is null, "engine: an upstream server has an http address on a loopback interface, the embedded engine has none."),
        .. Fault(!Models.IsEmpty && Models.All(model => model?.Name.Length is > 0 and <= 128), "models: there must be one, and each has a name of at most 128 characters."),
        .. Fault(Models.DistinctBy(model => model?.Name).Count() == Models.Length, "models: two have the same name."),
        .. Fault(Models.All(model => model?.Folder is null == Config.Engine.Kind is EngineKind.Upstream), "models: with the embedded engine each has a folder, with an upstream server none."),
        .. Fault(!Gpus || Endorsements is not null, "gpus: what endorses them comes from a folder of endorsements, and none is named."),
        .. Fault(Wanted is null || Endorsements is not null, "wanted: without a folder of endorsements nothing is wanted of the host's helper."),
        .. Fault(IPEndPoint.TryParse(Listen, out _) && Listen.Contains(':', StringComparison.Ordinal), $"listen: '{Listen}' is not an address and a port."),
    ];

    // As docs/spec/statement.md, section 3, demands: a statement with another one would be refused by everybody.
    private static bool IsLoopback(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { Scheme: "http", IsLoopback: true, Query: "", Fragment: "", UserInfo: "" };

    private static ImmutableArray<string> Fault(bool holds, string sentence) => holds ? [] : [sentence];
}

/// <summary>A model's name, and where its files are.</summary>
public sealed record ModelPlace
{
    public required string Name { get; init; }

    public string? Folder { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ProgramOptions))]
internal sealed partial class ProgramJson : JsonSerializerContext;
