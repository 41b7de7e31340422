using Cloister.Attestation;
using Cloister.Log.Storage;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary>The files that travel: a publication for an enclave, or one proved entry, such as a web client's.</summary>
internal static class PublicationFile
{
    /// <summary>Puts a published entry into the file where it belongs: a release begins a new publication, what concerns it is added.</summary>
    public static void Put(string file, ProvedEntry proved)
    {
        var statement = LogEntry.TryParse(proved.Entry.Span, out var entry) ? entry.Statement : throw new ArgumentException("The entry is none.", nameof(proved));
        var before = File.Exists(file) && Publication.TryParse(File.ReadAllBytes(file), out var there) ? there : null;
        switch (statement.Type)
        {
            case EntryType.Release:
                Write(file, new Publication(proved, before?.Fleet, []));
                break;
            case EntryType.Fleet when before is not null:
                Write(file, before with { Fleet = proved });
                break;
            case EntryType.Recall or EntryType.Rebuild when before is not null:
                Write(file, before with { Others = [.. before.Others.Where(other => !other.Entry.Span.SequenceEqual(proved.Entry.Span)), proved] });
                break;
            case EntryType.Fleet or EntryType.Recall or EntryType.Rebuild:
                throw new CommandFault(ExitCode.Usage, $"The entry is published, but '{file}' holds no release that it could stand beside: publish the release there first.");
            default:
                Disk.Real.Replace(Path.GetFullPath(file), ProvedEntryFile.ToBytes(proved));
                break;
        }
    }

    public static void Write(string file, Publication publication) => Disk.Real.Replace(Path.GetFullPath(file), publication.ToBytes());

    public static Publication? TryRead(string file) => Publication.TryParse(EntryFile.ReadBytes(file), out var publication) ? publication : null;

    public static ProvedEntry ReadEntry(string file) => ProvedEntryFile.TryParse(EntryFile.ReadBytes(file), out var proved) ? proved
        : throw new CommandFault(ExitCode.Usage, $"'{file}' is neither a publication nor a published entry: 'cloister release publish' writes one.");
}
