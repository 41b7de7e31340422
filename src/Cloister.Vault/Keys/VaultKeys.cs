using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Ledger;

namespace Cloister.Vault.Keys;

/// <summary>The keys of an unlocked account: what seals and opens its items and signs its heads (docs/spec/vault.md, sections 2, 5 and 7).</summary>
/// <remarks>
/// Two kinds: <c>AccountKeys</c> holds them in this process's memory; the web app's holds handles of the browser's WebCrypto and no key bytes, which is why
/// everything here may be asynchronous and comes in batches. Neither protects against code that runs beside it as the same user.
/// </remarks>
public abstract class VaultKeys : IDisposable
{
    private readonly byte[] _nameKey;

    /// <param name="epochs">From the first to the newest, verified.</param>
    /// <param name="nameKey">32 bytes. It names items and opens nothing.</param>
    protected VaultKeys(ImmutableArray<EpochRecord> epochs, ReadOnlySpan<byte> nameKey) => (Epochs, _nameKey) = (epochs, nameKey.ToArray());

    public AccountNumber Account => Epochs[^1].Account;

    /// <summary>The newest epoch: what is sealed and signed now belongs to it.</summary>
    public uint Epoch => Epochs[^1].Epoch;

    /// <summary>The account's epochs, from the first to the newest.</summary>
    public ImmutableArray<EpochRecord> Epochs { get; }

    /// <summary>The identity of a register item (docs/spec/vault.md, section 1), the same on every device.</summary>
    public Identity Name(string kind, string subject)
    {
        byte[] name = [.. Encoding.UTF8.GetBytes(kind), 0, .. Encoding.UTF8.GetBytes(subject)];
        return Identity.Read(HMACSHA256.HashData(_nameKey, name).AsSpan(0, Identity.Size));
    }

    /// <summary>Seals under the newest epoch, in the order given.</summary>
    /// <exception cref="ArgumentException">An item is larger than <see cref="SealedChange.MaxSize"/> once sealed.</exception>
    public abstract ValueTask<ImmutableArray<SealedChange>> SealAsync(IReadOnlyList<PlainItem> items, CancellationToken cancellationToken);

    /// <summary>Opens what the operator or the device's own store holds, in the order given. A tombstone opens to no content. No fault is thrown.</summary>
    public abstract ValueTask<ImmutableArray<OpenedItem>> OpenAsync(IReadOnlyList<SealedChange> items, CancellationToken cancellationToken);

    /// <summary>Signs with the newest epoch's head key.</summary>
    public abstract ValueTask<SignedHead> SignAsync(Head head, CancellationToken cancellationToken);

    /// <summary>Seals what a device derived for itself (docs/spec/vault.md, section 9), for <paramref name="purpose"/> and no other.</summary>
    public abstract ValueTask<byte[]> SealForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Opens what <see cref="SealForDeviceAsync"/> sealed for the same purpose in this epoch; null for anything else.</summary>
    public abstract ValueTask<byte[]?> OpenForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Wipes what can be wiped.</summary>
    protected virtual void Dispose(bool disposing) { }
}

/// <summary>An item's content, to be sealed as a version of it.</summary>
public sealed record PlainItem(Identity Item, ulong Version, ReadOnlyMemory<byte> Content);

/// <summary>Why an item does not open.</summary>
public enum OpenFault : byte
{
    /// <summary>Zero is the failing value: nothing was opened.</summary>
    Unopened = 0,
    None = 1,
    /// <summary>Not of this format, or too short.</summary>
    Malformed = 2,
    /// <summary>Under an epoch that this account does not have.</summary>
    UnknownEpoch = 3,
    /// <summary>Under another key, or another item, version or account than it is shown as.</summary>
    WrongCommitment = 4,
    /// <summary>Changed, or its padding is not zeros.</summary>
    Corrupt = 5,
}

/// <summary>What became of opening an item.</summary>
/// <param name="Item">Which.</param>
/// <param name="Version">Which version.</param>
/// <param name="Content">Empty for a tombstone, and where there is a fault.</param>
/// <param name="Fault"><see cref="OpenFault.None"/> where it opened.</param>
public sealed record OpenedItem(Identity Item, ulong Version, ReadOnlyMemory<byte> Content, OpenFault Fault)
{
    public bool IsOpen => Fault is OpenFault.None;
}
