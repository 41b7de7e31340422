using System.Text;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Keys;
using Cloister.Vault.Pairing;
using Cloister.Vault.Unlockers;

namespace Cloister.Fuzz;

/// <summary>Keys of zeros, and what is sealed with them.</summary>
internal static class VaultSeeds
{
    private static readonly AccountNumber Account = AccountNumber.Read(new byte[10]);

    // Made when first used: see Targets.
    private static readonly Lazy<AccountKey> MadeKey = new(() => AccountKey.Import(Account, new byte[32]));
    private static readonly Lazy<EpochKeys> MadeEpoch = new(() => new(Key, 1));
    private static readonly Lazy<MemorySecret> MadeSecret = new(() => MemorySecret.Import(UnlockerKind.Device, new byte[32]));
    private static readonly Lazy<NewDevice> MadeDevice = new(() => new(default, Secret.SignInKeyAsync(Account).AsTask().Result, Secret.PublicKeyAsync(Account).AsTask().Result, "Laptop"));

    public static AccountKey Key => MadeKey.Value;

    public static EpochKeys Epoch => MadeEpoch.Value;

    public static MemorySecret Secret => MadeSecret.Value;

    public static NewDevice Device => MadeDevice.Value;

    public static void Write(Action<string, int, byte[]> save)
    {
        var head = Sign(new(Account, 1, 1, new byte[32], new byte[32], 1, default));
        var change = Epoch.Seal(new(default, 1, "content"u8.ToArray()));
        byte[] seed = new byte[32];
        var (first, second) = (EpochSealing.Make(Key, 1, null, seed, seed), EpochSealing.Make(Key, 2, Key, seed, seed));

        save("signed-head", 1, head.Bytes.ToArray());
        save("change-batch", 1, new ChangeBatch(head, [change, new(Identity.Read([.. new byte[15], 1]), 2, default)]).ToBytes());
        save("change-page", 1, new ChangePage(head, 1, [head], [change]).ToBytes());
        save("change-page", 2, new ChangePage(Sign(head.Head with { Sequence = ulong.MaxValue - 1 }), ulong.MaxValue, [], []).ToBytes());
        save("epoch-record", 1, first.Bytes.ToArray());
        save("epoch-record", 2, second.Bytes.ToArray());
        save("sealed-item", 1, change.Sealed.ToArray());
        save("unlocker-wrap", 1, UnlockedInMemory.Wraps(Key, 1, [new(default, Secret)])[default].ToArray());
        save("unlocker-wrap", 2, UnlockedInMemory.Wraps(Key, 1, [new(default, UnlockerKind.Device, Secret.PublicKeyAsync(Account).AsTask().Result)])[default].ToArray());
        Pair(save);
        var shares = Trustees.Split(new byte[32], 2, 3, new byte[8], new byte[32]);
        save("trustee-shares", 1, Encoding.ASCII.GetBytes($"{shares[0]}\n{shares[2]}"));
        save("trustee-shares", 2, Encoding.ASCII.GetBytes(shares[1]));
        save("recovery-words", 1, Encoding.ASCII.GetBytes(RecoveryWords.Of(new byte[16]).Text));
        save("recovery-words", 2, "ZOO zoo, zoo\tzoo zoo zoo zoo zoo zoo zoo zoo wron"u8.ToArray());
        save("recovery-words", 3, "7kq2-m9xa"u8.ToArray());
    }

    private static void Pair(Action<string, int, byte[]> save)
    {
        var fresh = new PairingNewSide(Device);
        Targets.Require(PairingOldSide.TryBegin(fresh.First.Span, null, HistorySeeds.Epochs[0], out var old, out _));
        Targets.Require(fresh.TryAnswer(old!.Promise.Span, out var answer));
        Targets.Require(old.TryReveal(answer.Span, out var reveal, out _));
        ReadOnlyMemory<byte>[] messages = [fresh.First, old.Promise, answer, reveal];
        for (int number = 1; number <= messages.Length; number++)
        {
            save("pairing-message", number, messages[number - 1].ToArray());
        }
    }

    private static SignedHead Sign(Head head)
    {
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        using var key = Ed25519PrivateKey.ImportSeed(new byte[32]);
        key.Sign(head.ToBytes(), signature);
        return SignedHead.Join(head, signature);
    }
}
