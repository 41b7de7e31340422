using Cloister.Transparency;

namespace Cloister.Log.Monitor;

/// <summary>An entry in a person's words.</summary>
internal static class EntryWords
{
    public static string Of(LogEntry entry)
    {
        var statement = entry.Statement;
        string body = statement switch
        {
            { Release: { } release } => $"release {release.Version}, security version {release.SecurityVersion}, {Count(release.Artifacts.Length, "artifact")}, from {release.SourceRevision[..12]}",
            { Recall: { } recall } => $"recall of {recall.Release[..12]}: {recall.Reason}",
            { Rebuild: { } rebuild } => $"rebuild of {rebuild.Release[..12]}, {Count(rebuild.Artifacts.Length, "artifact")}",
            { Fleet: { } fleet } => $"fleet of {Count(fleet.Nodes.Length, "machine")}",
            { OhttpKeys: not null } => "keys of the oblivious door",
            { Policy: { } policy } => $"policy {policy.Name}, {policy.Sha256[..12]}",
            { WebClient: { } web } => $"web client {web.Version}, {Count(web.Files.Length, "file")}",
            _ => "a statement",
        };
        return $"{statement.Namespace}: {body}; valid {statement.NotBefore} to {statement.NotAfter}; signed as {string.Join(", ", entry.Note.Signatures.Select(signature => signature.KeyName))}";
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
}
