using System.Diagnostics;
using Cloister.Log.Storage;

namespace Cloister.Log.Tests.Disks;

/// <summary>A disk on which now and then a call fails, done by half or whole, and on which now and then the process dies in the middle of one.</summary>
internal sealed class FaultyDisk(int seed) : Disk
{
    private const int FaultOneIn = 150;
    private const int DeathOneIn = 600;

    private readonly Random _random = new(seed);

    public override void CreateFolder(string path) => Do(() => base.CreateFolder(path), () => { });

    public override void Write(string path, ReadOnlySpan<byte> bytes)
    {
        byte[] whole = bytes.ToArray();
        Do(() => base.Write(path, whole), () => File.WriteAllBytes(path, whole[..(whole.Length / 2)]));
    }

    public override void Rename(string from, string to) => Do(() => base.Rename(from, to), () => { });

    public override void FlushFolder(string path) => Do(() => base.FlushFolder(path), () => { });

    private void Do(Action whole, Action half)
    {
        lock (_random)
        {
            if (_random.Next(DeathOneIn) == 0)
            {
                half();
                Process.GetCurrentProcess().Kill(); // SIGKILL to nobody but ourselves
            }
            if (_random.Next(FaultOneIn) == 0)
            {
                (_random.Next(2) == 0 ? half : whole)();
                throw new IOException("No space left on device.");
            }
        }
        whole();
    }
}
