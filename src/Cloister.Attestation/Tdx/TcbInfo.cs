using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Attestation;

/// <summary>TCB info of version 3 for TDX: which firmware Intel holds to be good for one kind of processor (PCS API version 4, "Get TCB Info").</summary>
public sealed record TcbInfo
{
    private const string TdxId = "TDX";
    private const int SupportedVersion = 3;
    private const int Components = 16;

    public required DateTimeOffset IssueDate { get; init; }

    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>6 bytes.</summary>
    public required ReadOnlyMemory<byte> Fmspc { get; init; }

    /// <summary>2 bytes.</summary>
    public required ReadOnlyMemory<byte> PceId { get; init; }

    /// <summary>Grows with each recovery event of Intel.</summary>
    public required int EvaluationDataNumber { get; init; }

    /// <summary>The module of major version 0.</summary>
    public required TdxModuleIdentity? Module { get; init; }

    /// <summary>The modules of later major versions.</summary>
    public required ImmutableArray<TdxModuleIdentity> Modules { get; init; }

    /// <summary>Newest first.</summary>
    public required ImmutableArray<TcbLevel> Levels { get; init; }

    /// <summary>Reads the inner object of a signed document. False where it is not of this version, not for TDX, or malformed.</summary>
    public static bool TryParse(SignedDocument document, [NotNullWhen(true)] out TcbInfo? info)
    {
        try
        {
            info = JsonSerializer.Deserialize(document.Content, CollateralJson.Default.TcbInfoDocument) is { Id: TdxId, Version: SupportedVersion } read ? From(read) : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            info = null;
        }
        return info is not null;
    }

    /// <summary>The module whose major version is <paramref name="major"/>; null where Intel does not know it.</summary>
    internal TdxModuleIdentity? FindModule(byte major) =>
        major == 0 ? Module : Modules.FirstOrDefault(module => string.Equals(module.Id, $"TDX_{major:X2}", StringComparison.OrdinalIgnoreCase));

    private static TcbInfo From(TcbInfoDocument read) => new()
    {
        IssueDate = CollateralJson.Time(read.IssueDate),
        NextUpdate = CollateralJson.Time(read.NextUpdate),
        Fmspc = CollateralJson.Bytes(read.Fmspc, 6),
        PceId = CollateralJson.Bytes(read.PceId, 2),
        EvaluationDataNumber = read.TcbEvaluationDataNumber,
        Module = read.TdxModule is null ? null : From(read.TdxModule),
        Modules = [.. CollateralJson.List(read.TdxModuleIdentities, mayBeAbsent: true).Select(From)],
        Levels = [.. CollateralJson.List(read.TcbLevels).Select(From)],
    };

    private static TdxModuleIdentity From(ModuleDocument read) => new()
    {
        Id = read.Id ?? "",
        MrSigner = CollateralJson.Bytes(read.Mrsigner, 48),
        Attributes = CollateralJson.Bytes(read.Attributes, 8),
        AttributesMask = CollateralJson.Bytes(read.AttributesMask, 8),
        Levels = [.. CollateralJson.List(read.TcbLevels, mayBeAbsent: true).Select(IsvLevel.From)],
    };

    private static TcbLevel From(LevelDocument read) => new()
    {
        Sgx = From(read.Tcb.Sgxtcbcomponents),
        Tdx = From(read.Tcb.Tdxtcbcomponents),
        PceSvn = read.Tcb.Pcesvn,
        Date = CollateralJson.Time(read.TcbDate),
        Status = TcbStatuses.Read(read.TcbStatus),
        Advisories = CollateralJson.List(read.Advisories, mayBeAbsent: true),
    };

    private static byte[] From(ImmutableArray<ComponentDocument> components) =>
        CollateralJson.List(components) is { Length: Components } list ? [.. list.Select(component => component.Svn)] : throw new FormatException();

