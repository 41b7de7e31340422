using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A platform's evidence in a bundle.</summary>
/// <param name="Platform">Its name in the collection, for example <c>snp</c>.</param>
/// <param name="Content">JSON, whose form is the platform's.</param>
public sealed record PlatformEvidence(string Platform, ReadOnlyMemory<byte> Content);

/// <summary>A statement's exact bytes with the evidence for it (docs/spec/statement.md, section 4).</summary>
/// <param name="Publication">How the build was published; null where nothing is shown of it.</param>
public sealed record EnclaveBundle(ReadOnlyMemory<byte> Statement, ImmutableArray<PlatformEvidence> Evidence, Publication? Publication = null)
{
    /// <summary>The longest bundle, in bytes. Eight GPUs with all that endorses them take under one half of it.</summary>
    public const int MaxSize = 4 * 1024 * 1024;

    private const string TypeMember = "__cmwc_t";
    private const string CollectionType = "tag:cloister,2026:enclave-evidence";

    public byte[] ToBytes()
    {
        var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", 1);
            writer.WriteString("statement", Base64.Encode(Statement.Span));
            writer.WriteStartObject("evidence");
            writer.WriteString(TypeMember, CollectionType);
            foreach (var (name, content) in Evidence)
            {
                writer.WriteStartArray(name);
                writer.WriteStringValue(Attestation.Platform.All.Single(platform => platform.Name == name).MediaType);
                writer.WriteStringValue(Base64.EncodeUrl(content.Span));
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
            if (Publication is not null)
            {
                writer.WritePropertyName("publication");
                JsonSerializer.Serialize(writer, Publication.ToDocument(), AttestationJson.Default.PublicationDocument);
            }
            writer.WriteEndObject();
        }
        return bytes.ToArray();
    }

    /// <summary>Reads the envelope; the statement and each platform's evidence are read by the appraisal.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EnclaveBundle? bundle)
    {
        bundle = null;
        if (bytes.Length > MaxSize || AttestationJson.Read(bytes, AttestationJson.Default.BundleDocument) is not { Version: 1 } document
            || !Base64.TryDecode(document.Statement, out var statement)
            || !document.Evidence.Remove(TypeMember, out var type) || type.ValueKind is not JsonValueKind.String || !type.ValueEquals(CollectionType))
        {
            return false;
        }

        // A conceptual message wrapper collection (draft-ietf-rats-msg-wrap): a record [type, value] per platform, in an order that says nothing.
        var evidence = ImmutableArray.CreateBuilder<PlatformEvidence>();
        foreach (var platform in Attestation.Platform.All)
        {
            if (document.Evidence.Remove(platform.Name, out var record))
            {
                if (!TryReadRecord(record, platform.MediaType, out var content))
                {
                    return false;
                }
                evidence.Add(new PlatformEvidence(platform.Name, content));
            }
        }
        var publication = document.Publication is null ? null : Attestation.Publication.FromDocument(document.Publication);
        bool known = document.Evidence.Count == 0 && (document.Publication is null || publication is not null);
        bundle = known ? new EnclaveBundle(statement, evidence.ToImmutable(), publication) : null;
        return bundle is not null;
    }

    private static bool TryReadRecord(JsonElement record, string mediaType, [NotNullWhen(true)] out byte[]? content)
    {
        content = null;
        try
        {
            return record.ValueKind is JsonValueKind.Array && record.GetArrayLength() == 2
                && record[0] is { ValueKind: JsonValueKind.String } type && type.ValueEquals(mediaType)
                && record[1] is { ValueKind: JsonValueKind.String } value && Base64.TryDecodeUrl(value.GetString(), out content);
        }
        catch (InvalidOperationException)
        {
            // A string in JSON that is no text.
            return false;
        }
    }
}

internal sealed record BundleDocument
{
    public required int Version { get; init; }

    public required string Statement { get; init; }

    public required Dictionary<string, JsonElement> Evidence { get; init; }

    public PublicationDocument? Publication { get; init; }
}
