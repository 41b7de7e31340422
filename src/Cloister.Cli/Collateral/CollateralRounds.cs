using Cloister.Enclave.Evidence;

namespace Cloister.Cli.Collateral;

/// <summary>Keeps one enclave's sets current: reads what it wants, gathers it, and puts down what is new (docs/spec/collateral.md).</summary>
internal sealed class CollateralRounds(SharedFolder requests, SharedFolder endorsements, KeptAnswers answers, Vendors vendors, TimeProvider time)
{
    // Ours to choose: how long a maker is left alone after a fault, doubled each time.
    private static readonly TimeSpan FirstRest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestAskedRest = TimeSpan.FromDays(1);

    private readonly Dictionary<string, Rest> _rests = [];

    public SharedFolder Endorsements => endorsements;

    /// <summary>One look at what is wanted. Nothing is asked of a maker that is at rest, nor for what is young enough.</summary>
    public async Task<Round> RunAsync(CancellationToken cancellation = default)
    {
        var round = new Round();
        if (ReadWanted(round) is { } wanted)
        {
            if (wanted.Snp is { } snp)
            {
                await KeepAsync(round, SnpSet.FileName, $"{snp}", async gathering => (await new AmdCollateral(vendors, snp).GatherAsync(gathering)).ToBytes(), cancellation);
            }
            if (wanted.Tdx is { } tdx)
            {
                await KeepAsync(round, TdxSet.FileName, $"{tdx}", async gathering => (await new IntelCollateral(vendors, tdx).GatherAsync(gathering)).ToBytes(), cancellation);
            }
            if (wanted.Nvidia is { } nvidia)
            {
                string what = string.Join(' ', [.. nvidia.Manifests, .. nvidia.Chains]);
                await KeepAsync(round, NvidiaSet.FileName, what, async gathering => (await new NvidiaCollateral(vendors, nvidia).GatherAsync(gathering)).ToBytes(), cancellation);
            }
        }
        return round;
    }

    private WantedCollateral? ReadWanted(Round round)
    {
        try
        {
            if (requests.Read(WantedCollateral.FileName, WantedCollateral.MaxSize) is not { } file)
            {
                round.Fail($"{requests.Path} holds no {WantedCollateral.FileName}: the enclave has not said yet what it needs.");
                return null;
            }
            if (WantedCollateral.TryParse(file, out var wanted))
            {
                return wanted;
            }
            round.Fail($"{requests.Path}/{WantedCollateral.FileName} is not what an enclave writes.");
        }
        catch (IOException fault)
        {
            round.Fail(fault.Message);
        }
        return null;
    }

    private async Task KeepAsync(Round round, string name, string what, Func<Gathering, Task<byte[]>> gather, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var rest = _rests.GetValueOrDefault(name) is { } known && known.What == what ? known : new Rest(what, 0, DateTimeOffset.MinValue, "");
        if (rest.Until > now)
        {
            round.Repeat(rest.Because, rest.IsWhole);
            return;
        }

        var gathering = new Gathering(answers, cancellation);
        try
        {
            byte[] set = await gather(gathering);
            if (!IsThere(name, set))
            {
                endorsements.Replace(name, set);
                round.Written.Add(name);
            }
            _rests.Remove(name);
            if (gathering.Bridged is [{ } bridged, ..])
            {
                round.Bridge(bridged.Message);
                _rests[name] = rest.Longer(bridged.Wait, now, bridged.Message, whole: true);
            }
        }
        catch (Exception fault) when (fault is VendorFault or IOException or UnauthorizedAccessException)
        {
            round.Fail(fault.Message);
            _rests[name] = rest.Longer((fault as VendorFault)?.Wait, now, fault.Message, whole: false);
        }
    }

    // Whatever else lies there, a longer file or a link, is replaced.
    private bool IsThere(string name, byte[] set)
    {
        try
        {
            return endorsements.Read(name, set.Length) is { } file && file.AsSpan().SequenceEqual(set);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private sealed record Rest(string What, int Faults, DateTimeOffset Until, string Because)
    {
        public bool IsWhole { get; private init; }

        public Rest Longer(TimeSpan? asked, DateTimeOffset now, string because, bool whole)
        {
            var own = FirstRest * Math.Min(Math.Pow(2, Faults), LongestRest / FirstRest);
            var wait = asked > own ? (asked < LongestAskedRest ? asked.Value : LongestAskedRest) : own;
            return new Rest(What, Faults + 1, now + wait, because) { IsWhole = whole };
        }
    }
}

/// <summary>What came of one look.</summary>
internal sealed class Round
{
    /// <summary>Everything that is wanted is there and counts.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>The sets that were put down.</summary>
    public List<string> Written { get; } = [];

    /// <summary>Each a sentence.</summary>
    public List<string> Faults { get; } = [];

    public void Fail(string sentence)
    {
        IsWhole = false;
        Faults.Add(sentence);
    }

    public void Bridge(string sentence) => Faults.Add(sentence);

    public void Repeat(string sentence, bool whole)
    {
        IsWhole &= whole;
        Faults.Add(sentence);
    }
}
