using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;

namespace Cloister.Client.Tests.History;

/// <summary>A device's way to an operator on which something happens between an answer and its arrival, once.</summary>
internal sealed class SlowLink(MemoryOperator operatorSide) : MemoryLink(operatorSide)
{
    public Func<CancellationToken, Task>? AfterEpochs { get; set; }

    public Func<CancellationToken, Task>? AfterPush { get; set; }

    /// <summary>After a page, and after which sequence that was asked for.</summary>
    public (ulong Asked, Func<CancellationToken, Task> What)? AfterPage { get; set; }

    /// <summary>Somebody else's code may throw anything.</summary>
    public Exception? Deaf { get; set; }

    public override async Task<ImmutableArray<EpochRecord>> EpochsAsync(CancellationToken cancellationToken)
    {
        var epochs = await base.EpochsAsync(cancellationToken);
        (var what, AfterEpochs) = (AfterEpochs, null);
        await (what?.Invoke(cancellationToken) ?? Task.CompletedTask);
        return epochs;
    }

    public override async Task<PushOutcome> PushAsync(ChangeBatch batch, CancellationToken cancellationToken)
    {
        var outcome = await base.PushAsync(batch, cancellationToken);
        (var what, AfterPush) = (AfterPush, null);
        await (what?.Invoke(cancellationToken) ?? Task.CompletedTask);
        return outcome;
    }

    public override async Task<ChangePage?> FetchAsync(ulong after, CancellationToken cancellationToken)
    {
        var page = await base.FetchAsync(after, cancellationToken);
        if (AfterPage is { } hook && hook.Asked == after)
        {
            AfterPage = null;
            await hook.What(cancellationToken);
        }
        return page;
    }

    public override async IAsyncEnumerable<ulong> ListenAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Deaf is { } fault)
        {
            throw fault;
        }
        await foreach (ulong sequence in base.ListenAsync(cancellationToken))
        {
            yield return sequence;
        }
    }
}
