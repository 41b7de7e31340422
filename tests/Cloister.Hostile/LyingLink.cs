using System.Collections.Immutable;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;

namespace Cloister.Hostile;

/// <summary>A device's way to an operator that lies while it wants to: what is answered goes through the formats as it would over a network.</summary>
internal sealed class LyingLink(MemoryOperator operatorSide) : AccountLink
{
    private readonly MemoryLink _truth = new(operatorSide);

    /// <summary>What is shown instead of the true page for what comes after a sequence; null: the truth.</summary>
    public Func<ChangePage?, ulong, ChangePage?>? Page { get; set; }

    /// <summary>What is shown instead of the true page's bytes.</summary>
    public Func<byte[], byte[]>? Bytes { get; set; }

    public Func<ImmutableArray<EpochRecord>, ImmutableArray<EpochRecord>>? Epochs { get; set; }

    public Func<ChangeBatch, PushOutcome>? Push { get; set; }

    /// <summary>Batches that came.</summary>
    public int Pushes { get; private set; }

    /// <summary>Pages that were asked for.</summary>
    public int Fetches { get; private set; }

    public void TellTheTruth() => (Page, Bytes, Epochs, Push) = (null, null, null, null);

    public override async Task<PushOutcome> PushAsync(ChangeBatch batch, CancellationToken cancellationToken)
    {
        Pushes++;
        return Push is { } lie ? lie(batch) : await _truth.PushAsync(batch, cancellationToken);
    }

    public override async Task<ChangePage?> FetchAsync(ulong after, CancellationToken cancellationToken)
    {
        Fetches++;
        var page = await _truth.FetchAsync(after, cancellationToken);
        page = Page is { } lie ? lie(page, after) : page;
        if (page is null)
        {
            return null;
        }
        byte[] bytes = page.ToBytes();
        return ChangePage.TryParse(Bytes is { } cut ? cut(bytes) : bytes, out var read, out _) ? read : throw new OperatorUnreachableException("No page.");
    }

    public override async Task<ImmutableArray<EpochRecord>> EpochsAsync(CancellationToken cancellationToken)
    {
        var epochs = await _truth.EpochsAsync(cancellationToken);
        return Epochs is { } lie ? lie(epochs) : epochs;
    }

    // No feed: every attempt is asked for.
    public override async IAsyncEnumerable<ulong> ListenAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        yield break;
    }

    public override Task PutPartAsync(Identity attachment, int part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => _truth.PutPartAsync(attachment, part, bytes, cancellationToken);

    public override Task<byte[]?> GetPartAsync(Identity attachment, int part, CancellationToken cancellationToken) => _truth.GetPartAsync(attachment, part, cancellationToken);

    public override Task<ImmutableArray<int>> PartsAsync(Identity attachment, CancellationToken cancellationToken) => _truth.PartsAsync(attachment, cancellationToken);

    public override Task DeleteAttachmentAsync(Identity attachment, CancellationToken cancellationToken) => _truth.DeleteAttachmentAsync(attachment, cancellationToken);
}
