using System.Runtime.InteropServices.JavaScript;

namespace Cloister.Web.Keys;

/// <summary><c>vault.js</c>: what it says of each function holds here.</summary>
internal static partial class VaultModule
{
    private const string Module = "vault";

    private static Task? _import;

    /// <summary>To be awaited before anything else here is called.</summary>
    public static Task ImportAsync() => _import ??= JSHost.ImportAsync(Module, "../vault.js");

    /// <summary>The bytes of an answer, which is let go of.</summary>
    public static async Task<byte[]> BytesAsync(Task<JSObject> answer)
    {
        using var result = await answer;
        return result.GetPropertyAsByteArray("bytes") ?? [];
    }

    /// <summary>The same, for an answer that may be null.</summary>
    public static async Task<byte[]?> MaybeBytesAsync(Task<JSObject?> answer)
    {
        using var result = await answer;
        return result?.GetPropertyAsByteArray("bytes");
    }

    [JSImport("newSecret", Module)]
    public static partial Task<JSObject> NewSecretAsync();

    [JSImport("importSecret", Module)]
    public static partial Task<JSObject> ImportSecretAsync(byte[] secret);

    [JSImport("derive", Module)]
    public static partial Task<JSObject> DeriveAsync(JSObject key, byte[] salt, string info, int length);

    [JSImport("wrapKeyOf", Module)]
    public static partial Task<JSObject> WrapKeyOfAsync(JSObject secret, byte[] account);

    [JSImport("importWrapKey", Module)]
    public static partial Task<JSObject> ImportWrapKeyAsync(byte[] key);

    [JSImport("unwrapAccountKey", Module)]
    public static partial Task<JSObject?> UnwrapAccountKeyAsync(JSObject wrapKey, byte[] sealedKey, byte[] iv, byte[] associated);

    [JSImport("wrapAccountKey", Module)]
    public static partial Task<JSObject> WrapAccountKeyAsync(JSObject accountKey, JSObject wrapKey, byte[] iv, byte[] associated);

    [JSImport("newAccountKey", Module)]
    public static partial Task<JSObject> NewAccountKeyAsync();

    [JSImport("deriveFromAccount", Module)]
    public static partial Task<JSObject> DeriveFromAccountAsync(JSObject accountKey, byte[] account, string info);

    [JSImport("sealPrevious", Module)]
    public static partial Task<JSObject> SealPreviousAsync(JSObject accountKey, JSObject previous, byte[] account, byte[] iv, byte[] associated);

    [JSImport("openPrevious", Module)]
    public static partial Task<JSObject?> OpenPreviousAsync(JSObject accountKey, byte[] account, byte[] sealedKey, byte[] iv, byte[] associated);

    [JSImport("newHeadKey", Module)]
    public static partial Task<JSObject> NewHeadKeyAsync();

    [JSImport("sealHeadKey", Module)]
    public static partial Task<JSObject> SealHeadKeyAsync(JSObject accountKey, JSObject head, byte[] account, byte[] iv, byte[] associated);

    [JSImport("openHeadKey", Module)]
    public static partial Task<JSObject?> OpenHeadKeyAsync(JSObject accountKey, byte[] account, byte[] sealedKey, byte[] iv, byte[] associated, byte[] publicKey);

    [JSImport("sign", Module)]
    public static partial Task<JSObject> SignAsync(JSObject head, byte[] message);

    [JSImport("addEpoch", Module)]
    public static partial Task<JSObject> AddEpochAsync(JSObject? epochs, JSObject accountKey, byte[] account);

    [JSImport("openItems", Module)]
    public static partial Task<JSObject> OpenItemsAsync(JSObject epochs, byte[] rows);

    [JSImport("sealItems", Module)]
    public static partial Task<JSObject> SealItemsAsync(JSObject epochs, byte[] rows);

    [JSImport("cacheKey", Module)]
    public static partial Task<JSObject> CacheKeyAsync(JSObject accountKey, byte[] account);

    [JSImport("sealForDevice", Module)]
    public static partial Task<JSObject> SealForDeviceAsync(JSObject key, string purpose, byte[] content);

    [JSImport("openForDevice", Module)]
    public static partial Task<JSObject?> OpenForDeviceAsync(JSObject key, string purpose, byte[] content);
}
