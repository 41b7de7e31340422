using Cloister.Log.Storage;

namespace Cloister.Log.Tests.Disks;

/// <summary>The power failed, here and now.</summary>
internal sealed class PowerCutException : Exception;

/// <summary>How a disk ends one run.</summary>
internal enum DiskFate
{
    /// <summary>The power fails: whatever was not flushed may be there, or not, or in part.</summary>
    PowerCut,

    /// <summary>The process is killed: the disk keeps all it was given, flushed or not. The power may fail later.</summary>
    Kill,

    /// <summary>One call fails, half done, and the process lives on: a full disk.</summary>
    Full,
}

/// <summary>A real folder, and what a power cut would take from it. Every call is a step; at one of them the fate comes.</summary>
internal sealed class PowerCutDisk(int fatalStep, DiskFate fate, int seed) : Disk
{
    private readonly Random _random = new(seed);
    private readonly List<(string Folder, Action Undo)> _unflushed = []; // in the order in which they were done
    private bool _ended;

    /// <summary>Goes on after a kill: what was not flushed then is not flushed now.</summary>
    public PowerCutDisk After(PowerCutDisk? killed)
    {
        _unflushed.AddRange(killed?._unflushed ?? []);
        return this;
    }

    public int Steps { get; private set; }

    public bool Came => _ended;

    public override void CreateFolder(string path)
    {
        Step(() => { });
        base.CreateFolder(path);
        Forget(path, () => base.DeleteFolder(path));
    }

    public override void Write(string path, ReadOnlySpan<byte> bytes)
    {
        byte[] whole = bytes.ToArray();
        Step(() => Tear(path, whole));
        bool fresh = !File.Exists(path);
        base.Write(path, bytes);
        if (fresh)
        {
            Forget(path, () => File.Delete(path));
        }
    }

    public override void Rename(string from, string to)
    {
        Step(() => { });
        byte[]? before = File.Exists(to) ? File.ReadAllBytes(to) : null, content = File.ReadAllBytes(from);
        base.Rename(from, to);
        Forget(to, () =>
        {
            if (before is null)
            {
                File.Delete(to);
            }
            else
            {
                File.WriteAllBytes(to, before);
            }
            if (Directory.Exists(Path.GetDirectoryName(from)))
            {
                File.WriteAllBytes(from, content);
            }
        });
    }

    public override void FlushFolder(string path)
    {
        Step(() => { });
        base.FlushFolder(path);
        _unflushed.RemoveAll(one => one.Folder == path);
    }

    public override void DeleteFolder(string path)
    {
        Step(() =>
        {
            // Half of it.
            foreach (string file in Directory.Exists(path) ? Directory.GetFiles(path) : [])
            {
                if (_random.Next(2) == 0)
                {
                    File.Delete(file);
                }
            }
        });
        base.DeleteFolder(path);
    }

    /// <summary>A step that something else than this disk does.</summary>
    public void Step() => Step(() => { });

    /// <summary>What the power cut takes: each unflushed change for itself, or not.</summary>
    public void LosePower()
    {
        foreach (var (_, undo) in Enumerable.Reverse(_unflushed))
        {
            if (_random.Next(2) == 0)
            {
                try
                {
                    undo();
                }
                catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
                {
                    // It went with its folder.
                }
            }
        }
        _unflushed.Clear();
    }

    private void Step(Action half)
    {
        if (_ended && fate is not DiskFate.Full)
        {
            throw new PowerCutException(); // nothing more happens
        }
        if (Steps++ != fatalStep)
        {
            return;
        }
        _ended = true;
        half();
        throw fate is DiskFate.Full ? new IOException("No space left on device.") : new PowerCutException();
    }

    private void Tear(string path, byte[] whole)
    {
        byte[] torn = _random.Next(4) switch { 0 => [], 1 => whole[..(whole.Length / 2)], 2 => new byte[whole.Length], _ => whole };
        File.WriteAllBytes(path, torn);
    }

    private void Forget(string path, Action undo) => _unflushed.Add((Path.GetDirectoryName(path)!, undo));
}
