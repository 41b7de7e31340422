using System.Runtime.InteropServices.JavaScript;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Web.Keys;

namespace Cloister.Web.Storage;

/// <summary>This browser's way to an account, in IndexedDB: the record, and the secret as a handle that script cannot export.</summary>
internal sealed class PageDeviceMemory : DeviceMemory
{
    /// <summary>Whether the browser promised to keep it, and the history, until its user clears it. Else it may evict both where it has no room.</summary>
    public static async Task<bool> IsPersistentAsync()
    {
        await StoreModule.ImportAsync();
        return await StoreModule.PersistedAsync();
    }

    public override ValueTask<RememberedDevice?> LoadAsync(CancellationToken cancellationToken) => WithStoreAsync<RememberedDevice?>(async store =>
    {
        using var kept = await StoreModule.LoadDeviceAsync(store);
        return kept is null ? null : new(kept.GetPropertyAsByteArray("record"), new WebCryptoSecret(UnlockerKind.Device, StoreModule.SecretOf(kept)));
    });

    public override async ValueTask<bool> TrySaveAsync(RememberedDevice device, ReadOnlyMemory<byte>? before, CancellationToken cancellationToken)
    {
        bool saved = await WithStoreAsync(store => StoreModule.SaveDeviceAsync(store, device.Record.ToArray(), ((WebCryptoSecret)device.Secret).Handle, before?.ToArray() ?? []));
        StoreModule.Persist();
        return saved;
    }

    public override ValueTask<bool> TryForgetAsync(ReadOnlyMemory<byte> before, CancellationToken cancellationToken) => WithStoreAsync(store => StoreModule.ForgetAsync(store, before.ToArray()));

    private static async ValueTask<T> WithStoreAsync<T>(Func<JSObject, Task<T>> use)
    {
        using var store = await IndexedDbStore.OpenDatabaseAsync();
        try
        {
            return await use(store);
        }
        catch (JSException fault)
        {
            throw new StoreFailedException("The browser's storage cannot be used.", fault);
        }
        finally
        {
            StoreModule.Close(store);
        }
    }
}
