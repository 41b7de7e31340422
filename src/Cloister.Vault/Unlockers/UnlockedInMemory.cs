using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Unlockers;

/// <summary>The account keys of every epoch, and the newest head key's seed, in memory.</summary>
internal sealed class UnlockedInMemory : Unlocked
{
    private readonly ImmutableArray<AccountKey> _keys;
    private readonly byte[] _headSeed = new byte[Ed25519PrivateKey.SeedSize];

    /// <summary>Takes the account keys over.</summary>
    /// <param name="keys">One for each epoch, the newest of which opens its record's head key.</param>
    /// <param name="rewrap">Null where the stored wrap is the newest epoch's, by secret.</param>
    public UnlockedInMemory(ImmutableArray<EpochRecord> epochs, ImmutableArray<AccountKey> keys, UnlockerSlot? rewrap)
    {
        (Epochs, _keys) = (epochs, keys);
        NewWrap = rewrap is null ? (ReadOnlyMemory<byte>?)null : MakeWrap(keys[^1], Newest, rewrap);
        if (!EpochSealing.TryOpenHeadSeed(keys[^1], epochs[^1], _headSeed))
        {
            throw new ArgumentException("These are not the records' keys.", nameof(keys));
        }
    }

    public override ImmutableArray<EpochRecord> Epochs { get; }

    private uint Newest => (uint)Epochs.Length;

    public override ValueTask<VaultKeys> KeysAsync() => new(new AccountKeys(Epochs, _keys, _headSeed));

    public override ValueTask<ReadOnlyMemory<byte>> WrapAsync(UnlockerSlot unlocker) => new(MakeWrap(_keys[^1], Newest, unlocker));

    public override ValueTask<NewEpoch> NewEpochAsync(IReadOnlyList<UnlockerSlot> staying)
    {
        using var key = AccountKey.Generate(_keys[^1].Account);
        Span<byte> head = stackalloc byte[Ed25519PrivateKey.SeedSize];
        RandomNumberGenerator.Fill(head);
        var record = EpochSealing.Make(key, Newest + 1, _keys[^1], _headSeed, head);
        var made = new NewEpoch(record, Wraps(key, Newest + 1, staying), new AccountKeys([.. Epochs, record], [.. _keys, key], head));
        CryptographicOperations.ZeroMemory(head);
        return new(made);
    }

    internal static ImmutableDictionary<Identity, ReadOnlyMemory<byte>> Wraps(AccountKey key, uint epoch, IReadOnlyList<UnlockerSlot> unlockers) =>
        unlockers.ToImmutableDictionary(slot => slot.Unlocker, slot => MakeWrap(key, epoch, slot));

    protected override void Dispose(bool disposing)
    {
        foreach (var key in _keys)
        {
            key.Dispose();
        }
        CryptographicOperations.ZeroMemory(_headSeed);
        base.Dispose(disposing);
    }

    private static ReadOnlyMemory<byte> MakeWrap(AccountKey key, uint epoch, UnlockerSlot slot)
    {
        byte[] associated = Wrap.Associated(key.Account, slot.Unlocker, slot.Kind, epoch);
        if (slot.Secret is MemorySecret secret)
        {
            using var wrapKey = secret.WrapKey(key.Account);
            return Wrap.Seal(wrapKey, key.Bytes, epoch, associated);
        }
        return Wrap.TrySealToKey(slot.PublicKey.Span, key.Bytes, epoch, associated, out byte[] wrap) ? wrap : throw new ArgumentException("That is no public key of an unlocker.", nameof(slot));
    }
}
