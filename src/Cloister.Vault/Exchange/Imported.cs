using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Vault.Exchange;

/// <summary>What an import finds, piece by piece.</summary>
public abstract record Imported
{
    private protected Imported() { }
}

/// <summary>A message or registers.</summary>
/// <param name="Item">Which item it is in this vault.</param>
/// <param name="Content">What it says.</param>
public sealed record ImportedItem(Identity Item, ItemContent Content) : Imported
{
    /// <summary>What becomes of an item that is held already: registers merge; a message stays as it is, whatever a file says of it.</summary>
    /// <remarks>A tombstone stays too: the caller imports nothing over one.</remarks>
    public ItemContent Into(ItemContent held) =>
        held is Registers registers && Content is Registers more && more.Kind == registers.Kind && more.Subject == registers.Subject ? registers.Merge(more) : held;
}

/// <summary>A piece of an attachment, in order, of at most 768 KiB.</summary>
/// <param name="Id">Named by the message that carries it, with its key.</param>
/// <param name="Name">As the user's file was called.</param>
/// <param name="Type">Its media type.</param>
/// <param name="Length">Of the whole, in bytes.</param>
/// <param name="Offset">Where this piece begins; the last one ends at <paramref name="Length"/>.</param>
/// <param name="Bytes">Plain.</param>
public sealed record ImportedAttachment(Identity Id, string Name, string Type, long Length, long Offset, ReadOnlyMemory<byte> Bytes) : Imported
{
    /// <summary>Of a piece, in bytes.</summary>
    public const int MaxPiece = 768 << 10;
}
