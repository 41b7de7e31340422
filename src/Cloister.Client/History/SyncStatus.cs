using Cloister.Vault.Heads;

namespace Cloister.Client.History;

/// <summary>How a device's history stands to the operator's.</summary>
public enum SyncState : byte
{
    /// <summary>There is no way to the operator, or it does not answer: it is tried again later by itself.</summary>
    Offline = 0,
    /// <summary>Fetching or sending.</summary>
    Syncing = 1,
    /// <summary>Everything is fetched and sent, as far as this device was told.</summary>
    Synced = 2,
    /// <summary>Something has to happen first: <see cref="SyncStatus.Waiting"/> says what.</summary>
    Waiting = 3,
    /// <summary>What the operator showed is refused (docs/spec/vault.md, section 7). The device works alone until <see cref="UserHistory.SyncNowAsync"/> is called.</summary>
    Refused = 4,
}

/// <summary>What a device waits for before it can sync.</summary>
public enum SyncWait : byte
{
    None = 0,
    /// <summary>Another device began a new epoch: <see cref="UserHistory.ReplaceKeysAsync"/>. It is said again, by <see cref="UserHistory.Changed"/>, after a while.</summary>
    NewKeys = 1,
    /// <summary>The account is full. What is unsent stays on this device; tombstones are sent; it is tried again by itself.</summary>
    Quota = 2,
    /// <summary>This device may not sign in any more.</summary>
    AccountEnded = 3,
    /// <summary>This device's own store does not work: its disk is full. It is tried again by itself.</summary>
    Store = 4,
    /// <summary>The operator takes this device's changes neither as they are nor with a reason that can be helped. It is tried again by itself.</summary>
    OperatorRefuses = 5,
    /// <summary>Other programs on this device's store fetch and send faster than this one, again and again. It is tried again by itself.</summary>
    Overtaken = 6,
}

/// <summary>How a device's history stands to the operator's, at one moment.</summary>
/// <param name="State">In a word.</param>
/// <param name="Waiting">What is waited for.</param>
/// <param name="Fault">Why what the operator showed was refused; kept until a later attempt succeeds.</param>
/// <param name="Sentence">All of it, for a person to read. Nothing of it comes from the operator.</param>
/// <param name="Unsent">How many changes are on this device alone, as far as it knows.</param>
public sealed record SyncStatus(SyncState State, SyncWait Waiting, HeadFault Fault, string Sentence, int Unsent);
