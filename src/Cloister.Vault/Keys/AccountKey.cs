using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Keys;

/// <summary>The account key of one epoch, in this process's memory, and what is derived from it (docs/spec/vault.md, section 2).</summary>
internal sealed class AccountKey : HeldAccountKey
{
    public const int Size = 32;

    private readonly byte[] _key = GC.AllocateUninitializedArray<byte>(Size, pinned: true);
    private readonly byte[] _salt;
    private bool _wiped;

    private AccountKey(AccountNumber account) => (Account, _salt) = (account, account.ToArray());

    public AccountNumber Account { get; }

    /// <summary>The key itself. Once it is wiped it would be 32 zeros, which everybody knows.</summary>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_wiped, this);
            return _key;
        }
    }

    public static AccountKey Generate(AccountNumber account)
    {
        var key = new AccountKey(account);
        RandomNumberGenerator.Fill(key._key);
        return key;
    }

    public static AccountKey Import(AccountNumber account, ReadOnlySpan<byte> bytes)
    {
        var key = new AccountKey(account);
        bytes.CopyTo(key._key);
        return key;
    }

    /// <summary>32 bytes for one of the purposes of section 2.</summary>
    public void Derive(ReadOnlySpan<byte> info, Span<byte> derived) => HKDF.DeriveKey(HashAlgorithmName.SHA256, Bytes, derived, _salt, info);

    public byte[] KeyCommitment() => DeriveBytes("cloister account v1 key commitment"u8);

    public byte[] NameKey() => DeriveBytes("cloister account v1 names"u8);

    /// <summary>Derives an AES-256-GCM key for one of the purposes of section 2.</summary>
    public Aes256GcmKey DeriveAead(ReadOnlySpan<byte> info)
    {
        Span<byte> derived = stackalloc byte[AeadKey.Size];
        Derive(info, derived);
        var key = Aes256GcmKey.Import(derived);
        CryptographicOperations.ZeroMemory(derived);
        return key;
    }

    public byte[] DeriveBytes(ReadOnlySpan<byte> info)
    {
        byte[] derived = new byte[AeadKey.Size];
        Derive(info, derived);
        return derived;
    }

    public override ValueTask<byte[]> CommitmentAsync() => new(KeyCommitment());

    public override ValueTask<bool> OpensHeadAsync(EpochRecord record)
    {
        Span<byte> head = stackalloc byte[Ed25519PrivateKey.SeedSize];
        bool opens = EpochSealing.TryOpenHeadSeed(this, record, head);
        CryptographicOperations.ZeroMemory(head);
        return new(opens);
    }

    public override ValueTask<HeldAccountKey?> OpenPreviousAsync(EpochRecord record) => new(EpochSealing.OpenPrevious(this, record));

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(_key);
        _wiped = true;
        base.Dispose(disposing);
    }
}
