using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Keys;

namespace Cloister.Vault.Unlockers;

/// <summary>Keys in this process's memory, wiped when they are no longer needed. It does not protect them from code that runs as the same user.</summary>
public sealed class MemoryCustody : KeyCustody
{
    public override ValueTask<UnlockerSecret> NewDeviceSecretAsync() => new(MemorySecret.GenerateDevice());

    public override ValueTask<UnlockerSecret> ImportAsync(UnlockerKind kind, ReadOnlyMemory<byte> secret) => new(MemorySecret.Import(kind, secret.Span));

    public override ValueTask<NewEpoch> CreateAsync(AccountNumber account, IReadOnlyList<UnlockerSlot> unlockers)
    {
        ArgumentOutOfRangeException.ThrowIfZero(unlockers.Count);
        using var key = AccountKey.Generate(account);
        Span<byte> head = stackalloc byte[Ed25519PrivateKey.SeedSize];
        RandomNumberGenerator.Fill(head);
        var record = EpochSealing.Make(key, 1, null, head, head);
        var made = new NewEpoch(record, UnlockedInMemory.Wraps(key, 1, unlockers), new AccountKeys([record], [key], head));
        CryptographicOperations.ZeroMemory(head);
        return new(made);
    }

    protected override ValueTask<HeldAccountKey?> OpenWrapAsync(UnlockerSecret secret, AccountNumber account, Identity unlocker, ReadOnlyMemory<byte> wrap) => new(Open((MemorySecret)secret, account, unlocker, wrap.Span));

    protected override ValueTask<Unlocked> HoldAsync(ImmutableArray<EpochRecord> epochs, ImmutableArray<HeldAccountKey> keys, UnlockerSlot? rewrap) => new(new UnlockedInMemory(epochs, [.. keys.Cast<AccountKey>()], rewrap));

    private static AccountKey? Open(MemorySecret secret, AccountNumber account, Identity unlocker, ReadOnlySpan<byte> wrap)
    {
        _ = Wrap.TryRead(wrap, out WrapForm form, out uint epoch);
        byte[] associated = Wrap.Associated(account, unlocker, secret.Kind, epoch);
        Span<byte> bytes = stackalloc byte[AccountKey.Size];
        bool opened;
        if (form == WrapForm.BySecret)
        {
            using var wrapKey = secret.WrapKey(account);
            opened = Wrap.TryOpen(wrapKey, wrap, associated, bytes);
        }
        else
        {
            using var x25519 = secret.X25519();
            using var mlKem = secret.MlKem();
            opened = Wrap.TryOpenWithKey(x25519, mlKem, wrap, associated, bytes);
        }
        var key = opened ? AccountKey.Import(account, bytes) : null;
        CryptographicOperations.ZeroMemory(bytes);
        return key;
    }
}
