using Cloister.Ledger;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Tests.Unlockers;

/// <summary>A key that was wiped is 32 zeros, which everybody knows. Whoever uses it by mistake is told; nothing is sealed with it.</summary>
public class DisposedKeyTests
{
    private static readonly MemoryCustody Custody = new();
    private static readonly AccountNumber Account = AccountNumber.Generate();

    [Fact]
    public async Task A_secret_that_was_disposed_of_signs_wraps_and_tells_nothing()
    {
        var device = MemorySecret.GenerateDevice();
        device.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await device.SignAsync(Account, new byte[1]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await device.SignInKeyAsync(Account));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await device.PublicKeyAsync(Account));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await Custody.CreateAsync(Account, [new(default, device)]));
        Assert.Throws<ObjectDisposedException>(device.DangerousExport);
    }

    [Fact]
    public async Task An_unlocked_account_that_was_disposed_of_gives_no_keys_wraps_and_epochs()
    {
        using var device = MemorySecret.GenerateDevice();
        var account = await Custody.CreateAsync(Account, [new(default, device)]);
        var unlocked = (await Custody.UnlockAsync(device, new(default, account.Wraps[default], default), [account.Record], null)).Unlocked!;
        var keys = await unlocked.KeysAsync();
        unlocked.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await unlocked.KeysAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await unlocked.WrapAsync(new(default, device)));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await unlocked.NewEpochAsync([new(default, device)]));

        // The keys that it gave before are their owner's, and go on until that one disposes of them.
        var item = (await keys.SealAsync([new(default, 1, "text"u8.ToArray())], CancellationToken.None))[0];
        keys.Dispose();
        keys.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await keys.SealAsync([new(default, 1, "text"u8.ToArray())], CancellationToken.None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await keys.OpenAsync([item], CancellationToken.None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await keys.SignAsync(new Head(Account, 1, 1, new byte[32], new byte[32], 0, default), CancellationToken.None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await keys.SealForDeviceAsync("list", default, CancellationToken.None));
    }

    [Fact]
    public void An_account_key_that_was_disposed_of_derives_nothing()
    {
        var key = AccountKey.Generate(Account);
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(key.KeyCommitment);
        Assert.Throws<ObjectDisposedException>(() => key.Bytes.Length);
    }
}
