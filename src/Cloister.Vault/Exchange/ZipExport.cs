using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Cloister.Vault.Exchange;

/// <summary>Of ChatGPT's or Claude's .zip file what is imported: its conversations, in one file or in several that are numbered, and nothing else.</summary>
/// <param name="Conversations">In the order of their names. Empty where there is a fault.</param>
/// <param name="Fault">Why nothing of it is imported.</param>
/// <param name="FaultFile">Which file in it is the reason; null where none is.</param>
internal sealed partial record ZipExport(ImmutableArray<ZipEntry> Conversations, ImportFault Fault, string? FaultFile)
{
    // Of all conversations together, in bytes.
    private const long MaxLength = 4L << 30;

    // Of names in a sentence.
    private const int MaxNames = 5;

    // What macOS puts beside the files of an archive that it packs again.
    private const string Shadows = "__MACOSX/";

    /// <summary>Judges all before any is opened.</summary>
    /// <param name="entries">All that are in the file.</param>
    /// <param name="fileLength">Of the .zip file, in bytes.</param>
    /// <param name="note">Told what is not imported.</param>
    public static ZipExport Choose(ImmutableArray<ZipEntry> entries, long fileLength, Action<string> note)
    {
        ImmutableArray<ZipEntry> chosen = [.. entries.Where(IsConversations).OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        if (chosen.IsEmpty)
        {
            var nested = entries.FirstOrDefault(IsZip);
            return new([], nested is null ? ImportFault.ZipWithoutConversations : ImportFault.ZipNested, nested?.Name);
        }
        // Where two share their bytes, the sum is more than there is.
        if (AreMore(chosen.Select(entry => entry.Length), MaxLength) || AreMore(chosen.Select(entry => entry.Packed), fileLength))
        {
            return new([], ImportFault.ZipBomb, null);
        }
        foreach (var entry in chosen)
        {
            var fault =
                entry.IsEncrypted                                            ? ImportFault.ZipEncrypted
                : entry.Method is not (ZipEntry.Stored or ZipEntry.Deflated) ? ImportFault.ZipMethod
                : entry.IsBomb                                               ? ImportFault.ZipBomb
                : ImportFault.None;
            if (fault is not ImportFault.None)
            {
                return new([], fault, entry.Name);
            }
        }
        Tell(entries, note);
        return new(chosen, ImportFault.None, null);
    }

    private static void Tell(ImmutableArray<ZipEntry> entries, Action<string> note)
    {
        var others = entries.Where(entry => !entry.IsFolder && !IsConversations(entry) && !entry.Name.StartsWith(Shadows, StringComparison.Ordinal)).ToLookup(IsZip);
        if (others[true].Any())
        {
            note($"Not opened, because they are archives in an archive: {Names(others[true])}.");
        }
        if (others[false].Any())
        {
            // Pictures are many, and what is said of the account is JSON.
            note($"Not imported: {Names(others[false].OrderBy(entry => !entry.Name.EndsWith(".json", StringComparison.OrdinalIgnoreCase)))}.");
        }
    }

    private static string Names(IEnumerable<ZipEntry> entries)
    {
        string[] names = [.. entries.Select(entry => LeftOut.Short(entry.Name))];
        return string.Join(", ", names.Take(MaxNames)) + (names.Length > MaxNames ? $" and {names.Length - MaxNames} more" : "");
    }

    // Whether it is more than that, without overflowing.
    private static bool AreMore(IEnumerable<long> lengths, long most)
    {
        foreach (long length in lengths)
        {
            if (length > most)
            {
                return true;
            }
            most -= length;
        }
        return false;
    }

    private static bool IsConversations(ZipEntry entry) => ConversationsName.IsMatch(entry.File) && !entry.Name.StartsWith(Shadows, StringComparison.Ordinal);

    private static bool IsZip(ZipEntry entry) => entry.Name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"\Aconversations(-[0-9]{1,6})?\.json\z", RegexOptions.CultureInvariant)]
    private static partial Regex ConversationsName { get; }
}
