using System.Collections.Immutable;
using Cloister.Ledger;

namespace Cloister.Client.History;

/// <summary>The way to the operator for one signed-in account (docs/spec/accounts.md): a process boundary. It renews its session by itself, tries nothing twice, and believes nothing.</summary>
/// <remarks>
/// Each member throws <see cref="OperatorUnreachableException"/> where there is no answer, one that is not in the format, or one that says "later" (429, 5xx), and
/// <see cref="AccountEndedException"/> where this device may not sign in any more.
/// </remarks>
public abstract class AccountLink
{
    /// <summary>Sends a batch. Throwing leaves open whether it was taken: the same batch may be sent again.</summary>
    public abstract Task<PushOutcome> PushAsync(ChangeBatch batch, CancellationToken cancellationToken);

    /// <summary>What changed after a sequence; null where the operator says that there is no head yet.</summary>
    public abstract Task<ChangePage?> FetchAsync(ulong after, CancellationToken cancellationToken);

    /// <summary>The sequence of the newest head, at once and whenever there is a newer one. Ends, or throws, when the connection does.</summary>
    public abstract IAsyncEnumerable<ulong> ListenAsync(CancellationToken cancellationToken);

    /// <summary>The epoch records as the operator shows them, from the first. Not verified.</summary>
    public abstract Task<ImmutableArray<EpochRecord>> EpochsAsync(CancellationToken cancellationToken);

    /// <summary>Stores a part of an attachment. The same bytes again change nothing.</summary>
    /// <exception cref="AttachmentRefusedException">The operator has other bytes there, or no room.</exception>
    public abstract Task PutPartAsync(Identity attachment, int part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>The sealed bytes of a part; null where there is none.</summary>
    public abstract Task<byte[]?> GetPartAsync(Identity attachment, int part, CancellationToken cancellationToken);

    /// <summary>Which parts there are, in order; empty where there is no such attachment. So an upload goes on where it stopped.</summary>
    public abstract Task<ImmutableArray<int>> PartsAsync(Identity attachment, CancellationToken cancellationToken);

    /// <summary>Removes an attachment. One that is not there is removed.</summary>
    public abstract Task DeleteAttachmentAsync(Identity attachment, CancellationToken cancellationToken);
}

/// <summary>What the operator answered to a batch.</summary>
public abstract record PushOutcome
{
    private protected PushOutcome() { }

    /// <summary>Taken, now or before.</summary>
    /// <param name="Sequence">Of the batch's head.</param>
    public sealed record Taken(ulong Sequence) : PushOutcome;

    /// <summary>The head does not follow the newest: fetch first.</summary>
    /// <param name="Sequence">Of the newest head, as the operator says.</param>
    public sealed record Stale(ulong Sequence) : PushOutcome;

    /// <summary>Not taken, and not because it is stale.</summary>
    /// <param name="Code">As in docs/spec/accounts.md, section 3: <c>quota</c>, <c>signature</c>, <c>malformed</c> …</param>
    /// <param name="Sentence">The operator's own, for a log and never for a decision.</param>
    public sealed record Refused(string Code, string Sentence) : PushOutcome;
}

/// <summary>The operator cannot be reached, or its answer is none. Whether it has taken what was sent is not known.</summary>
public sealed class OperatorUnreachableException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>The operator does not let this device sign in any more: its unlocker was removed, or the account is gone.</summary>
public sealed class AccountEndedException(string message, Exception? inner = null) : UnauthorizedAccessException(message, inner);

/// <summary>The operator does not take a part of an attachment.</summary>
/// <param name="code"><c>quota</c>, <c>conflict</c> …</param>
public sealed class AttachmentRefusedException(string code, string message) : IOException(message)
{
    public string Code { get; } = code;
}
