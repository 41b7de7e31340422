namespace Cloister.Cli.Account;

/// <summary>Files for this user's eyes only.</summary>
internal static class PrivateFile
{
    private const UnixFileMode ForThisUser = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Replaces a file's content whole: it is the old or the new one after a crash, and never readable to others in between.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        string made = $"{path}.new";
        File.Delete(made);
        using (var stream = Create(made))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }
        File.Move(made, path, overwrite: true);
    }

    /// <summary>Makes a file that is not there yet, and gives it its name only when everything is in it: what breaks off leaves nothing, and what is killed leaves a file whose name says so.</summary>
    /// <exception cref="IOException">It is there, or one that is not finished is.</exception>
    public static async Task CreateWholeAsync(string path, Func<Stream, Task> write)
    {
        if (Path.Exists(path))
        {
            throw new IOException($"'{path}' is there already.");
        }
        string unfinished = UnfinishedOf(path);
        var stream = Create(unfinished);
        try
        {
            await using (stream)
            {
                await write(stream);
                await stream.FlushAsync();
                RandomAccess.FlushToDisk(stream.SafeFileHandle);
            }
            File.Move(unfinished, path, overwrite: false);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }

    /// <summary>Where <see cref="CreateWholeAsync"/> writes until it is done.</summary>
    public static string UnfinishedOf(string path) => $"{path}.unfinished";

    /// <summary>Makes a file that is not there yet.</summary>
    /// <exception cref="IOException">It is there.</exception>
    public static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = ForThisUser;
        }
        return new FileStream(path, options);
    }
}
