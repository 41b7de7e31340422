using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Enclave.Evidence;

/// <summary>A folder between an enclave and its host, each of which takes the other for an adversary (docs/spec/collateral.md, section 4).</summary>
/// <remarks>
/// Whoever writes into it is alone in that. A file is replaced as a whole, so that nobody reads half of one. A symbolic link is never followed: the
/// other side chooses what it names, and would have us publish or overwrite a file of our own.
/// </remarks>
public sealed partial class SharedFolder(string path)
{
    // <fcntl.h> of Linux. The one that refuses links has another number on ARM.
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 0x8000 : 0x20000;

    public string Path => path;

    /// <summary>A file's whole content; null where there is none of this name.</summary>
    /// <param name="max">In bytes. No more than one byte beyond it is ever read.</param>
    /// <exception cref="IOException">It is longer, a link, no file, or cannot be read. The message is one clear sentence.</exception>
    public byte[]? Read(string name, int max)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Folders are shared with enclaves on Linux only.");
        }

        // A pipe that somebody put there must not keep us waiting for its other end.
        string file = At(name);
        using var handle = Open(file, CloseOnExec | NonBlocking | NoFollow);
        if (handle.IsInvalid)
        {
            const int NoSuchFile = 2, NoSuchFolder = 20, Link = 40;
            int error = Marshal.GetLastPInvokeError();
            return error is NoSuchFile or NoSuchFolder ? null
                : throw new IOException(error == Link ? $"{file} is a link, and none is followed." : $"{file} cannot be read: {Marshal.GetPInvokeErrorMessage(error)}.");
        }

        byte[] buffer = new byte[max + 1];
        int length = 0;
        while (length <= max)
        {
            nint read = Read(handle, ref buffer[length], buffer.Length - length);
            if (read < 0)
            {
                throw new IOException($"{file} cannot be read: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
            }
            if (read == 0)
            {
                break;
            }
            length += (int)read;
        }
        return length <= max ? buffer[..length] : throw new IOException($"{file} is longer than the {max} bytes that it may have.");
    }

    /// <summary>Puts a file in the place of the one of this name: who reads it finds the former content or this one, even if we end in the middle.</summary>
    /// <exception cref="IOException">The folder is not there, or takes no file.</exception>
    public void Replace(string name, ReadOnlySpan<byte> content) => Replace(name, content, _ => { });

    /// <param name="reached">Told of each step once it is done: a test ends us there.</param>
    internal void Replace(string name, ReadOnlySpan<byte> content, Action<ReplacementStep> reached)
    {
        string draft = At($".{name}.new");

        // What an earlier end in the middle left, or a link that lies in wait: removed, never written through.
        File.Delete(draft);
        using (var file = new FileStream(draft, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            reached(ReplacementStep.Created);
            file.Write(content[..(content.Length / 2)]);
            reached(ReplacementStep.HalfWritten);
            file.Write(content[(content.Length / 2)..]);
            reached(ReplacementStep.Written);
            file.Flush(flushToDisk: true);
            reached(ReplacementStep.Flushed);
        }
        File.Move(draft, At(name), overwrite: true);
        reached(ReplacementStep.Renamed);
    }

    private string At(string name) => System.IO.Path.Combine(path, name);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, ref byte buffer, nint count);
}

/// <summary>How far a file's replacement has come.</summary>
internal enum ReplacementStep : byte { Created, HalfWritten, Written, Flushed, Renamed }
