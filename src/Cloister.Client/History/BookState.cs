using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.Heads;

namespace Cloister.Client.History;

/// <summary>What a device's store says of itself at one turn. Immutable: it is replaced once what makes the next one is durable.</summary>
internal sealed record BookState
{
    /// <summary>Counts the batches written to the store, by whichever program.</summary>
    public ulong Turn { get; init; }

    /// <summary>The newest epoch record that this device accepted; null in an empty store.</summary>
    public EpochRecord? Epoch { get; init; }

    /// <summary>The head last accepted; null on a new device.</summary>
    public SignedHead? Accepted { get; init; }

    /// <summary>The head of the batch that was sent and not answered. It and <see cref="InFlight"/> never change: sent again, it is the very same batch.</summary>
    public SignedHead? Sent { get; init; }

    /// <summary>The head that was verified and whose changes are being moved from the staged ones to the items.</summary>
    public SignedHead? Promoting { get; init; }

    public HeadFault Fault { get; init; }

    /// <summary>The operator's tree at <see cref="Accepted"/>; between the two while promoting. What is unsent is not in it.</summary>
    public required ItemTree Tree { get; init; }

    /// <summary>What was changed here and is in no batch: of an item, it stands before <see cref="InFlight"/>, and that before the items.</summary>
    public required ImmutableDictionary<Identity, Outgoing> Unsent { get; init; }

    public required ImmutableDictionary<Identity, Outgoing> InFlight { get; init; }

    public static BookState Empty { get; } = new()
    {
        Tree = ItemTree.Empty,
        Unsent = ImmutableDictionary<Identity, Outgoing>.Empty,
        InFlight = ImmutableDictionary<Identity, Outgoing>.Empty,
    };

    /// <summary>How many items differ from what the operator is known to have.</summary>
    public int UnsentCount => Unsent.Count + InFlight.Keys.Count(item => !Unsent.ContainsKey(item));

    /// <summary>Whether the operator is known to have another state, in a way that the store decides: two heads are one if their hashes are.</summary>
    public static bool IsSame(SignedHead? one, SignedHead? other) => one is null ? other is null : other is not null && one.Bytes.Span.SequenceEqual(other.Bytes.Span);
}
