using System.Buffers.Binary;
using Cloister.Ledger;

namespace Cloister.Client.History;

/// <summary>A sealed item as a device keeps it.</summary>
/// <param name="Place">The conversation that it belongs to; zeros for what belongs to none.</param>
/// <param name="Item">Which.</param>
/// <param name="Version">Of the operator's, or for what is unsent the one that it will be.</param>
/// <param name="Sealed">Empty for a tombstone.</param>
internal sealed record HeldItem(Identity Place, Identity Item, ulong Version, ReadOnlyMemory<byte> Sealed)
{
    public bool IsTombstone => Sealed.IsEmpty;

    public SealedChange ToChange() => new(Item, Version, Sealed);

    /// <summary>Under which epoch it is sealed (docs/spec/vault.md, section 5).</summary>
    public uint Epoch => BinaryPrimitives.ReadUInt32BigEndian(Sealed.Span[1..]);

    /// <summary>In the table of items, where the key names place and item.</summary>
    public byte[] ToItemRow() => [.. StoreKeys.Number(Version), .. Sealed.Span];

    public static HeldItem OfItemRow(StoreRow row) => new(
        Identity.Read(row.Key.AsSpan(0, Identity.Size)),
        Identity.Read(row.Key.AsSpan(Identity.Size)),
        BinaryPrimitives.ReadUInt64BigEndian(row.Value),
        row.Value.AsMemory(sizeof(ulong)));

    /// <summary>In the outbox, where the key names the item.</summary>
    public byte[] ToOutboxRow() => [.. StoreKeys.Number(Version), .. Place.ToArray(), .. Sealed.Span];

    public static HeldItem OfOutboxRow(Identity item, byte[] value) => new(
        Identity.Read(value.AsSpan(sizeof(ulong), Identity.Size)), item, BinaryPrimitives.ReadUInt64BigEndian(value), value.AsMemory(sizeof(ulong) + Identity.Size));
}

/// <summary>What is known in memory of an item of the outbox.</summary>
internal readonly record struct Outgoing(Identity Place, ulong Version, int Length)
{
    public static Outgoing Of(HeldItem held) => new(held.Place, held.Version, held.Sealed.Length);

    public bool IsTombstone => Length == 0;
}
