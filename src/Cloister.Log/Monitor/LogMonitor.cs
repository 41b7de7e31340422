using System.Collections.Immutable;
using System.Net.Sockets;
using System.Security.Cryptography;
using Cloister.Log.Client;
using Cloister.Log.Storage;
using Cloister.Transparency;
using Cloister.Wire;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Log.Monitor;

/// <summary>Follows a log as a stranger: takes no step of it on trust, remembers, and tells.</summary>
public sealed class LogMonitor : IDisposable
{
    // Ours to choose: how much is read before it is checked, reported and remembered.
    private const int BundlesAtOnce = 64;
    private static readonly TimeSpan ArtifactPatience = TimeSpan.FromMinutes(10);

    private readonly MonitorOptions _options;
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly Disk _disk;
    private readonly SafeFileHandle _lock;
    private MonitorState _state;

    /// <param name="http">Reaches the log, and the artifacts. Its timeout is how long a log may take.</param>
    /// <exception cref="ArgumentException">The options have faults: the message lists them all.</exception>
    /// <exception cref="LogStoppedException">Another monitor works in the folder.</exception>
    /// <exception cref="InvalidDataException">What it remembers is damaged.</exception>
    public LogMonitor(MonitorOptions options, HttpClient http, TimeProvider time) : this(options, http, time, Disk.Real)
    {
    }

