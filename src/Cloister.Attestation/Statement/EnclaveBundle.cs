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

    internal ReadOnlyMemory<byte> EvidenceOf(Platform platform) => Evidence.Single(evidence => evidence.Platform == platform.Name).Content;

    /// <summary>Reads the envelope; the statement and each platform's evidence are read by the appraisal.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EnclaveBundle? bundle)
    {
        bundle = null;
        if (bytes.Length > MaxSize || JsonMembers.Parse(bytes) is not { } json)
        {
            return false;
        }
        var members = new JsonMembers(json);
        int version = members.Number("version");
        string encoded = members.Text("statement");
        var evidence = ReadCollection(members.Required("evidence"));
        var published = members.Optional("publication");
        bool isPublished = published.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);
        var publication = isPublished ? Attestation.Publication.Read(published) : null;
        if (!members.End() || version != 1 || !Base64.TryDecode(encoded, out var statement) || evidence is null || isPublished != (publication is not null))
        {
            return false;
        }
        bundle = new EnclaveBundle(statement, evidence.Value, publication);
        return true;
    }

    // A conceptual message wrapper collection (draft-ietf-rats-msg-wrap): a record [type, value] per platform, in an order that says nothing.
    private static ImmutableArray<PlatformEvidence>? ReadCollection(JsonElement json)
    {
        var members = new JsonMembers(json);
        if (members.Text(TypeMember) != CollectionType)
        {
            return null;
        }
        var evidence = ImmutableArray.CreateBuilder<PlatformEvidence>();
        foreach (var platform in Attestation.Platform.All)
        {
            if (members.Optional(platform.Name) is { ValueKind: not JsonValueKind.Undefined } record)
            {
                if (!TryReadRecord(record, platform.MediaType, out var content))
                {
                    return null;
                }
                evidence.Add(new PlatformEvidence(platform.Name, content));
            }
        }
        return members.End() ? evidence.ToImmutable() : null;
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
