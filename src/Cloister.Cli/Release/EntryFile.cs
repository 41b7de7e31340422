using System.Text;
using Cloister.Attestation;
using Cloister.Log;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary>Statements in files, on their way to the log: first the text alone, then with ever more signatures.</summary>
internal static class EntryFile
{
    /// <summary>A statement, whether or not somebody signed it yet. A publication stands for its release.</summary>
    public static LogStatement ReadStatement(string file)
    {
        byte[] bytes = ReadBytes(file);
        return LogEntry.TryParse(bytes, out var entry) ? entry.Statement
            : Publication.TryParse(bytes, out var publication) && LogEntry.TryParse(publication.Release.Entry.Span, out var released) ? released.Statement
            : LogEntry.TryReadText(Encoding.UTF8.GetString(bytes), out var statement) ? statement
            : throw new CommandFault(ExitCode.Usage, $"'{file}' is not an entry: 'cloister release new' makes one.");
    }

    /// <summary>An entry that somebody signed. A publication stands for its release.</summary>
    public static LogEntry ReadSigned(string file)
    {
        byte[] bytes = ReadBytes(file);
        return LogEntry.TryParse(bytes, out var entry) || (Publication.TryParse(bytes, out var publication) && LogEntry.TryParse(publication.Release.Entry.Span, out entry))
            ? entry
            : throw new CommandFault(ExitCode.Usage, $"'{file}' is not a signed entry: sign it with 'cloister release sign {file} --key FILE'.");
    }

    /// <summary>Writes a new statement, signed by these keys if there are any.</summary>
    public static void Write(string file, LogStatement statement, IReadOnlyCollection<string> keyFiles)
    {
        string text;
        try
        {
            text = LogEntry.TextOf(statement);
        }
        catch (ArgumentException)
        {
            throw new CommandFault(ExitCode.Usage, "A value is not of its form: names have no spaces and are there once, digests and revisions are in lower-case hex, and the minimum version is at most the security version.");
        }
        Disk.Real.Replace(Path.GetFullPath(file), Encoding.UTF8.GetBytes(text));
        foreach (string key in keyFiles)
        {
            Sign(file, key);
        }
    }

    /// <summary>Puts one more signature under the file's text. One that is there already stays as it is.</summary>
    /// <returns>The statement's digest, by which recalls and enclaves name it.</returns>
    public static ReadOnlyMemory<byte> Sign(string file, string keyFile)
    {
        byte[] bytes = ReadBytes(file);
        using var key = ReadKey(keyFile);
        bool signed = SignedNote.TryParse(bytes, out var note, out _);
        string text = signed ? note!.Text : Encoding.UTF8.GetString(bytes);
        if (!LogEntry.TryReadText(text, out _))
        {
            throw new CommandFault(ExitCode.Usage, $"'{file}' is not an entry: nothing was signed.");
        }
        if (!signed || !note!.Signatures.Any(key.Verifier.IsNamedBy))
        {
            var signature = key.Sign(text);
            note = signed ? note!.With(signature) : SignedNote.Create(text, [signature]);
        }
        if (!LogEntry.TryParse(note.ToBytes(), out var entry))
        {
            throw new CommandFault(ExitCode.Usage, $"'{file}' is longer than an entry of a log can be: {EntryBundle.MaxEntrySize} bytes.");
        }
        Disk.Real.Replace(Path.GetFullPath(file), note.ToBytes());
        return entry.Digest;
    }

    public static byte[] ReadBytes(string file) => File.Exists(file) ? File.ReadAllBytes(file) : throw new CommandFault(ExitCode.Usage, $"There is no file '{file}'.");

    private static SignerKey ReadKey(string file)
    {
        if (!KeyFiles.TryRead(file, out var key))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no private key in '{file}'.");
        }
        if (key.Verifier.Type is NoteKeyType.Ed25519)
        {
            return key;
        }
        key.Dispose();
        throw new CommandFault(ExitCode.Usage, $"The key in '{file}' is a witness's: publishers sign with a key of 'cloister release key'.");
    }
}
