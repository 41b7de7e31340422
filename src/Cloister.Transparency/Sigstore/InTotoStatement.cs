using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using static Cloister.Transparency.ProtoJson;

namespace Cloister.Transparency;

/// <summary>What a signer says of artifacts (in-toto attestation framework, Statement). It is read, not trusted.</summary>
public sealed class InTotoStatement
{
    /// <summary>The payload type of an envelope that holds one.</summary>
    public const string PayloadType = "application/vnd.in-toto+json";

    private const int MaxSubjects = 4096;

    private InTotoStatement() { }

    /// <summary>The statement's <c>_type</c>.</summary>
    public required string Type { get; init; }

    public required string PredicateType { get; init; }

    /// <summary>SHA-256 of each subject in hex, as it stands there; null where a subject has no such digest.</summary>
    public required ImmutableArray<string?> SubjectDigests { get; init; }

    /// <summary>The predicate; of the kind <see cref="JsonValueKind.Undefined"/> where there is none.</summary>
    public required JsonElement Predicate { get; init; }

    /// <summary>Reads one strictly: no member of statement and subjects unknown, none twice.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out InTotoStatement? statement)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            statement = Read(document.RootElement);
        }
        catch (Exception e) when (IsFault(e))
        {
            statement = null;
        }
        return statement is not null;
    }

    private static InTotoStatement Read(JsonElement root)
    {
        RequireOnly(root, "_type", "subject", "predicateType", "predicate");
        return new()
        {
            Type = Text(root, "_type"),
            PredicateType = Text(root, "predicateType"),
            SubjectDigests = [.. List(root, "subject", MaxSubjects).Select(ReadDigest)],
            Predicate = Optional(root, "predicate")?.Clone() ?? default,
        };
    }

    // A ResourceDescriptor.
    private static string? ReadDigest(JsonElement subject)
    {
        RequireOnly(subject, "name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations");
        foreach (string name in (ReadOnlySpan<string>)["name", "uri", "content", "downloadLocation", "mediaType"])
        {
            _ = Optional(subject, name) is { } text ? Text(text) : null;
        }
        if (Optional(subject, "digest") is not { } digests)
        {
            return null;
        }
        Require(digests.ValueKind is JsonValueKind.Object && digests.EnumerateObject().All(digest => digest.Value.ValueKind is JsonValueKind.String));
        return Optional(digests, "sha256") is { } sha256 ? Text(sha256) : null;
    }
}
