using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Web.Proof;

/// <summary>What this browser remembers of a log, in the page's own storage: under a name of each log, by its key. Clearing the site's data forgets it.</summary>
internal sealed class PageMemory(string name) : CheckpointMemory
{
    public static CheckpointMemory For(AppraisalPolicy policy) =>
        policy.Publication is { } demands && LogPolicy.TryParse(Encoding.UTF8.GetBytes(demands.Log), out var log, out _)
            ? new PageMemory($"cloister checkpoint {Hex.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', log.Logs.Select(one => $"{one.Key}")))).AsSpan(0, 16))}")
            : ForThisRun();

    public override async ValueTask<string?> LoadAsync(CancellationToken cancellationToken)
    {
        await Shell.ImportAsync();
        return Shell.Remembered(name);
    }

    public override async ValueTask SaveAsync(string text, CancellationToken cancellationToken)
    {
        await Shell.ImportAsync();
        Shell.Remember(name, text);
    }
}
