using System.Collections.Immutable;
using System.Text;
using Cloister.Log.Queue;
using Cloister.Log.Sequencing;
using Cloister.Log.Storage;
using Cloister.Log.Tests.Disks;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

/// <summary>The end comes at step k, for every k, and once more while the log gets up again. Docs/spec/log.md, section 3.</summary>
public sealed class PowerCutTests : IDisposable
{
    // Over the edges of tiles: a full one, partial ones before and after.
    private static readonly int[] Batches = [1, 3, 253, 2, 260];

    private readonly string _folder = Directory.Exists("/dev/shm") ? Directory.CreateDirectory(Path.Combine("/dev/shm", $"cloister-{Guid.NewGuid():n}")).FullName : Directory.CreateTempSubdirectory("cloister-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(DiskFate.PowerCut, DiskFate.PowerCut, 0)]
    [InlineData(DiskFate.PowerCut, DiskFate.Full, 1)]
    [InlineData(DiskFate.Kill, DiskFate.Kill, 2)]
    [InlineData(DiskFate.Kill, DiskFate.PowerCut, 3)]
    [InlineData(DiskFate.Full, DiskFate.PowerCut, 4)]
    internal async Task No_step_loses_an_acknowledged_entry_or_makes_a_second_checkpoint(DiskFate first, DiskFate second, int seed)
    {
        int step = 0;
        for (bool came = true; came; step++)
        {
            var random = new Random(HashCode.Combine(seed, step));
            var run = new Run(Path.Combine(_folder, $"{step}"));
            var disk = new PowerCutDisk(step, first, random.Next());
            came = await run.LiveAsync(disk, first, random.Next());
            if (came)
            {
                // Once more, early: while it recovers.
                disk = new PowerCutDisk(random.Next(40), second, random.Next()).After(first is DiskFate.PowerCut ? null : disk);
                await run.LiveAsync(disk, second, random.Next());
            }
            await run.LiveAsync(new PowerCutDisk(int.MaxValue, DiskFate.Full, 0), DiskFate.Full, random.Next());
            await run.CheckAsync();
            Directory.Delete(Path.Combine(_folder, $"{step}"), recursive: true);
        }
        Assert.True(step > 100, $"There were {step} steps only.");
    }

    /// <summary>A log, what it told the world, and the world's memory.</summary>
    private sealed class Run(string folder)
    {
        private static readonly SignerKey Key = SignerKey.ImportSeed(Town.Origin, NoteKeyType.Ed25519, new byte[32]);
        private static readonly SignerKey WitnessKey = SignerKey.ImportSeed("w", NoteKeyType.Ed25519Cosignature, new byte[32]);

        private readonly Dictionary<long, string> _told = []; // each size's checkpoint, as it left the log
        private readonly List<(byte[] Entry, long Index)> _acknowledged = [];
        private Checkpoint? _witnessed;
        private Checkpoint? _shown;

        /// <summary>One life: all that is still to be done, or until the end comes. Whether it came.</summary>
        /// <param name="order">In which order publishers come this time: after the end nobody owes the log the order of before.</param>
        public async Task<bool> LiveAsync(PowerCutDisk disk, DiskFate fate, int order)
        {
            try
            {
                await WorkAsync(disk, new Random(order));
            }
            catch (Exception end) when (end is PowerCutException or IOException)
            {
                if (fate is DiskFate.PowerCut)
                {
                    disk.LosePower();
                }
            }
            return disk.Came;
        }

        public async Task CheckAsync()
        {
            using var store = new TileFolder(Path.Combine(folder, "tiles"), Disk.Real);
            Assert.Equal(Batches.Sum(), _acknowledged.Count);
            Assert.Equal(Batches.Sum(), _witnessed!.Size);
            var frontier = new TreeFrontier();
            var entries = new List<byte[]>();
            for (long tile = 0; tile * 256 < _witnessed.Size; tile++)
            {
                var path = TilePath.InTree(TilePath.EntriesLevel, tile, _witnessed.Size);
                byte[]? bytes = await store.ReadAsync(path, CancellationToken.None);
                Assert.NotNull(bytes);
                Assert.True(EntryBundle.TryDecode(bytes, path.Width, out var read, out var error), $"{path}: {error}");
                entries.AddRange(read);
            }
            Assert.All(_acknowledged, one => Assert.Equal(one.Entry, entries[(int)one.Index]));

            // Every checkpoint that ever left is a prefix of what is there now.
            for (int size = 0; size <= entries.Count; size++)
            {
                if (_told.TryGetValue(size, out string? told))
                {
                    Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes(told), out var note, out _) && Checkpoint.TryParse(note.Text, out var checkpoint) && checkpoint.Root == frontier.Root);
                }
                if (size < entries.Count)
                {
                    frontier.Append(TreeHash.OfLeaf(entries[size]));
                }
            }
        }

