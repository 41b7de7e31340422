namespace Cloister.Enclave.Evidence;

/// <summary>The enclave's side of what the host's helper keeps for it (docs/spec/collateral.md): says what is wanted, and takes what lies there.</summary>
/// <param name="endorsements">Where the host puts the sets. The enclave only reads there.</param>
/// <param name="requests">Where the enclave says what it wants. Null: somebody tells the helper by hand.</param>
public sealed class HostCollateral(SharedFolder endorsements, SharedFolder? requests)
{
    private readonly Lock _lock = new();
    private WantedCollateral _wanted = new();
    private byte[] _told = [];

    /// <exception cref="IOException">There is no set yet, or it is another chip's or another firmware's. The message is one clear sentence.</exception>
    public SnpSet Take(SnpWant want)
    {
        string? untold = Tell(wanted => wanted with { Snp = want });
        return endorsements.Read(SnpSet.FileName, SnpSet.MaxSize) is not { } file ? throw Missing(SnpSet.FileName, untold)
            : !SnpSet.TryParse(file, out var set) ? throw Malformed(SnpSet.FileName)
            : set.For == want ? set : throw Missing(SnpSet.FileName, untold, other: true);
    }

    /// <exception cref="IOException">As for the other.</exception>
    public TdxSet Take(TdxWant want)
    {
        string? untold = Tell(wanted => wanted with { Tdx = want });
        return endorsements.Read(TdxSet.FileName, TdxSet.MaxSize) is not { } file ? throw Missing(TdxSet.FileName, untold)
            : !TdxSet.TryParse(file, out var set) ? throw Malformed(TdxSet.FileName)
            : set.For == want ? set : throw Missing(TdxSet.FileName, untold, other: true);
    }

    /// <exception cref="IOException">As for the others.</exception>
    public NvidiaSet Take(NvidiaWant want)
    {
        string? untold = Tell(wanted => wanted with { Nvidia = want });
        return endorsements.Read(NvidiaSet.FileName, NvidiaSet.MaxSize) is not { } file ? throw Missing(NvidiaSet.FileName, untold)
            : !NvidiaSet.TryParse(file, out var set) ? throw Malformed(NvidiaSet.FileName)
            : set.For.Manifests.SequenceEqual(want.Manifests) && set.For.Chains.SequenceEqual(want.Chains) ? set : throw Missing(NvidiaSet.FileName, untold, other: true);
    }

    // A host that takes no notes may still have handed over what is needed; its fault is told only where something lacks.
    private string? Tell(Func<WantedCollateral, WantedCollateral> add)
    {
        if (requests is null)
        {
            return null;
        }
        lock (_lock)
        {
            _wanted = add(_wanted);
            byte[] wanted = _wanted.ToBytes();
            try
            {
                if (!wanted.AsSpan().SequenceEqual(_told))
                {
                    requests.Replace(WantedCollateral.FileName, wanted);
                    _told = wanted;
                }
                return null;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                return fault.Message;
            }
        }
    }

    private IOException Missing(string name, string? untold, bool other = false) => new(
        $"The host has put no {name} {(other ? "for this machine and its present firmware " : "")}into {endorsements.Path}: "
        + (untold is null ? "its helper fetches it (cloister collateral)." : $"its helper could not be told what to fetch ({untold.TrimEnd('.')})."));

    private IOException Malformed(string name) => new($"{endorsements.Path}/{name} is not what the host's helper writes.");
}