    internal LogMonitor(MonitorOptions options, HttpClient http, TimeProvider time, Disk disk)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Faults() is { IsEmpty: false } faults)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, faults), nameof(options));
        }
        (_options, _http, _time, _disk) = (options, http, time, disk);
        Directory.CreateDirectory(options.Folder);
        _lock = Disk.Lock(options.Folder);
        _state = MonitorState.Load(StateFile, disk);
    }

    /// <summary>Entries read and checked so far.</summary>
    public long Read => _state.Read;

    private string StateFile => Path.Combine(_options.Folder, "monitor.json");

    /// <summary>Looks once, at everything. What it tells is told again where it is cut off in the middle; nothing is passed over.</summary>
    public async IAsyncEnumerable<MonitorEvent> LookAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var views = new List<View>();
        foreach (var address in _options.Also.Prepend(_options.Log))
        {
            var (view, events) = await SeeAsync(new LogReader(_http, address), cancellation);
            views.AddRange(view is null ? [] : [view]);
            foreach (var one in events)
            {
                yield return one;
            }
        }
        foreach (var one in await CompareAsync(views, cancellation))
        {
            yield return one;
        }

        var first = views.Find(view => view.IsAccepted && view.Reader.Prefix == _options.Log);
        while (first is not null && _state.Read < first.Checkpoint.Size)
        {
            long before = _state.Read;
            foreach (var one in await ReadOnAsync(first, cancellation))
            {
                yield return one;
            }
            if (_state.Read == before)
            {
                break;
            }
        }
        foreach (var one in JudgePromises(first))
        {
            yield return one;
        }
        foreach (var one in await CheckArtifactsAsync(cancellation))
        {
            yield return one;
        }
    }

    public void Dispose() => _lock.Dispose();

    private sealed record View(LogReader Reader, SignedNote Note, Checkpoint Checkpoint, ImmutableArray<WitnessedAt> Cosignatures, bool IsAccepted)
    {
        public string Vantage => $"{Reader.Prefix}";
    }

    // One vantage against what it showed before.
    private async Task<(View?, List<MonitorEvent>)> SeeAsync(LogReader reader, CancellationToken cancellation)
    {
        string vantage = $"{reader.Prefix}";
        var events = new List<MonitorEvent>();
        try
        {
            if (await reader.FetchCheckpointAsync(cancellation) is not { } note)
            {
                return (null, [Raise(Alarm.NoCheckpoint, vantage, "There is no checkpoint.")]);
            }
            var verified = CheckpointVerification.Verify(note, _options.Policy, _time.GetUtcNow(), null);
            if (verified.Fault is not CheckpointFault.None)
            {
                events.Add(Raise(Named(verified.Fault), vantage, $"The checkpoint is not accepted: {verified.Fault}.", note));
            }
            if (verified.Checkpoint is not { } checkpoint)
            {
                return (null, events);
            }

            // Also what too few witnesses cosigned is the log's own word: two such words that differ convict it.
            var view = new View(reader, note, checkpoint, verified.Cosignatures, verified.Fault is CheckpointFault.None);
            if (_state.Last(vantage) is { } last && await JudgeGrowthAsync(last.Note, last.Checkpoint, view, view, Alarm.Inconsistent, cancellation) is { } alarm)
            {
                events.Add(alarm);
                return (null, events);
            }
            if (view.IsAccepted)
            {
                bool grown = _state.Last(vantage) is not { } before || before.Checkpoint.Size < checkpoint.Size;
                _state = _state with { Notes = _state.Notes.SetItem(vantage, note.ToString()), GrownAt = grown && reader.Prefix == _options.Log ? _time.GetUtcNow() : _state.GrownAt };
                _state.Save(StateFile, _disk);
                events.AddRange(grown ? [new MonitorEvent { Event = "checkpoint", Vantage = vantage, Words = $"{checkpoint.Size} entries, seen by {string.Join(", ", verified.Cosignatures.Select(one => one.Witness))}", Size = checkpoint.Size, Root = $"{checkpoint.Root}" }] : []);
            }
            return (view, events);
        }
        catch (HttpRequestException fault)
        {
            return (null, [.. events, Raise(Alarm.Unreachable, vantage, fault.Message)]);
        }
    }

    // All vantages against the first that answered: they must be of one tree.
    private async Task<List<MonitorEvent>> CompareAsync(List<View> views, CancellationToken cancellation)
    {
        var events = new List<MonitorEvent>();
        foreach (var other in views.Skip(1))
        {
            var (smaller, larger) = views[0].Checkpoint.Size <= other.Checkpoint.Size ? (views[0], other) : (other, views[0]);
            try
            {
                events.AddRange(await JudgeGrowthAsync(smaller.Note, smaller.Checkpoint, larger, smaller, Alarm.SplitView, cancellation) is { } alarm ? [alarm] : []);
            }
            catch (HttpRequestException fault)
            {
                events.Add(Raise(Alarm.Unreachable, larger.Vantage, fault.Message));
            }
        }
        return events;
    }

    private async Task<MonitorEvent?> JudgeGrowthAsync(SignedNote oldNote, Checkpoint old, View now, View blamed, Alarm broken, CancellationToken cancellation)
    {
        if (now.Checkpoint.Size < old.Size)
        {
            return Raise(Alarm.Rewound, blamed.Vantage, $"It had {old.Size} entries and has {now.Checkpoint.Size}.", oldNote, now.Note);
        }
        if (now.Checkpoint.Size == old.Size)
        {
            return now.Checkpoint.Equals(old) ? null : Raise(Alarm.SplitView, blamed.Vantage, $"There are two trees of {old.Size} entries.", oldNote, now.Note);
        }
        if (await now.Reader.FetchConsistencyAsync(old.Size, now.Checkpoint.Size, cancellation) is not { } path)
        {
            return Raise(Alarm.TileWithheld, now.Vantage, $"The tiles that prove the growth from {old.Size} to {now.Checkpoint.Size} entries are not all there.", oldNote, now.Note);
        }
        return ConsistencyProof.Verify(old.Size, old.Root, now.Checkpoint.Size, now.Checkpoint.Root, path.AsSpan()) ? null
            : Raise(broken, blamed.Vantage, $"The tree of {now.Checkpoint.Size} entries does not go on from the one of {old.Size}.", oldNote, now.Note);
    }

    // The next entries: read, hashed, held against the checkpoint, and only then told and remembered.
    private async Task<List<MonitorEvent>> ReadOnAsync(View view, CancellationToken cancellation)
    {
        var events = new List<MonitorEvent>();
        var owed = _state.Owed.ToBuilder();
        var frontier = _state.Frontier;
        long size = view.Checkpoint.Size, end = Math.Min(size, (frontier.Size / TilePath.FullWidth + BundlesAtOnce) * TilePath.FullWidth);
        try
        {
            while (frontier.Size < end)
            {
                long tile = frontier.Size / TilePath.FullWidth;
                int known = (int)(frontier.Size % TilePath.FullWidth);
                if (await view.Reader.FetchBundleAsync(TilePath.InTree(TilePath.EntriesLevel, tile, size), cancellation) is not { } entries)
                {
                    return [Raise(Alarm.EntryWithheld, view.Vantage, $"The entries from {frontier.Size} on are not shown.", view.Note)];
                }
                byte[]? leaves = await view.Reader.FetchTileAsync(TilePath.InTree(0, tile, size), cancellation);
                byte[] own = [.. entries.SelectMany(entry => TreeHash.OfLeaf(entry).ToBytes())];
                if (leaves is null || !leaves.AsSpan().SequenceEqual(own))
                {
                    events.Add(Raise(leaves is null ? Alarm.TileWithheld : Alarm.WrongTile, view.Vantage, $"The tile of the entries from {tile * TilePath.FullWidth} on is not the one of the entries shown.", view.Note));
                }
                foreach (byte[] entry in entries.AsSpan()[known..])
                {
                    events.AddRange(Tell(frontier.Size, entry, owed));
                    frontier.Append(TreeHash.OfLeaf(entry));
                }
            }

            bool proved = end == size ? frontier.Root == view.Checkpoint.Root
                : await view.Reader.FetchConsistencyAsync(end, size, cancellation) is { } path && ConsistencyProof.Verify(end, frontier.Root, size, view.Checkpoint.Root, path.AsSpan());
            if (!proved)
            {
                return [.. events.Where(one => one.Alarm is Alarm.WrongTile or Alarm.TileWithheld), Raise(Alarm.WrongRoot, view.Vantage, $"The entries up to {end} do not give the checkpoint's root.", view.Note)];
            }
        }
        catch (HttpRequestException fault)
        {
            return [Raise(Alarm.Unreachable, view.Vantage, fault.Message)];
        }
        _state = _state.With(frontier) with { Owed = owed.ToImmutable() };
        _state.Save(StateFile, _disk);
        return events;
    }

    private IEnumerable<MonitorEvent> Tell(long index, byte[] bytes, ImmutableArray<OwedArtifact>.Builder owed)
    {
        if (!LogEntry.TryParse(bytes, out var entry))
        {
            yield return Raise(Alarm.MalformedEntry, $"{_options.Log}", $"Entry {index} of {bytes.Length} bytes is no statement.") with { Index = index };
            yield break;
        }
        var statement = entry.Statement;
        yield return new MonitorEvent { Event = "entry", Index = index, Type = $"{statement.Type}", Namespace = statement.Namespace, Words = EntryWords.Of(entry) };
        if (_options.Watched.TryGetValue(statement.Namespace, out var publishers)
            && entry.Verify(statement.Type, statement.Namespace, publishers, _time.GetUtcNow()) is not (EntryFault.None or EntryFault.NotYetValid or EntryFault.Expired) and var fault)
        {
            yield return Raise(Alarm.ForeignEntry, $"{_options.Log}", $"Entry {index} is not signed by a publisher of {statement.Namespace}: {fault}.") with { Index = index };
        }
        if (_options.Artifacts is not null && statement.Release is { } release)
        {
            owed.AddRange(release.Artifacts.Select(artifact => new OwedArtifact(release.Version, artifact.Name, artifact.Sha256)));
        }
    }

    private IEnumerable<MonitorEvent> JudgePromises(View? view)
    {
        var now = _time.GetUtcNow();
        var last = view is not null ? view.Cosignatures : _state.Last($"{_options.Log}") is { } seen ? CheckpointVerification.Verify(seen.Note, _options.Policy, now, null).Cosignatures : [];
        if (_options.Cadence is { } cadence && !last.Any(one => one.Time is { } time && now - time <= cadence))
        {
            yield return Raise(Alarm.CadenceMissed, $"{_options.Log}", $"No checkpoint was cosigned within {cadence}.");
        }
        if (_options.Growth is { } growth && !(now - _state.GrownAt <= growth))
        {
            yield return Raise(Alarm.GrowthMissed, $"{_options.Log}", $"Nothing was added within {growth}.");
        }
    }

    // What was public once with its digest is not asked for again.
    private async Task<List<MonitorEvent>> CheckArtifactsAsync(CancellationToken cancellation)
    {
        var events = new List<MonitorEvent>();
        var still = ImmutableArray.CreateBuilder<OwedArtifact>();
        foreach (var artifact in _state.Owed.Where(_ => _options.Artifacts is not null))
        {
            string address = ArtifactAddress.Of(_options.Artifacts!, artifact);
            string? digest = await DigestAsync(address, cancellation);
            if (digest != artifact.Sha256)
            {
                still.Add(artifact);
                events.Add(Raise(digest is null ? Alarm.ArtifactUnavailable : Alarm.ArtifactDiffers, address, $"{artifact.Name} of release {artifact.Version} is {(digest is null ? "not there" : "another file")}."));
            }
        }
        if (_options.Artifacts is not null && still.Count != _state.Owed.Length)
        {
            _state = _state with { Owed = still.ToImmutable() };
            _state.Save(StateFile, _disk);
        }
        return events;
    }

    private async Task<string?> DigestAsync(string address, CancellationToken cancellation)
    {
        using var slow = new CancellationTokenSource(ArtifactPatience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, slow.Token);
        try
        {
            using var response = await _http.GetAsync(new Uri(address), HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                return null;
            }
            await using var body = await response.Content.ReadAsStreamAsync(either.Token);
            return Hex.Encode(await SHA256.HashDataAsync(body, either.Token));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException || (fault is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    private MonitorEvent Raise(Alarm alarm, string vantage, string words, params ReadOnlySpan<SignedNote> evidence)
    {
        var files = ImmutableArray.CreateBuilder<string>();
        foreach (var note in evidence)
        {
            byte[] bytes = note.ToBytes();
            string file = Path.Combine(_options.Folder, $"evidence-{Hex.Encode(SHA256.HashData(bytes))[..16]}.note");
            if (!File.Exists(file))
            {
                _disk.Replace(file, bytes);
            }
            files.Add(file);
        }
        return new MonitorEvent { Event = "alarm", Alarm = alarm, Vantage = vantage, Words = words, Evidence = files.Count == 0 ? null : files.ToImmutable() };
    }

    private static Alarm Named(CheckpointFault fault) => fault switch
    {
        CheckpointFault.Malformed => Alarm.NoCheckpoint,
        CheckpointFault.UnknownLog => Alarm.UnknownLog,
        CheckpointFault.WrongSignature => Alarm.WrongSignature,
        CheckpointFault.TooFewWitnesses => Alarm.TooFewWitnesses,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
