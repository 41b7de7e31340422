using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Log.Monitor;

/// <summary>A released artifact that was not public yet with its digest when it was looked for.</summary>
internal sealed record OwedArtifact(string Version, string Name, string Sha256);

/// <summary>What a monitor remembers from one look to the next.</summary>
internal sealed record MonitorState
{
    /// <summary>For each vantage the last note that was accepted from it.</summary>
    public ImmutableSortedDictionary<string, string> Notes { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Entries read, checked and reported.</summary>
    public long Read { get; init; }

    /// <summary>The full subtrees of the entries read, largest first.</summary>
    public ImmutableArray<string> Subtrees { get; init; } = [];

    /// <summary>When the monitor saw the log grow last; null before it saw it at all.</summary>
    public DateTimeOffset? GrownAt { get; init; }

    public ImmutableArray<OwedArtifact> Owed { get; init; } = [];

    /// <exception cref="InvalidDataException">The file is not what a monitor wrote: what it knew of the log is lost, and somebody has to look.</exception>
    public static MonitorState Load(string file, Disk disk)
    {
        if (disk.Read(file) is not { } bytes)
        {
            return new();
        }
        try
        {
            return JsonSerializer.Deserialize(bytes, MonitorJson.Default.MonitorState) is { } state && state.TryRestore(out _) ? state : throw new InvalidDataException($"'{file}' does not belong together.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"'{file}' is not what a monitor wrote.", fault);
        }
    }

    public void Save(string file, Disk disk) => disk.Replace(file, JsonSerializer.SerializeToUtf8Bytes(this, MonitorJson.Default.MonitorState));

    /// <summary>The tree of the entries read.</summary>
    public TreeFrontier Frontier => TryRestore(out var frontier) ? frontier : throw new InvalidDataException("The state does not belong together.");

    public MonitorState With(TreeFrontier frontier) => this with { Read = frontier.Size, Subtrees = [.. frontier.Subtrees.Select(hash => hash.ToString())] };

    /// <summary>The last checkpoint accepted from a vantage, and its note.</summary>
    public (SignedNote Note, Checkpoint Checkpoint)? Last(string vantage) =>
        Notes.TryGetValue(vantage, out string? text) && SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out var note, out _) && Checkpoint.TryParse(note.Text, out var checkpoint) ? (note, checkpoint) : null;

    private bool TryRestore([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TreeFrontier? frontier)
    {
        var hashes = new List<TreeHash>();
        foreach (string text in Subtrees)
        {
            if (!TreeHash.TryParse(text, out var hash))
            {
                frontier = null;
                return false;
            }
            hashes.Add(hash);
        }
        return TreeFrontier.TryRestore(Read, hashes.ToArray(), out frontier);
    }
}
