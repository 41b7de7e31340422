using System.Collections.Concurrent;
using System.Text;
using Cloister.Log.Storage;
using Cloister.Transparency;
using Cloister.Wire;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Log.Witnesses;

/// <summary>The last checkpoint of each log that a witness cosigned: one file for each, replaced before an answer leaves.</summary>
internal sealed class WitnessMemory : IDisposable
{
    private readonly string _folder;
    private readonly Disk _disk;
    private readonly SafeFileHandle _lock; // two processes that remember apart would cosign two histories
    private readonly ConcurrentDictionary<string, Checkpoint> _last = new(StringComparer.Ordinal);

    /// <exception cref="LogStoppedException">Another process has the folder, or a file in it is none of a witness.</exception>
    public WitnessMemory(string folder, IEnumerable<string> origins, Disk disk)
    {
        (_folder, _disk) = (Path.GetFullPath(folder), disk);
        Directory.CreateDirectory(_folder);
        _disk.FlushFolder(Path.GetDirectoryName(_folder)!);
        _lock = Disk.Lock(_folder);
        try
        {
            foreach (string origin in origins.Distinct(StringComparer.Ordinal))
            {
                if (_disk.Read(PathOf(origin)) is { } bytes)
                {
                    _last[origin] = Checkpoint.TryParse(Encoding.UTF8.GetString(bytes), out var checkpoint) && checkpoint.Origin == origin ? checkpoint
                        : throw new LogStoppedException(LogFault.OtherLog, $"'{PathOf(origin)}' is not what this witness wrote. Without its memory it must not cosign.");
                }
            }
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    public Checkpoint? Last(string origin) => _last.GetValueOrDefault(origin);

    /// <summary>Returns when it outlives a power cut. Where it throws, what is remembered stays; the file may be either.</summary>
    public void Remember(Checkpoint checkpoint)
    {
        _disk.Replace(PathOf(checkpoint.Origin), Encoding.UTF8.GetBytes(checkpoint.ToString()));
        _last[checkpoint.Origin] = checkpoint;
    }

    public void Dispose() => _lock.Dispose();

    private string PathOf(string origin) => Path.Combine(_folder, $"{Hex.Encode(TreeHash.OfLeaf(Encoding.UTF8.GetBytes(origin)).ToBytes())}.checkpoint");
}
