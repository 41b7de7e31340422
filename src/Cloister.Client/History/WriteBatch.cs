using Cloister.Ledger;
using Cloister.Vault.Heads;
using Cloister.Vault.History;

namespace Cloister.Client.History;

/// <summary>How the view of an item changes.</summary>
internal enum TouchKind : byte
{
    Changed = 0,
    Appeared = 1,
    Gone = 2,
}

/// <summary>An item whose view changes with a batch.</summary>
internal readonly record struct Touch(Identity Place, Identity Item, TouchKind Kind, ItemContent? Content)
{
    public const int Size = (2 * Identity.Size) + 1;

    public static byte[] Write(IReadOnlyList<Touch> touches)
    {
        byte[] bytes = new byte[touches.Count * Size];
        for (int i = 0; i < touches.Count; i++)
        {
            var row = bytes.AsSpan(i * Size, Size);
            touches[i].Place.Write(row);
            touches[i].Item.Write(row[Identity.Size..]);
            row[^1] = (byte)touches[i].Kind;
        }
        return bytes;
    }

    public static IEnumerable<Touch> Read(byte[] bytes)
    {
        for (int at = 0; at + Size <= bytes.Length; at += Size)
        {
            yield return new(Identity.Read(bytes.AsSpan(at, Identity.Size)), Identity.Read(bytes.AsSpan(at + Identity.Size, Identity.Size)), (TouchKind)bytes[at + Size - 1], null);
        }
    }
}

/// <summary>One atomic step from a state to the next: what is written, and what is true once it is.</summary>
internal sealed class WriteBatch(BookState state)
{
    public BookState State { get; private set; } = state;

    public List<StoreWrite> Writes { get; } = [];

    public List<Touch> Touches { get; } = [];

    /// <summary>Whether nothing of it is written after all.</summary>
    public bool IsAbandoned { get; private set; }

    public void Abandon() => IsAbandoned = true;

    public void Put(StoreTable table, byte[] key, byte[] value) => Writes.Add(StoreWrite.Put(table, key, value));

    public void Delete(StoreTable table, byte[] key) => Writes.Add(StoreWrite.Delete(table, key));

    public void DeleteRange(StoreTable table, byte[] from, byte[] to) => Writes.Add(StoreWrite.DeleteRange(table, from, to));

    public void PutUnsent(HeldItem held)
    {
        Put(StoreTable.Outbox, StoreKeys.Unsent(held.Item), held.ToOutboxRow());
        State = State with { Unsent = State.Unsent.SetItem(held.Item, Outgoing.Of(held)) };
    }

    public void RemoveUnsent(Identity item)
    {
        Delete(StoreTable.Outbox, StoreKeys.Unsent(item));
        State = State with { Unsent = State.Unsent.Remove(item) };
    }

    public void PutInFlight(HeldItem held)
    {
        Put(StoreTable.Outbox, StoreKeys.InFlight(held.Item), held.ToOutboxRow());
        State = State with { InFlight = State.InFlight.SetItem(held.Item, Outgoing.Of(held)) };
    }

    public void RemoveInFlight(Identity item)
    {
        Delete(StoreTable.Outbox, StoreKeys.InFlight(item));
        State = State with { InFlight = State.InFlight.Remove(item) };
    }

    /// <summary>Puts an item as the operator has it, in place of an older version that lives at <paramref name="before"/>.</summary>
    public void PutItem(HeldItem held, Identity? before)
    {
        if (before is { } old && (held.IsTombstone || old != held.Place))
        {
            Delete(StoreTable.Items, StoreKeys.Item(old, held.Item));
        }
        if (!held.IsTombstone)
        {
            Put(StoreTable.Items, StoreKeys.Item(held.Place, held.Item), held.ToItemRow());
        }
        if (held.IsTombstone && before is not null)
        {
            Delete(StoreTable.Leaves, StoreKeys.Place(held.Item));
        }
        else if (!held.IsTombstone && before != held.Place)
        {
            Put(StoreTable.Leaves, StoreKeys.Place(held.Item), held.Place.ToArray());
        }
    }

    /// <summary>The tree goes with the items in one step, or a crash would leave a root that no items have.</summary>
    public void PutTree(IReadOnlyCollection<Subtree> changed)
    {
        foreach (var subtree in changed)
        {
            Put(StoreTable.Leaves, StoreKeys.Subtree(subtree.Prefix), subtree.ToBytes());
        }
        State = State with { Tree = State.Tree.With(changed) };
        foreach (int part in changed.Select(subtree => ItemTree.PartOf(subtree.Prefix)).Distinct())
        {
            Put(StoreTable.Leaves, StoreKeys.TreePart(part), State.Tree.PartToBytes(part));
        }
    }

    public void SetAccepted(SignedHead head)
    {
        Put(StoreTable.Meta, StoreKeys.Accepted, head.Bytes.ToArray());
        State = State with { Accepted = head };
    }

    public void SetSent(SignedHead? head)
    {
        Set(StoreKeys.Sent, head);
        State = State with { Sent = head };
    }

    public void SetPromoting(SignedHead? head)
    {
        Set(StoreKeys.Promoting, head);
        State = State with { Promoting = head };
    }

    public void SetFault(HeadFault fault)
    {
        Put(StoreTable.Meta, StoreKeys.Fault, [(byte)fault]);
        State = State with { Fault = fault };
    }

    public void SetEpoch(EpochRecord epoch)
    {
        Put(StoreTable.Meta, StoreKeys.Epoch, epoch.Bytes.ToArray());
        State = State with { Epoch = epoch };
    }

    private void Set(byte[] key, SignedHead? head)
    {
        if (head is null)
        {
            Delete(StoreTable.Meta, key);
        }
        else
        {
            Put(StoreTable.Meta, key, head.Bytes.ToArray());
        }
    }
}
