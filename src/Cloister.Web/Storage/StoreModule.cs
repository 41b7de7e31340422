using System.Runtime.InteropServices.JavaScript;

namespace Cloister.Web.Storage;

/// <summary><c>store.js</c>: what it says of each function holds here.</summary>
internal static partial class StoreModule
{
    private const string Module = "store";

    private static Task? _import;

    /// <summary>To be awaited before anything else here is called.</summary>
    public static Task ImportAsync() => _import ??= JSHost.ImportAsync(Module, "../store.js");

    [JSImport("open", Module)]
    public static partial Task<JSObject> OpenAsync(string name);

    [JSImport("close", Module)]
    public static partial void Close(JSObject store);

    [JSImport("persist", Module)]
    public static partial void Persist();

    [JSImport("persisted", Module)]
    public static partial Task<bool> PersistedAsync();

    [JSImport("read", Module)]
    public static partial Task<JSObject> ReadAsync(JSObject store, string table, byte[] keys);

    [JSImport("range", Module)]
    public static partial Task<JSObject> RangeAsync(JSObject store, string table, byte[] from, byte[] to, int limit);

    [JSImport("write", Module)]
    public static partial Task<string> WriteAsync(JSObject store, byte[] writes);

    [JSImport("loadDevice", Module)]
    public static partial Task<JSObject?> LoadDeviceAsync(JSObject store);

    [JSImport("secretOf", Module)]
    public static partial JSObject SecretOf(JSObject kept);

    [JSImport("saveDevice", Module)]
    public static partial Task<bool> SaveDeviceAsync(JSObject store, byte[] record, JSObject secret, byte[] before);

    [JSImport("forget", Module)]
    public static partial Task<bool> ForgetAsync(JSObject store, byte[] before);
}
