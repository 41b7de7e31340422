using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Log.Monitor;

/// <summary>What a monitor raises an alarm about. Zero is none.</summary>
public enum Alarm : byte
{
    None,

    /// <summary>Nobody answers, or not in time, or breaks off.</summary>
    Unreachable,

    /// <summary>There is no checkpoint, or it is not one.</summary>
    NoCheckpoint,

    /// <summary>No known log signed the checkpoint.</summary>
    UnknownLog,

    /// <summary>A signature in a known key's name is not the key's.</summary>
    WrongSignature,

    TooFewWitnesses,

    /// <summary>The checkpoint is smaller than one that was shown before.</summary>
    Rewound,

    /// <summary>Two signed checkpoints that no single tree has. The notes are evidence.</summary>
    SplitView,

    /// <summary>The tiles do not give a proof that the tree only grew.</summary>
    Inconsistent,

    /// <summary>A tile that the checkpoint's tree has is not shown.</summary>
    TileWithheld,

    /// <summary>Entries that the checkpoint counts are not shown.</summary>
    EntryWithheld,

    /// <summary>The entries do not give the checkpoint's root.</summary>
    WrongRoot,

    /// <summary>A tile is not of the entries beside it: proofs made from it do not hold.</summary>
    WrongTile,

    /// <summary>No checkpoint was cosigned as recently as was promised.</summary>
    CadenceMissed,

    /// <summary>Nothing was added as recently as was promised.</summary>
    GrowthMissed,

    /// <summary>An entry is none of ours.</summary>
    MalformedEntry,

    /// <summary>An entry of a watched namespace that no publisher of it signed.</summary>
    ForeignEntry,

    /// <summary>A released artifact cannot be fetched by everybody.</summary>
    ArtifactUnavailable,

    /// <summary>A released artifact is public with another digest.</summary>
    ArtifactDiffers,
}

/// <summary>One line of a monitor's account: an alarm, an entry, or a checkpoint that was accepted.</summary>
public sealed record MonitorEvent
{
    /// <summary><c>alarm</c>, <c>entry</c> or <c>checkpoint</c>.</summary>
    public required string Event { get; init; }

    public Alarm? Alarm { get; init; }

    /// <summary>Whose answer it is about: a log's address.</summary>
    public string? Vantage { get; init; }

    /// <summary>For people.</summary>
    public required string Words { get; init; }

    public long? Index { get; init; }

    public string? Type { get; init; }

    public string? Namespace { get; init; }

    public long? Size { get; init; }

    public string? Root { get; init; }

    /// <summary>Files in the monitor's folder that prove it to others: the signed notes.</summary>
    public ImmutableArray<string>? Evidence { get; init; }

    /// <summary>One line of JSON, without a newline in it whatever a log wrote.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, MonitorJson.Default.MonitorEvent);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MonitorEvent))]
[JsonSerializable(typeof(MonitorState))]
internal sealed partial class MonitorJson : JsonSerializerContext;
