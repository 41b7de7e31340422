using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Vault.Unlockers;

/// <summary>The secret of one unlocker, wherever it is kept (docs/spec/vault.md, section 3). What it wraps and unwraps goes through the <see cref="KeyCustody"/> that made it.</summary>
public abstract class UnlockerSecret : IDisposable
{
    /// <summary>Of an unlocker's public key: X25519 ‖ ML-KEM-768.</summary>
    public const int PublicKeySize = X25519PublicKey.Size + MlKem768PublicKey.Size;

    protected UnlockerSecret(UnlockerKind kind) => Kind = kind;

    public UnlockerKind Kind { get; }

    /// <summary>The key whose signatures sign in. It does not depend on the account: who has only words or shares, and a device that is being paired, does not know it yet.</summary>
    public abstract ValueTask<Ed25519PublicKey> SignInKeyAsync(AccountNumber account);

    /// <summary>64 bytes by that key.</summary>
    public abstract ValueTask<byte[]> SignAsync(AccountNumber account, ReadOnlyMemory<byte> message);

    /// <summary>What another device wraps to while this unlocker is absent: <see cref="PublicKeySize"/> bytes, whichever the account.</summary>
    public abstract ValueTask<byte[]> PublicKeyAsync(AccountNumber account);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Wipes what can be wiped.</summary>
    protected virtual void Dispose(bool disposing) { }
}