        private async Task WorkAsync(PowerCutDisk disk, Random order)
        {
            await using var log = await OpenLog.OpenAsync(Key, () => new SteppedQueue(new SqliteQueue(folder, disk), disk), () => new TileFolder(Path.Combine(folder, "tiles"), disk), CancellationToken.None);
            await PublishAsync(log.Writer);
            int entry = 0;
            foreach (int size in Batches)
            {
                byte[][] batch = [.. Enumerable.Range(entry, size).Select(i => Encoding.UTF8.GetBytes($"entry {i}"))];
                entry += size;
                order.Shuffle(batch);
                ImmutableArray<(TreeHash, ReadOnlyMemory<byte>)> fresh = [.. batch.Where(one => !log.Recent.TryFind(TreeHash.OfLeaf(one), out _)).Select(one => (TreeHash.OfLeaf(one), (ReadOnlyMemory<byte>)one))];
                long first = log.Writer.Size;
                if (!fresh.IsEmpty)
                {
                    await log.Writer.AppendAsync(fresh, CancellationToken.None);
                }
                foreach (var (leaf, _) in fresh)
                {
                    log.Recent.Add(leaf, first++);
                }
                await PublishAsync(log.Writer);
                foreach (byte[] one in batch.Where(one => !_acknowledged.Exists(other => other.Entry.AsSpan().SequenceEqual(one))))
                {
                    Assert.True(log.Recent.TryFind(TreeHash.OfLeaf(one), out long index));
                    _acknowledged.Add((one, index));
                }
            }
        }

        private async Task PublishAsync(LogWriter writer)
        {
            Assert.Equal(_told.GetValueOrDefault(writer.Size, writer.Record.ToString()), writer.Record.ToString());
            _told[writer.Size] = writer.Record.ToString();

            // The published checkpoint never went back, whatever the power took.
            if (_shown is not null)
            {
                Assert.NotNull(writer.Published);
                Assert.True(Checkpoint.TryParse(writer.Published.Text, out var published) && published.Size >= _shown.Size);
            }

            long oldSize = _witnessed?.Size ?? 0;
            Assert.True(ConsistencyProof.TryMake(writer.Nodes, oldSize, writer.Size, out var path) || oldSize < writer.Size);
            var request = new AddCheckpointRequest(oldSize, path.Length > 0 || oldSize is 0 || oldSize == writer.Size ? [.. path] : [.. await ProveAsync(oldSize, writer.Size)], writer.Record);
            var decision = Witness.Decide(request.ToBytes(), [Key.Verifier], _ => _witnessed, [WitnessKey], DateTimeOffset.UnixEpoch);
            Assert.Equal(WitnessAnswer.Cosigned, decision.Answer);
            _witnessed = decision.State;
            Assert.True(AddCheckpointRequest.TryParseAnswer(decision.Body.AsSpan(), out var cosignatures));
            await writer.PublishAsync(writer.Record.With(cosignatures), CancellationToken.None);
            _shown = _witnessed;
        }

        private async Task<TreeHash[]> ProveAsync(long oldSize, long newSize)
        {
            var set = new TileSet();
            var files = new TileFiles(Path.Combine(folder, "tiles"));
            foreach (var tile in TileSet.ForConsistency(oldSize, newSize))
            {
                Assert.True(set.TryAdd(tile, await files.ReadHashesAsync(tile, CancellationToken.None)));
            }
            Assert.True(ConsistencyProof.TryMake(set.Reader, oldSize, newSize, out var path));
            return path;
        }
    }

    /// <summary>The real queue, whose every act the end may come before or after. SQLite's own files are SQLite's to keep.</summary>
    private sealed class SteppedQueue(IPendingQueue queue, PowerCutDisk disk) : IPendingQueue
    {
        public Task<PendingState> OpenAsync(string origin, CancellationToken cancellation) => DoAsync(() => queue.OpenAsync(origin, cancellation));

        public Task AppendAsync(PendingBatch batch, CancellationToken cancellation) => DoAsync(async () =>
        {
            await queue.AppendAsync(batch, cancellation);
            return 0;
        });

        public Task RecordAsync(SignedNote checkpoint, long size, long previous, CancellationToken cancellation) => DoAsync(async () =>
        {
            await queue.RecordAsync(checkpoint, size, previous, cancellation);
            return 0;
        });

        public ValueTask DisposeAsync() => queue.DisposeAsync();

        private async Task<T> DoAsync<T>(Func<Task<T>> act)
        {
            disk.Step();
            var result = await act();
            disk.Step();
            return result;
        }
    }
}
