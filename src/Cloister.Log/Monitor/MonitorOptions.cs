using System.Collections.Immutable;
using Cloister.Transparency;

namespace Cloister.Log.Monitor;

/// <summary>What a monitor follows and what it was promised.</summary>
public sealed record MonitorOptions
{
    /// <summary>The log's address, whose entries are read.</summary>
    public required Uri Log { get; init; }

    /// <summary>Other places that show the same log: mirrors, or the same one over another network. Their checkpoints are held against the first's.</summary>
    public ImmutableArray<Uri> Also { get; init; } = [];

    /// <summary>Which log, and which witnesses it must have.</summary>
    public required LogPolicy Policy { get; init; }

    /// <summary>Where the monitor remembers what it saw, and puts evidence.</summary>
    public required string Folder { get; init; }

    /// <summary>How often the log promised a freshly cosigned checkpoint; null where it promised none.</summary>
    public TimeSpan? Cadence { get; init; }

    /// <summary>How often the log promised a new entry; null where it promised none.</summary>
    public TimeSpan? Growth { get; init; }

    /// <summary>For each watched namespace its publishers and builders: an entry that none of them signed is an alarm.</summary>
    public ImmutableDictionary<string, PublisherKeys> Watched { get; init; } = ImmutableDictionary<string, PublisherKeys>.Empty;

    /// <summary>Where a release's artifacts are public, with <c>{name}</c>, <c>{version}</c> and <c>{sha256}</c> for what the release says; null asks for none.</summary>
    public string? Artifacts { get; init; }

    /// <summary>Every fault, each as a sentence; empty where there is none.</summary>
    public ImmutableArray<string> Faults() =>
    [
        .. Also.Prepend(Log).SelectMany(address => OptionFaults.Unless(address.IsAbsoluteUri && address.Scheme is "http" or "https", $"'{address}' is not an address of http or https.")),
        .. OptionFaults.Unless(Also.Prepend(Log).Distinct().Count() == Also.Length + 1, "An address is there twice."),
        .. OptionFaults.Unless(!string.IsNullOrEmpty(Folder), "There must be a folder."),
        .. OptionFaults.Unless(Cadence is null || Cadence > TimeSpan.Zero, "The cadence must be positive."),
        .. OptionFaults.Unless(Cadence is null || Policy.NeedsWitnesses, "Without witnesses nothing says when a checkpoint was seen: there is no cadence to hold."),
        .. OptionFaults.Unless(Growth is null || Growth > TimeSpan.Zero, "The time of growth must be positive."),
        .. OptionFaults.Unless(Artifacts is null || Uri.TryCreate(ArtifactAddress.Of(Artifacts, new("v", "n", "0")), UriKind.Absolute, out var url) && url.Scheme is "http" or "https", $"'{Artifacts}' gives no address of http or https."),
    ];
}

internal static class ArtifactAddress
{
    /// <summary>What a release says is escaped: it chooses no other host and no other path.</summary>
    public static string Of(string template, OwedArtifact artifact) => template
        .Replace("{name}", Uri.EscapeDataString(artifact.Name), StringComparison.Ordinal)
        .Replace("{version}", Uri.EscapeDataString(artifact.Version), StringComparison.Ordinal)
        .Replace("{sha256}", artifact.Sha256, StringComparison.Ordinal);
}
