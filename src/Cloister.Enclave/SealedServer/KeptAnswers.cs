using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Enclave.SealedServer;

/// <summary>Answers that their clients may resume (docs/spec/exchanges.md, section 4). In memory only, bounded, and wiped.</summary>
internal sealed class KeptAnswers : IDisposable
{
    // Ours to choose: in progress, or waiting for a client that was cut off.
    private const int MaxAnswers = 512;

    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<UInt128, KeptAnswer> _answers = new();
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;

    public KeptAnswers(TimeProvider time)
    {
        _time = time;
        _sweep = time.CreateTimer(static answers => ((KeptAnswers)answers!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    public int Count => _answers.Count;

    /// <summary>Null where too many are kept already: the answer is then not resumable.</summary>
    /// <param name="stop">Ends the making of the answer, when nobody will come for it any more.</param>
    public KeptAnswer? Begin(UInt128 name, ReadOnlySpan<byte> key, Action stop)
    {
        var answer = new KeptAnswer(name, SHA256.HashData(key), stop, _time);
        return _answers.Count < MaxAnswers && _answers.TryAdd(name, answer) ? answer : null;
    }

    /// <summary>A wrong key finds as little as an unknown name.</summary>
    public bool TryFind(UInt128 name, ReadOnlySpan<byte> key, [NotNullWhen(true)] out KeptAnswer? answer) =>
        _answers.TryGetValue(name, out answer) && CryptographicOperations.FixedTimeEquals(answer.KeyHash, SHA256.HashData(key));

    public void Forget(KeptAnswer answer)
    {
        _answers.TryRemove(new(answer.Name, answer));
        answer.Wipe();
    }

    public void Dispose()
    {
        _sweep.Dispose();
        foreach (var answer in _answers.Values)
        {
            Forget(answer);
        }
    }

    private void Sweep()
    {
        foreach (var answer in _answers.Values.Where(answer => answer.IsStale))
        {
            Forget(answer);
        }
    }
}
