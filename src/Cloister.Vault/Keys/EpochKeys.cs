using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Vault.Keys;

/// <summary>What one epoch's account key seals items with (docs/spec/vault.md, section 5). For one thread at a time.</summary>
internal sealed class EpochKeys : IDisposable
{
    private readonly AccountNumber _account;
    private readonly uint _epoch;
    private readonly byte[] _itemsKey;      // the copies' too: wiped with the first that is disposed, when nobody copies any more
    private readonly byte[] _commitmentKey;
    private readonly XAes256GcmKey _items;
    private readonly IncrementalHash _commitment;

    public EpochKeys(AccountKey key, uint epoch)
        : this(key.Account, epoch, key.DeriveBytes("cloister account v1 items"u8), key.DeriveBytes("cloister account v1 item commitment"u8)) { }

    private EpochKeys(AccountNumber account, uint epoch, byte[] itemsKey, byte[] commitmentKey)
    {
        (_account, _epoch, _itemsKey, _commitmentKey) = (account, epoch, itemsKey, commitmentKey);
        _items = XAes256GcmKey.Import(itemsKey);
        _commitment = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, commitmentKey);
    }

    /// <summary>The same for another thread. Not after one of them was disposed.</summary>
    public EpochKeys Copy() => new(_account, _epoch, _itemsKey, _commitmentKey);

    /// <exception cref="ArgumentException">The item is too large.</exception>
    public SealedChange Seal(PlainItem item)
    {
        int size = ItemFormat.SealedLength(item.Content.Length);
        if (size > SealedChange.MaxSize)
        {
            throw new ArgumentException("An item has at most 1 MiB once it is sealed.", nameof(item));
        }
        byte[] bytes = new byte[size];
        bytes[0] = ItemFormat.FormatVersion;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), _epoch);
        var nonce = bytes.AsSpan(1 + sizeof(uint), ItemFormat.NonceSize);
        RandomNumberGenerator.Fill(nonce);

        Span<byte> bound = stackalloc byte[ItemFormat.AssociatedSize + ItemFormat.NonceSize];
        ItemFormat.WriteAssociated(_account, item.Item, item.Version, _epoch, bound);
        nonce.CopyTo(bound[ItemFormat.AssociatedSize..]);
        Commit(bound, bytes.AsSpan(1 + sizeof(uint) + ItemFormat.NonceSize));

        var ciphertext = bytes.AsSpan(ItemFormat.HeaderSize);
        var padded = ciphertext[..^AeadKey.TagSize];
        Padding.Pad(item.Content.Span, padded);
        _items.Seal(nonce, padded, bound[..ItemFormat.AssociatedSize], ciphertext);
        return new(item.Item, item.Version, bytes);
    }

    // The commitment comes first: AES-GCM alone would let one ciphertext open under two keys, to two contents.
    public OpenedItem Open(SealedChange change)
    {
        var bytes = change.Sealed.Span;
        Span<byte> bound = stackalloc byte[ItemFormat.AssociatedSize + ItemFormat.NonceSize];
        ItemFormat.WriteAssociated(_account, change.Item, change.Version, _epoch, bound);
        var nonce = ItemFormat.Nonce(bytes);
        nonce.CopyTo(bound[ItemFormat.AssociatedSize..]);
        Span<byte> commitment = stackalloc byte[ItemFormat.CommitmentSize];
        Commit(bound, commitment);
        if (!CryptographicOperations.FixedTimeEquals(commitment, ItemFormat.Commitment(bytes)))
        {
            return new(change.Item, change.Version, default, OpenFault.WrongCommitment);
        }

        var ciphertext = ItemFormat.Ciphertext(bytes);
        byte[] padded = new byte[ciphertext.Length - AeadKey.TagSize];
        return _items.TryOpen(nonce, ciphertext, bound[..ItemFormat.AssociatedSize], padded) && Padding.TryUnpad(padded, out int length)
            ? new(change.Item, change.Version, padded.AsMemory(Padding.Offset, length), OpenFault.None)
            : new(change.Item, change.Version, default, OpenFault.Corrupt);
    }

    public void Dispose()
    {
        _items.Dispose();
        _commitment.Dispose();
        CryptographicOperations.ZeroMemory(_itemsKey);
        CryptographicOperations.ZeroMemory(_commitmentKey);
    }

    private void Commit(ReadOnlySpan<byte> bound, Span<byte> commitment)
    {
        _commitment.AppendData(bound);
        _commitment.GetHashAndReset(commitment);
    }
}
