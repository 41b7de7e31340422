using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>What Intel's quoting enclave is (PCS API version 4, "Get TDX Quoting Enclave Identity").</summary>
public sealed record QeIdentity
{
    public const string TdxId = "TD_QE";
    public const int SupportedVersion = 2;

    /// <summary><see cref="TdxId"/> for the one that quotes trust domains.</summary>
    public required string Id { get; init; }

    public required int Version { get; init; }

    public required DateTimeOffset IssueDate { get; init; }

    public required DateTimeOffset NextUpdate { get; init; }

    public required int EvaluationDataNumber { get; init; }

    /// <summary>4 bytes, as is the mask.</summary>
    public required ReadOnlyMemory<byte> MiscSelect { get; init; }

    public required ReadOnlyMemory<byte> MiscSelectMask { get; init; }

    /// <summary>16 bytes, as is the mask.</summary>
    public required ReadOnlyMemory<byte> Attributes { get; init; }

    public required ReadOnlyMemory<byte> AttributesMask { get; init; }

    /// <summary>32 bytes.</summary>
    public required ReadOnlyMemory<byte> MrSigner { get; init; }

    public required ushort IsvProdId { get; init; }

    /// <summary>Newest first.</summary>
    public required ImmutableArray<IsvLevel> Levels { get; init; }

    /// <summary>Reads the inner object of a signed document. Its identifier and version are read, not judged.</summary>
    public static bool TryParse(SignedDocument document, [NotNullWhen(true)] out QeIdentity? identity)
    {
        try
        {
            identity = JsonSerializer.Deserialize(document.Content, CollateralJson.Default.QeIdentityDocument) is { } read ? From(read) : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            identity = null;
        }
        return identity is not null;
    }

    /// <summary>The first level that the enclave's version reaches; null where it is older than all of them.</summary>
    internal IsvLevel? LevelOf(ushort isvSvn) => Levels.FirstOrDefault(level => isvSvn >= level.IsvSvn);

    private static QeIdentity From(QeIdentityDocument read) => new()
    {
        Id = read.Id,
        Version = read.Version,
        IssueDate = CollateralJson.Time(read.IssueDate),
        NextUpdate = CollateralJson.Time(read.NextUpdate),
        EvaluationDataNumber = read.TcbEvaluationDataNumber,
        MiscSelect = CollateralJson.Bytes(read.Miscselect, 4),
        MiscSelectMask = CollateralJson.Bytes(read.MiscselectMask, 4),
        Attributes = CollateralJson.Bytes(read.Attributes, 16),
        AttributesMask = CollateralJson.Bytes(read.AttributesMask, 16),
        MrSigner = CollateralJson.Bytes(read.Mrsigner, 32),
        IsvProdId = read.Isvprodid,
        Levels = [.. CollateralJson.List(read.TcbLevels).Select(IsvLevel.From)],
    };

    internal sealed record QeIdentityDocument
    {
        public required string Id { get; init; }
        public required int Version { get; init; }
        public required string IssueDate { get; init; }
        public required string NextUpdate { get; init; }
        public required int TcbEvaluationDataNumber { get; init; }
        public required string Miscselect { get; init; }
        public required string MiscselectMask { get; init; }
        public required string Attributes { get; init; }
        public required string AttributesMask { get; init; }
        public required string Mrsigner { get; init; }
        public required ushort Isvprodid { get; init; }
        public required ImmutableArray<IsvLevel.IsvLevelDocument> TcbLevels { get; init; }
    }
}
