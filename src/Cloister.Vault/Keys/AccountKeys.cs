using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Vault.Keys;

/// <summary>An unlocked account's keys in this process's memory, of every epoch. Wiped when disposed. Safe for use from several threads.</summary>
public sealed class AccountKeys : VaultKeys
{
    private const int NonceSize = 12;

    private readonly Lock _gate = new();
    private readonly EpochKeys[] _epochs;
    private readonly Stack<EpochKeys[]> _idle = new(); // copies: one thread at a time uses each
    private readonly Ed25519PrivateKey _head;
    private readonly Aes256GcmKey _cache;
    private bool _disposed;

    // Takes nothing over: the account keys are wiped by whoever opened them.
    internal AccountKeys(ImmutableArray<EpochRecord> records, IReadOnlyList<AccountKey> keys, ReadOnlySpan<byte> headSeed) : base(records, keys[0].NameKey())
    {
        _epochs = [.. keys.Select((key, index) => new EpochKeys(key, (uint)index + 1))];
        _head = Ed25519PrivateKey.ImportSeed(headSeed);
        _cache = keys[^1].DeriveAead("cloister account v1 device cache"u8);
    }

    public override ValueTask<ImmutableArray<SealedChange>> SealAsync(IReadOnlyList<PlainItem> items, CancellationToken cancellationToken)
    {
        var changes = ImmutableArray.CreateBuilder<SealedChange>(items.Count);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (var item in items)
            {
                changes.Add(_epochs[^1].Seal(item));
            }
        }
        return new(changes.MoveToImmutable());
    }

    public override ValueTask<ImmutableArray<OpenedItem>> OpenAsync(IReadOnlyList<SealedChange> items, CancellationToken cancellationToken)
    {
        var opened = ImmutableArray.CreateBuilder<OpenedItem>(items.Count);
        var epochs = Take();
        try
        {
            foreach (var item in items)
            {
                opened.Add(Open(epochs, item));
            }
        }
        finally
        {
            GiveBack(epochs);
        }
        return new(opened.MoveToImmutable());
    }

    public override ValueTask<SignedHead> SignAsync(Head head, CancellationToken cancellationToken)
    {
        Span<byte> signature = stackalloc byte[Ed25519PrivateKey.SignatureSize];
        lock (_gate)
        {
            _head.Sign(head.ToBytes(), signature);
        }
        return new(SignedHead.Join(head, signature));
    }

    public override ValueTask<byte[]> SealForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[NonceSize + content.Length + AeadKey.TagSize];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, NonceSize));
        lock (_gate)
        {
            _cache.Seal(bytes.AsSpan(0, NonceSize), content.Span, Encoding.UTF8.GetBytes(purpose), bytes.AsSpan(NonceSize));
        }
        return new(bytes);
    }

    public override ValueTask<byte[]?> OpenForDeviceAsync(string purpose, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (content.Length < NonceSize + AeadKey.TagSize)
        {
            return new((byte[]?)null);
        }
        byte[] opened = new byte[content.Length - NonceSize - AeadKey.TagSize];
        lock (_gate)
        {
            return new(_cache.TryOpen(content.Span[..NonceSize], content.Span[NonceSize..], Encoding.UTF8.GetBytes(purpose), opened) ? opened : null);
        }
    }

    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            foreach (var epoch in _idle.Append(_epochs).SelectMany(epochs => epochs))
            {
                epoch.Dispose();
            }
            _idle.Clear();
            _head.Dispose();
            _cache.Dispose();
            _disposed = true;
        }
        base.Dispose(disposing);
    }

    // Many are opened by several threads at once: whoever finds no copy makes one.
    private EpochKeys[] Take()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _idle.TryPop(out var epochs) ? epochs : [.. _epochs.Select(epoch => epoch.Copy())];
        }
    }

    private void GiveBack(EpochKeys[] epochs)
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _idle.Push(epochs);
                return;
            }
        }
        foreach (var epoch in epochs)
        {
            epoch.Dispose();
        }
    }

    private static OpenedItem Open(EpochKeys[] epochs, SealedChange change)
    {
        if (change.IsTombstone)
        {
            return new(change.Item, change.Version, default, OpenFault.None);
        }
        return ItemFormat.Epoch(change.Sealed.Span) switch
        {
            null                                                  => new(change.Item, change.Version, default, OpenFault.Malformed),
            uint epoch when epoch == 0 || epoch > epochs.Length   => new(change.Item, change.Version, default, OpenFault.UnknownEpoch),
            uint epoch                                            => epochs[epoch - 1].Open(change),
        };
    }
}
