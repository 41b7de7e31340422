using Microsoft.Win32.SafeHandles;

namespace Cloister.Log.Storage;

/// <summary>What is done to files that must outlive a power cut, each call a step before, in and after which it may come.</summary>
/// <remarks>Tests put a disk in its place that fills, tears and forgets. Nothing else in this room writes such files; SQLite has an account with the disk of its own.</remarks>
internal class Disk
{
    public static Disk Real { get; } = new();

    /// <summary>Makes one folder, whose parent is there. It is lost with the power until the parent is flushed.</summary>
    public virtual void CreateFolder(string path) => Directory.CreateDirectory(path);

    /// <summary>Writes a whole file and flushes its content. Its name is lost with the power until the folder is flushed.</summary>
    public virtual void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        RandomAccess.Write(file, bytes, 0);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Gives a file its name, in place of what had it. Either name may be seen after a power cut until the folder is flushed.</summary>
    public virtual void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    /// <summary>Makes the names in a folder durable.</summary>
    public virtual void FlushFolder(string path) => PosixFolder.Flush(path);

    /// <summary>Null where there is no such file.</summary>
    public virtual byte[]? Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Removes a folder of files that nobody needs any more.</summary>
    public virtual void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>Replaces a file's content: after a power cut it is the old or the new one, whole.</summary>
    public void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        Write($"{path}.new", bytes);
        Rename($"{path}.new", path);
        FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Holds a folder for this process alone, until it is disposed of or the process ends.</summary>
    /// <exception cref="LogStoppedException">Another process has it.</exception>
    public static SafeFileHandle Lock(string folder)
    {
        try
        {
            return File.OpenHandle(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException taken) when (taken is not (DirectoryNotFoundException or PathTooLongException))
        {
            throw new LogStoppedException(LogFault.Locked, $"Another process works in '{folder}'.", taken);
        }
    }
}
