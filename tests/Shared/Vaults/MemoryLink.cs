using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Cloister.Client.History;
using Cloister.Ledger;

namespace Cloister.Testing.Vaults;

/// <summary>What happens to a request.</summary>
public enum RequestFate
{
    Answered,
    /// <summary>It does not arrive.</summary>
    Lost,
    /// <summary>It arrives and its answer does not.</summary>
    AnswerLost,
    /// <summary>The program dies before it is sent.</summary>
    DiesBefore,
    /// <summary>It arrives and the program dies.</summary>
    DiesAfter,
}

/// <summary>A device's way to an operator in memory, on which requests and answers get lost.</summary>
public class MemoryLink(MemoryOperator operatorSide) : AccountLink
{
    private readonly ConcurrentDictionary<(Identity, int), byte[]> _parts = new();

    /// <summary>Asked at each request.</summary>
    public Func<RequestFate> Fate { get; set; } = () => RequestFate.Answered;

    public bool IsEnded { get; set; }

    public MemoryOperator Operator => operatorSide;

    public override Task<PushOutcome> PushAsync(ChangeBatch batch, CancellationToken cancellationToken) => AskAsync(() => operatorSide.Push(batch.ToBytes()));

    public override Task<ChangePage?> FetchAsync(ulong after, CancellationToken cancellationToken) => AskAsync(() => operatorSide.Fetch(after));

    public override Task<ImmutableArray<EpochRecord>> EpochsAsync(CancellationToken cancellationToken) => AskAsync(() => operatorSide.Epochs.ToImmutableArray());

    public override async IAsyncEnumerable<ulong> ListenAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = System.Threading.Channels.Channel.CreateUnbounded<ulong>();
        void Tell(ulong sequence) => channel.Writer.TryWrite(sequence);
        operatorSide.Advanced += Tell;
        try
        {
            if (await AskAsync(() => operatorSide.Newest) is { } newest)
            {
                yield return newest.Head.Sequence;
            }
            await foreach (ulong sequence in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return sequence;
            }
        }
        finally
        {
            operatorSide.Advanced -= Tell;
        }
    }

    public override Task PutPartAsync(Identity attachment, int part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => AskAsync(() => _parts[(attachment, part)] = bytes.ToArray());

    public override Task<byte[]?> GetPartAsync(Identity attachment, int part, CancellationToken cancellationToken) => AskAsync(() => _parts.GetValueOrDefault((attachment, part)));

    public override Task<ImmutableArray<int>> PartsAsync(Identity attachment, CancellationToken cancellationToken) =>
        AskAsync(() => _parts.Keys.Where(key => key.Item1 == attachment).Select(key => key.Item2).Order().ToImmutableArray());

    public override Task DeleteAttachmentAsync(Identity attachment, CancellationToken cancellationToken) => AskAsync(() =>
    {
        foreach (var key in _parts.Keys.Where(key => key.Item1 == attachment))
        {
            _parts.TryRemove(key, out _);
        }
        return true;
    });

    private Task<T> AskAsync<T>(Func<T> ask)
    {
        if (IsEnded)
        {
            throw new AccountEndedException("Removed.");
        }
        var fate = Fate();
        if (fate is RequestFate.DiesBefore)
        {
            throw new CrashException();
        }
        if (fate is RequestFate.Lost)
        {
            throw new OperatorUnreachableException("Lost.");
        }
        var answer = ask();
        return fate switch
        {
            RequestFate.DiesAfter  => throw new CrashException(),
            RequestFate.AnswerLost => throw new OperatorUnreachableException("Its answer was lost."),
            _                      => Task.FromResult(answer),
        };
    }
}
