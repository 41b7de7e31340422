using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>Everything that steers an enclave. It stands in clear in the statement; there is no other configuration (docs/spec/statement.md, section 3).</summary>
public sealed record EnclaveConfiguration
{
    /// <summary>Where answers come from.</summary>
    public required EngineConfiguration Engine { get; init; }

    public required EnclaveLimits Limits { get; init; }

    /// <summary>The weakest shaping that the enclave accepts from a client.</summary>
    public required ShapingFloor ShapingFloor { get; init; }

    /// <summary>Hosts that the enclave may reach outside of itself. Version 1 knows no tools, so the list is empty.</summary>
    public required ImmutableArray<string> Egress { get; init; }

    /// <summary>Names of the counters that leave the enclave. Version 1 has none.</summary>
    public required ImmutableArray<string> Counters { get; init; }

    internal static EnclaveConfiguration? Read(JsonElement json)
    {
        var members = new JsonMembers(json);
        var engine = EngineConfiguration.Read(members.Required("engine"));
        var limits = EnclaveLimits.Read(members.Required("limits"));
        ShapingFloor? floor = members.Text("shaping_floor") switch
        {
            nameof(ShapingFloor.None)   => ShapingFloor.None,
            nameof(ShapingFloor.Padded) => ShapingFloor.Padded,
            nameof(ShapingFloor.Paced)  => ShapingFloor.Paced,
            _                           => null,
        };
        var (egress, counters) = (members.Texts("egress"), members.Texts("counters"));
        return members.End() && engine is not null && limits is not null && floor is { } known
            ? new EnclaveConfiguration { Engine = engine, Limits = limits, ShapingFloor = known, Egress = egress, Counters = counters }
            : null;
    }
}

/// <summary>The embedded engine, or a server beside it in the same enclave.</summary>
public sealed record EngineConfiguration
{
    public required EngineKind Kind { get; init; }

    /// <summary>For <see cref="EngineKind.Upstream"/>: an <c>http</c> address on a loopback interface. Null for the embedded engine.</summary>
    public string? Upstream { get; init; }

    internal static EngineConfiguration? Read(JsonElement json)
    {
        var members = new JsonMembers(json);
        EngineKind? kind = members.Text("kind") switch
        {
            nameof(EngineKind.Embedded) => EngineKind.Embedded,
            nameof(EngineKind.Upstream) => EngineKind.Upstream,
            _                           => null,
        };
        string? upstream = members.OptionalText("upstream");
        return members.End() && kind is { } known ? new EngineConfiguration { Kind = known, Upstream = upstream } : null;
    }
}

public enum EngineKind : byte { Embedded, Upstream }

/// <summary>In order of strength.</summary>
public enum ShapingFloor : byte { None, Padded, Paced }

/// <summary>Bounds of the enclave.</summary>
public sealed record EnclaveLimits
{
    /// <summary>Sessions open at once.</summary>
    public required int Sessions { get; init; }

    /// <summary>Answers in progress at once, over all sessions.</summary>
    public required int Answers { get; init; }

    /// <summary>The longest request, in bytes.</summary>
    public required int RequestBytes { get; init; }

    /// <summary>The longest answer of the embedded engine, in tokens.</summary>
    public required int AnswerTokens { get; init; }

    public static EnclaveLimits Usual { get; } = new() { Sessions = 10_000, Answers = 64, RequestBytes = 16 * 1024 * 1024, AnswerTokens = 4096 };

    internal static EnclaveLimits? Read(JsonElement json)
    {
        var members = new JsonMembers(json);
        var limits = new EnclaveLimits
        {
            Sessions = members.Number("sessions"),
            Answers = members.Number("answers"),
            RequestBytes = members.Number("request_bytes"),
            AnswerTokens = members.Number("answer_tokens"),
        };
        return members.End() ? limits : null;
    }
}

/// <summary>A model that the enclave serves, by the digests of what steers it: lower-case hex SHA-256.</summary>
public sealed record ServedModel
{
    /// <summary>The name under which it is asked for.</summary>
    public required string Name { get; init; }

    /// <summary>Over the weights' files. Null where an upstream server holds them, which is then for the machine's measurement to cover.</summary>
    public string? Weights { get; init; }

    public string? Tokenizer { get; init; }

    public string? Template { get; init; }

    internal static ServedModel? Read(JsonElement json)
    {
        var members = new JsonMembers(json);
        var model = new ServedModel
        {
            Name = members.Text("name"),
            Weights = members.OptionalText("weights"),
            Tokenizer = members.OptionalText("tokenizer"),
            Template = members.OptionalText("template"),
        };
        return members.End() ? model : null;
    }
}
