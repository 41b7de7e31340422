using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What an enclave shows of its build's publication: entries of the log with their proofs, as they came (docs/spec/publication.md).</summary>
/// <param name="Release">The release that the statement names.</param>
/// <param name="Fleet">The machines that the operator says are its own. Null where it does not say.</param>
/// <param name="Others">Recalls, rebuilds and other releases of the namespace.</param>
public sealed record Publication(ProvedEntry Release, ProvedEntry? Fleet, ImmutableArray<ProvedEntry> Others)
{
    /// <summary>Ours to choose: more entries besides are refused.</summary>
    public const int MaxOthers = 64;

    /// <summary>What a statement names the release by, in lower-case hex; null where the entry cannot be read.</summary>
    public string? ReleaseDigest => LogEntry.TryParse(Release.Entry.Span, out var entry) ? Hex.Encode(entry.Digest.Span) : null;

    /// <summary>As a file: the JSON object that stands in a bundle.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(ToDocument(), AttestationJson.Default.PublicationDocument);

    /// <summary>Reads what <see cref="ToBytes"/> writes. It verifies nothing.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Publication? publication) =>
        (publication = FromDocument(AttestationJson.Read(bytes, AttestationJson.Default.PublicationDocument))) is not null;

    /// <summary>The same, of a part of a larger text. Null where it is none.</summary>
    internal static Publication? Read(JsonElement json) => FromDocument(AttestationJson.Read(json, AttestationJson.Default.PublicationDocument));

    /// <summary>The checks of a publication by itself, before any enclave shows it: all but those that compare it with a statement. Nothing here is waived.</summary>
    /// <param name="memory">What is remembered of the log; null where nothing is.</param>
    public ImmutableArray<Check> Appraise(PublicationDemands demands, LogMemory? memory, DateTimeOffset now)
    {
        var appraisal = new PublicationAppraisal(demands, memory, now);
        appraisal.Run(this, null);
        string[] ofStatement = [$"{PublicationCheckTexts.Prefix}{PublicationCheck.Statement}", $"{PublicationCheckTexts.Prefix}{PublicationCheck.Models}"];
        return [.. appraisal.Checks.Where(check => !ofStatement.Contains(check.Name))];
    }

    internal PublicationDocument ToDocument() => new() { Release = Encode(Release), Fleet = Fleet is null ? null : Encode(Fleet), Others = [.. Others.Select(Encode)] };

    private static Publication? FromDocument(PublicationDocument? document)
    {
        if (document is null || document.Others.IsDefault || document.Others.Length > MaxOthers || Decode(document.Release) is not { } release)
        {
            return null;
        }
        var fleet = document.Fleet is null ? null : Decode(document.Fleet);
        var others = document.Others.Select(Decode).ToImmutableArray();
        return (document.Fleet is not null && fleet is null) || others.Contains(null) ? null : new Publication(release, fleet, others!);
    }

    internal static ProvedEntryDocument Encode(ProvedEntry proved) => new() { Entry = Base64.Encode(proved.Entry.Span), Proof = Base64.Encode(proved.Proof.Span) };

    internal static ProvedEntry? Decode(ProvedEntryDocument? document) =>
        document is not null && Base64.TryDecode(document.Entry, out var entry) && Base64.TryDecode(document.Proof, out var proof) ? new ProvedEntry(entry, proof) : null;
}

/// <summary>One entry with its proof as a file of its own, such as a web client's: the JSON object that stands for it in a publication.</summary>
public static class ProvedEntryFile
{
    public static byte[] ToBytes(ProvedEntry proved) => JsonSerializer.SerializeToUtf8Bytes(Publication.Encode(proved), AttestationJson.Default.ProvedEntryDocument);

    /// <summary>Reads what <see cref="ToBytes"/> writes. It verifies nothing.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ProvedEntry? proved) =>
        (proved = Publication.Decode(AttestationJson.Read(bytes, AttestationJson.Default.ProvedEntryDocument))) is not null;
}

internal sealed record PublicationDocument
{
    public required ProvedEntryDocument Release { get; init; }

    public ProvedEntryDocument? Fleet { get; init; }

    public required ImmutableArray<ProvedEntryDocument> Others { get; init; }
}

internal sealed record ProvedEntryDocument
{
    public required string Entry { get; init; }

    public required string Proof { get; init; }
}

/// <summary>What a device remembers of the log, so that nobody can show it an older or another one.</summary>
/// <param name="Remembered">The largest checkpoint that was accepted.</param>
/// <param name="Consistency">The path from it to the checkpoint of the release's proof; empty where they are the same.</param>
public sealed record LogMemory(Checkpoint Remembered, ImmutableArray<TreeHash> Consistency);
