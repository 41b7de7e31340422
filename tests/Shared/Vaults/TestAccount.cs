using Cloister.Ledger;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;

namespace Cloister.Testing.Vaults;

/// <summary>A real account, with the keys of its first epochs.</summary>
public sealed class TestAccount
{
    private TestAccount(IReadOnlyList<NewEpoch> epochs) => Epochs = epochs;

    public IReadOnlyList<NewEpoch> Epochs { get; }

    public AccountNumber Number => Epochs[0].Keys.Account;

    /// <summary>Of an epoch, from 1.</summary>
    public VaultKeys Keys(int epoch = 1) => Epochs[epoch - 1].Keys;

    public MemoryOperator NewOperator() => new(Epochs[0].Record);

    public static async Task<TestAccount> MakeAsync(int epochs = 1)
    {
        var custody = new MemoryCustody();
        var unlocker = Random();
        using var secret = await custody.NewDeviceSecretAsync();
        var made = new List<NewEpoch> { await custody.CreateAsync(AccountNumber.Generate(), [new(unlocker, secret)]) };
        while (made.Count < epochs)
        {
            var outcome = await custody.UnlockAsync(secret, new(unlocker, made[^1].Wraps[unlocker], default), [.. made.Select(epoch => epoch.Record)], null);
            using var unlocked = outcome.Unlocked ?? throw new InvalidOperationException($"It does not unlock: {outcome.Fault}.");
            made.Add(await unlocked.NewEpochAsync([new(unlocker, secret)]));
        }
        return new(made);
    }

    public static Identity Random() => Identity.Generate();
}
