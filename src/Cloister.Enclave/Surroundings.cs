using System.Collections;
using System.Runtime.InteropServices;

namespace Cloister.Enclave;

/// <summary>The environment variables that the program was started with (docs/spec/statement.md, section 5).</summary>
internal static partial class Surroundings
{
    /// <summary>Forgets them all, before any library could find one: HTTP_PROXY, OPENSSL_CONF, ASPNETCORE_URLS ….</summary>
    public static void Forget()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            Environment.SetEnvironmentVariable((string)variable.Key, null);
        }

        // The runtime forgets its own copy only; OpenSSL and ONNX Runtime read the C library's.
        if (ClearEnvironment() != 0)
        {
            throw new InvalidOperationException("The environment could not be forgotten.");
        }
    }

    [LibraryImport("libc", EntryPoint = "clearenv")]
    private static partial int ClearEnvironment();
}
