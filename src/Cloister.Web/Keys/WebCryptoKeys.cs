using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices.JavaScript;
using Cloister.Ledger;
using Cloister.Vault.Keys;

namespace Cloister.Web.Keys;

/// <summary>An unlocked account's keys as handles of WebCrypto. Items go to the script in batches, one array each way.</summary>
internal sealed class WebCryptoKeys : VaultKeys
{
    private const int RowHeader = sizeof(uint) + ItemFormat.AssociatedSize + sizeof(uint);

    private readonly JSObject _epochs;
    private readonly JSObject _head;
    private readonly JSObject _cache;

    private WebCryptoKeys(ImmutableArray<EpochRecord> records, byte[] nameKey, JSObject epochs, JSObject head, JSObject cache) : base(records, nameKey) => (_epochs, _head, _cache) = (epochs, head, cache);

    /// <param name="accountKeys">Of every epoch, in order. They stay the caller's.</param>
    /// <param name="head">The newest epoch's head key. It becomes this one's.</param>
    public static async Task<WebCryptoKeys> MakeAsync(ImmutableArray<EpochRecord> records, IReadOnlyList<JSObject> accountKeys, JSObject head)
    {
        byte[] account = records[0].Account.ToArray();
        JSObject? epochs = null;
        foreach (var key in accountKeys)
        {
            epochs = await VaultModule.AddEpochAsync(epochs, key, account);
        }
        byte[] nameKey = await VaultModule.BytesAsync(VaultModule.DeriveFromAccountAsync(accountKeys[0], account, "cloister account v1 names"));
        return new(records, nameKey, epochs!, head, await VaultModule.CacheKeyAsync(accountKeys[^1], account));
    }

    public override async ValueTask<ImmutableArray<SealedChange>> SealAsync(IReadOnlyList<PlainItem> items, CancellationToken cancellationToken)
    {
        byte[] rows = new byte[items.Sum(item => RowHeader + Padding.PaddedLength(item.Content.Length))];
        int at = 0;
        foreach (var item in items)
        {
            if (ItemFormat.SealedLength(item.Content.Length) > SealedChange.MaxSize)
            {
                throw new ArgumentException("An item has at most 1 MiB once it is sealed.", nameof(items));
            }
            int length = Padding.PaddedLength(item.Content.Length);
            WriteHeader(rows.AsSpan(at), item.Item, item.Version, Epoch, length);
            Padding.Pad(item.Content.Span, rows.AsSpan(at + RowHeader, length));
            at += RowHeader + length;
        }

        byte[] done = await VaultModule.BytesAsync(VaultModule.SealItemsAsync(_epochs, rows));
        var changes = ImmutableArray.CreateBuilder<SealedChange>(items.Count);
        at = 0;
        foreach (var item in items)
        {
            var (_, bytes) = Next(done, ref at);
            byte[] sealedItem = new byte[1 + sizeof(uint) + bytes.Length];
            sealedItem[0] = ItemFormat.FormatVersion;
            BinaryPrimitives.WriteUInt32BigEndian(sealedItem.AsSpan(1), Epoch);
            bytes.CopyTo(sealedItem.AsMemory(1 + sizeof(uint)));
            changes.Add(new(item.Item, item.Version, sealedItem));
        }
        return changes.MoveToImmutable();
    }

    public override async ValueTask<ImmutableArray<OpenedItem>> OpenAsync(IReadOnlyList<SealedChange> items, CancellationToken cancellationToken)
    {
        var opened = new OpenedItem[items.Count];
        var asked = new List<int>(items.Count);
        int size = 0;
        for (int i = 0; i < items.Count; i++)
        {
            if (Settled(items[i]) is { } settled)
            {
                opened[i] = settled;
                continue;
            }
            asked.Add(i);
            size += RowHeader + items[i].Sealed.Length;
        }

        byte[] rows = new byte[size];
        int at = 0;
        foreach (var item in asked.Select(i => items[i]))
        {
            WriteHeader(rows.AsSpan(at), item.Item, item.Version, ItemFormat.Epoch(item.Sealed.Span)!.Value, item.Sealed.Length);
            item.Sealed.CopyTo(rows.AsMemory(at + RowHeader));
            at += RowHeader + item.Sealed.Length;
        }

        byte[] done = asked.Count == 0 ? [] : await VaultModule.BytesAsync(VaultModule.OpenItemsAsync(_epochs, rows));
        at = 0;
        foreach (int i in asked)
        {
            var (fault, padded) = Next(done, ref at);
            opened[i] = fault is not OpenFault.None ? new(items[i].Item, items[i].Version, default, fault)
                : Padding.TryUnpad(padded.Span, out int length) ? new(items[i].Item, items[i].Version, padded.Slice(Padding.Offset, length), OpenFault.None)
                : new(items[i].Item, items[i].Version, default, OpenFault.Corrupt);
        }
        return [.. opened];
    }

    public override async ValueTask<SignedHead> SignAsync(Head head, CancellationToken cancellationToken) => SignedHead.Join(head, await VaultModule.BytesAsync(VaultModule.SignAsync(_head, head.ToBytes())));

    public override async ValueTask<byte[]> SealForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await VaultModule.BytesAsync(VaultModule.SealForDeviceAsync(_cache, purpose, content.ToArray()));

    public override async ValueTask<byte[]?> OpenForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await VaultModule.MaybeBytesAsync(VaultModule.OpenForDeviceAsync(_cache, purpose, content.ToArray()));

    protected override void Dispose(bool disposing)
    {
        _epochs.Dispose();
        _head.Dispose();
        _cache.Dispose();
        base.Dispose(disposing);
    }

    // What needs no key to be judged.
    private OpenedItem? Settled(SealedChange item) => item.IsTombstone ? new(item.Item, item.Version, default, OpenFault.None)
        : ItemFormat.Epoch(item.Sealed.Span) is not { } epoch ? new(item.Item, item.Version, default, OpenFault.Malformed)
        : epoch == 0 || epoch > Epoch ? new(item.Item, item.Version, default, OpenFault.UnknownEpoch)
        : null;

    private void WriteHeader(Span<byte> row, Identity item, ulong version, uint epoch, int length)
    {
        BinaryPrimitives.WriteUInt32BigEndian(row, epoch);
        ItemFormat.WriteAssociated(Account, item, version, epoch, row.Slice(sizeof(uint), ItemFormat.AssociatedSize));
        BinaryPrimitives.WriteUInt32BigEndian(row[(sizeof(uint) + ItemFormat.AssociatedSize)..], (uint)length);
    }

    private static (OpenFault Fault, ReadOnlyMemory<byte> Bytes) Next(byte[] rows, ref int at)
    {
        int length = (int)BinaryPrimitives.ReadUInt32BigEndian(rows.AsSpan(at + 1));
        var row = ((OpenFault)rows[at], rows.AsMemory(at + 1 + sizeof(uint), length));
        at += 1 + sizeof(uint) + length;
        return row;
    }
}