    internal sealed record TcbInfoDocument
    {
        public required string Id { get; init; }
        public required int Version { get; init; }
        public required string IssueDate { get; init; }
        public required string NextUpdate { get; init; }
        public required string Fmspc { get; init; }
        public required string PceId { get; init; }
        public required int TcbEvaluationDataNumber { get; init; }
        public ModuleDocument? TdxModule { get; init; }
        public ImmutableArray<ModuleDocument> TdxModuleIdentities { get; init; }
        public required ImmutableArray<LevelDocument> TcbLevels { get; init; }
    }

    internal sealed record ModuleDocument
    {
        public string? Id { get; init; }
        public required string Mrsigner { get; init; }
        public required string Attributes { get; init; }
        public required string AttributesMask { get; init; }
        public ImmutableArray<IsvLevel.IsvLevelDocument> TcbLevels { get; init; }
    }

    internal sealed record LevelDocument
    {
        public required TcbDocument Tcb { get; init; }
        public required string TcbDate { get; init; }
        public required string TcbStatus { get; init; }

        [JsonPropertyName("advisoryIDs")]
        public ImmutableArray<string> Advisories { get; init; }
    }

    internal sealed record TcbDocument
    {
        public required ImmutableArray<ComponentDocument> Sgxtcbcomponents { get; init; }
        public required ushort Pcesvn { get; init; }
        public required ImmutableArray<ComponentDocument> Tdxtcbcomponents { get; init; }
    }

    internal sealed record ComponentDocument
    {
        public required byte Svn { get; init; }
    }
}

/// <summary>A level of a platform's firmware.</summary>
public sealed record TcbLevel
{
    /// <summary>The least version of each of the processor's parts, 16 bytes.</summary>
    public required ReadOnlyMemory<byte> Sgx { get; init; }

    /// <summary>The least version of each of TDX's parts, 16 bytes.</summary>
    public required ReadOnlyMemory<byte> Tdx { get; init; }

    public required ushort PceSvn { get; init; }

    public required DateTimeOffset Date { get; init; }

    public required TcbStatus Status { get; init; }

    /// <summary>What is known to be wrong with it, such as INTEL-SA-01036.</summary>
    public required ImmutableArray<string> Advisories { get; init; }
}

/// <summary>A TDX module of one major version.</summary>
public sealed record TdxModuleIdentity
{
    /// <summary><c>TDX_</c> and the major version in hex; empty for version 0.</summary>
    public required string Id { get; init; }

    /// <summary>48 bytes.</summary>
    public required ReadOnlyMemory<byte> MrSigner { get; init; }

    /// <summary>8 bytes.</summary>
    public required ReadOnlyMemory<byte> Attributes { get; init; }

    /// <summary>8 bytes.</summary>
    public required ReadOnlyMemory<byte> AttributesMask { get; init; }

    /// <summary>Newest first.</summary>
    public required ImmutableArray<IsvLevel> Levels { get; init; }
}

/// <summary>A level of one enclave or module, by its security version.</summary>
public sealed record IsvLevel
{
    public required ushort IsvSvn { get; init; }

    public required DateTimeOffset Date { get; init; }

    public required TcbStatus Status { get; init; }

    public required ImmutableArray<string> Advisories { get; init; }

    internal static IsvLevel From(IsvLevelDocument read) => new()
    {
        IsvSvn = read.Tcb.Isvsvn,
        Date = CollateralJson.Time(read.TcbDate),
        Status = TcbStatuses.Read(read.TcbStatus),
        Advisories = CollateralJson.List(read.Advisories, mayBeAbsent: true),
    };

    internal sealed record IsvLevelDocument
    {
        public required SvnDocument Tcb { get; init; }
        public required string TcbDate { get; init; }
        public required string TcbStatus { get; init; }

        [JsonPropertyName("advisoryIDs")]
        public ImmutableArray<string> Advisories { get; init; }
    }

    internal sealed record SvnDocument
    {
        public required ushort Isvsvn { get; init; }
    }
}
