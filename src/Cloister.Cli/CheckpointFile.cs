using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Log.Storage;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Cli;

/// <summary>What this machine remembers of a log: a file for each log, by its key. Several commands may work on it at once.</summary>
internal sealed class CheckpointFile(string folder, string name) : CheckpointMemory
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(20);

    private readonly string _file = Path.Combine(folder, name);

    /// <summary>The memory for the log that a policy names; where it names none there is nothing to remember.</summary>
    public static CheckpointMemory For(AppraisalPolicy policy, DataFolder data) =>
        policy.Publication is { } demands && LogPolicy.TryParse(Encoding.UTF8.GetBytes(demands.Log), out var log, out _)
            ? new CheckpointFile(data.CheckpointsPath, Hex.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', log.Logs.Select(one => $"{one.Key}")))).AsSpan(0, 16)))
            : ForThisRun();

    public override async ValueTask<string?> LoadAsync(CancellationToken cancellationToken) => File.Exists(_file) ? await File.ReadAllTextAsync(_file, cancellationToken) : null;

    /// <summary>A larger checkpoint, which another command has remembered meanwhile, stays.</summary>
    public override async ValueTask SaveAsync(string text, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        using var held = await LockAsync(cancellationToken);
        bool known = await LoadAsync(cancellationToken) is { } before && Checkpoint.TryParse(before, out var old) && Checkpoint.TryParse(text, out var next) && old.Origin == next.Origin && old.Size >= next.Size;
        if (!known)
        {
            Disk.Real.Replace(_file, Encoding.UTF8.GetBytes(text));
        }
    }

    private async Task<FileStream> LockAsync(CancellationToken cancellation)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream($"{_file}.lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(began) < LockPatience)
            {
                await Task.Delay(LockPause, cancellation);
            }
        }
    }
}
