using System.Collections.Frozen;
using Cloister.Transparency;

namespace Cloister.Log;

/// <summary>Why an entry is not taken. Zero is none.</summary>
public enum AdmissionFault : byte { None, MalformedEntry, UnknownNamespace, WrongSignature, NotSigned, Expired }

/// <summary>Who may add. That keeps strangers from filling the log; what an entry is worth, its readers judge.</summary>
internal sealed class Submitters
{
    private readonly FrozenDictionary<string, PublisherKeys>? _namespaces; // null: anybody

    public Submitters(LogOptions options) => _namespaces = options.Submitters?.ToFrozenDictionary(
        entry => entry.Key,
        entry => new PublisherKeys(1, [.. entry.Value.Select(text => VerifierKey.TryParse(text, out var key) ? key : throw new ArgumentException("A key is none.", nameof(options))).DistinctBy(key => key.ToString())]),
        StringComparer.Ordinal);

    /// <summary>Whether these bytes may go into the log. What is not valid yet may be announced; what has expired may not.</summary>
    public AdmissionFault Judge(ReadOnlySpan<byte> bytes, DateTimeOffset now)
    {
        if (_namespaces is null)
        {
            return AdmissionFault.None;
        }
        if (!LogEntry.TryParse(bytes, out var entry))
        {
            return AdmissionFault.MalformedEntry;
        }
        if (!_namespaces.TryGetValue(entry.Statement.Namespace, out var keys))
        {
            return AdmissionFault.UnknownNamespace;
        }
        return entry.Verify(entry.Statement.Type, entry.Statement.Namespace, keys, now) switch
        {
            EntryFault.None or EntryFault.NotYetValid => AdmissionFault.None,
            EntryFault.Expired => AdmissionFault.Expired,
            EntryFault.WrongSignature => AdmissionFault.WrongSignature,
            _ => AdmissionFault.NotSigned,
        };
    }
}
