using System.Runtime.InteropServices;

namespace Cloister.Log.Storage;

/// <summary>fsync of a folder, which the base library has not. Windows has no such call: there a rename is as durable as NTFS makes it.</summary>
internal static partial class PosixFolder
{
    private const int ReadOnly = 0;

    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int folder = Open(path, ReadOnly);
        if (folder < 0)
        {
            throw Failed("opened", path);
        }
        try
        {
            if (Fsync(folder) != 0)
            {
                throw Failed("flushed", path);
            }
        }
        finally
        {
            _ = Close(folder);
        }
    }

    private static IOException Failed(string what, string path) => new($"The folder '{path}' cannot be {what}: {Marshal.GetLastPInvokeErrorMessage()}.");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int file);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
