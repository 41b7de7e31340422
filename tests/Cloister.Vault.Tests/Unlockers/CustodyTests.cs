using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Tests.Unlockers;

public class CustodyTests
{
    private static readonly MemoryCustody Custody = new();
    private static readonly AccountNumber Account = AccountNumber.Generate();
    private static readonly CancellationToken Now = CancellationToken.None;

    [Fact]
    public async Task An_account_is_opened_by_each_of_its_unlockers_and_by_no_other_secret()
    {
        using var device = await Custody.NewDeviceSecretAsync();
        var words = RecoveryWords.Generate();
        using var spoken = await words.ToSecretAsync(Custody);
        var id = Identity.Generate();
        var account = await Custody.CreateAsync(Account, [new(id, device), new(words.Unlocker, spoken)]);
        var sealedItems = await account.Keys.SealAsync([new(Identity.Generate(), 1, "text"u8.ToArray())], Now);

        var outcome = await Custody.UnlockAsync(spoken, new(words.Unlocker, account.Wraps[words.Unlocker], default), [account.Record], null);
        Assert.Equal(UnlockFault.None, outcome.Fault);
        Assert.Null(outcome.Unlocked!.NewWrap);
        using var keys = await outcome.Unlocked.KeysAsync();
        Assert.Equal("text"u8.ToArray(), (await keys.OpenAsync(sealedItems, Now))[0].Content.ToArray());

        using var other = await Custody.NewDeviceSecretAsync();
        Assert.Equal(UnlockFault.WrongSecret, (await Custody.UnlockAsync(other, new(id, account.Wraps[id], default), [account.Record], null)).Fault);
    }

    [Fact]
    public async Task A_new_epoch_reaches_who_stays_and_not_who_was_removed()
    {
        using var device = await Custody.NewDeviceSecretAsync();
        using var removed = await Custody.NewDeviceSecretAsync();
        var words = RecoveryWords.Generate();
        using var spoken = await words.ToSecretAsync(Custody);
        var (id, gone) = (Identity.Generate(), Identity.Generate());
        var account = await Custody.CreateAsync(Account, [new(id, device), new(gone, removed), new(words.Unlocker, spoken)]);
        var before = await account.Keys.SealAsync([new(Identity.Generate(), 1, "before"u8.ToArray())], Now);

        using var unlocked = (await Custody.UnlockAsync(device, new(id, account.Wraps[id], default), [account.Record], null)).Unlocked!;
        var next = await unlocked.NewEpochAsync([new(id, device), new(words.Unlocker, UnlockerKind.RecoveryWords, await spoken.PublicKeyAsync(Account))]);
        var after = await next.Keys.SealAsync([new(Identity.Generate(), 1, "after"u8.ToArray())], Now);
        ImmutableArray<EpochRecord> epochs = [account.Record, next.Record];

        // The words were absent: their older wrap by secret leads to the newer one to their key.
        var outcome = await Custody.UnlockAsync(spoken, new(words.Unlocker, account.Wraps[words.Unlocker], next.Wraps[words.Unlocker]), epochs, null);
        Assert.Equal(UnlockFault.None, outcome.Fault);
        using var keys = await outcome.Unlocked!.KeysAsync();
        Assert.All(await keys.OpenAsync([.. before, .. after], Now), opened => Assert.True(opened.IsOpen));
        var again = await Custody.UnlockAsync(spoken, new(words.Unlocker, outcome.Unlocked.NewWrap!.Value, default), epochs, null);
        Assert.Equal(UnlockFault.None, again.Fault);

        Assert.Equal(UnlockFault.Removed, (await Custody.UnlockAsync(removed, new(gone, account.Wraps[gone], default), epochs, null)).Fault);
        Assert.Equal(OpenFault.UnknownEpoch, (await account.Keys.OpenAsync(after, Now))[0].Fault);
    }

    [Fact]
    public async Task An_account_that_the_operator_invented_is_not_believed()
    {
        var words = RecoveryWords.Generate();
        using var spoken = await words.ToSecretAsync(Custody);
        byte[] publicKey = await spoken.PublicKeyAsync(Account);
        var invented = await Custody.CreateAsync(Account, [new(words.Unlocker, UnlockerKind.RecoveryWords, publicKey)]);

        var outcome = await Custody.UnlockAsync(spoken, new(words.Unlocker, invented.Wraps[words.Unlocker], default), [invented.Record], null);
        Assert.Equal(UnlockFault.WrongCommitment, outcome.Fault);

        // Pairing showed the commitment: then it is the account that was meant.
        Assert.Equal(UnlockFault.None, (await Custody.UnlockAsync(spoken, new(words.Unlocker, invented.Wraps[words.Unlocker], default), [invented.Record], invented.Record.KeyCommitment)).Fault);
    }
}
