using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Kinds of fields in the opaque data of a report (NVIDIA's attestation SDK, GpuOpaqueDataType and SwitchOpaqueDataType; the ones that are judged).</summary>
public enum NvidiaField : ushort
{
    DriverVersion = 3, VbiosVersion = 6, NvdecStatus = 11, ChipSku = 15, Project = 17, ProjectSku = 18, FirmwareId = 20,
    ProtectedPcieStatus = 21,

    /// <summary>In a GPU's report the switches that it is connected to; in a switch's report (there called device PDI) its own.</summary>
    SwitchPdi = 22,

    /// <summary>In a switch's report the GPUs that it is connected to, and their ports.</summary>
    SwitchGpuPdis = 26,

    OpaqueDataVersion = 34, FeatureFlag = 36,
}

/// <summary>How a GPU is protected.</summary>
public enum NvidiaMode : byte
{
    /// <summary>The report contradicts itself or says something unknown.</summary>
    Unknown,

    /// <summary>Older drivers: confidential, and not in protected PCIe mode; more is not said.</summary>
    Unstated,

    /// <summary>One GPU for one machine.</summary>
    SinglePassThrough,

    /// <summary>Several GPUs whose links are encrypted.</summary>
    MultiplePassThrough,

    /// <summary>Several GPUs whose links, and the switches between them, are trusted with plaintext.</summary>
    ProtectedPcie,
}

/// <summary>The opaque data of a report: <c>struct { uint16 type; opaque value&lt;0..2^16-1&gt;; }</c>, little-endian, one behind the other.</summary>
/// <remarks>No type twice. Types that are not known are passed over: the device signed them.</remarks>
public sealed class NvidiaFields
{
    private const int MaxFields = 64;
    private const int PdiSize = 8;
    private const int SwitchGpus = 8;
    private const int MaxOpaqueDataVersion = 2;
    private const byte Enabled = 0xaa;
    private const byte Disabled = 0x55;

    private static readonly SearchValues<byte> TextBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"u8);

    private readonly Dictionary<ushort, ReadOnlyMemory<byte>> _values;

    private NvidiaFields(Dictionary<ushort, ReadOnlyMemory<byte>> values) => _values = values;

    /// <summary>Such as <c>590.12</c>; null where there is none or it is not a version.</summary>
    public string? DriverVersion => Text(NvidiaField.DriverVersion);

    /// <summary>A GPU's, such as <c>96.00.A5.00.01</c>: eight bytes of which the fourth to the first, and then the fifth, are written in hex.</summary>
    public string? VbiosVersion => Value(NvidiaField.VbiosVersion).Span is { Length: 8 } v && v[5..].IndexOfAnyExcept((byte)0) < 0
        ? $"{v[3]:X2}.{v[2]:X2}.{v[1]:X2}.{v[0]:X2}.{v[4]:X2}" : null;

    /// <summary>A switch's, which is text.</summary>
    public string? SwitchBiosVersion => Text(NvidiaField.VbiosVersion)?.ToUpperInvariant();

    public string? Project => Text(NvidiaField.Project);

    public string? ProjectSku => Text(NvidiaField.ProjectSku);

    public string? ChipSku => Text(NvidiaField.ChipSku);

    /// <summary>Of the firmware that holds the signing key, 48 bytes; empty where the report does not name it.</summary>
    public ReadOnlyMemory<byte> FirmwareId => Value(NvidiaField.FirmwareId);

    /// <summary>Whether the first video decoder is there; null where the report does not say.</summary>
    public bool? HasNvdec => Switched(NvidiaField.NvdecStatus);

    public NvidiaMode Mode => (IsProtectedPcie: Switched(NvidiaField.ProtectedPcieStatus), Version: Number(NvidiaField.OpaqueDataVersion) ?? 0, Flag: Number(NvidiaField.FeatureFlag)) switch
    {
        { Version: > MaxOpaqueDataVersion } => NvidiaMode.Unknown,
        { Version: 0, Flag: null, IsProtectedPcie: true } => NvidiaMode.ProtectedPcie,
        { Version: 0, Flag: null, IsProtectedPcie: false } => NvidiaMode.Unstated,
        { Version: > 0, Flag: 2, IsProtectedPcie: true } => NvidiaMode.ProtectedPcie,
        { Version: > 0, Flag: 1, IsProtectedPcie: not true } => NvidiaMode.SinglePassThrough,
        { Version: > 0, Flag: 0, IsProtectedPcie: not true } => NvidiaMode.MultiplePassThrough,
        _ => NvidiaMode.Unknown,
    };

    /// <summary>In a GPU's report: the switches at its links, without the links that have none, each once, in the byte order that switches write.</summary>
    public ImmutableSortedSet<ulong> ConnectedSwitches => Pdis(Value(NvidiaField.SwitchPdi).Span);

    /// <summary>In a switch's report: its own identity; null where the report does not say.</summary>
    public ulong? SwitchPdi => Value(NvidiaField.SwitchPdi).Span is { Length: PdiSize } pdi ? BinaryPrimitives.ReadUInt64BigEndian(pdi) : null;

    /// <summary>In a switch's report: the GPUs at its ports, each once.</summary>
    public ImmutableSortedSet<ulong> ConnectedGpus =>
        Value(NvidiaField.SwitchGpuPdis).Span is { Length: >= SwitchGpus * PdiSize } connected ? Pdis(connected[..(SwitchGpus * PdiSize)]) : [];

    /// <summary>The value of a field; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Value(NvidiaField field) => _values.GetValueOrDefault((ushort)field);

    internal static bool TryParse(ReadOnlyMemory<byte> source, [NotNullWhen(true)] out NvidiaFields? fields, out WireError error)
    {
        var values = new Dictionary<ushort, ReadOnlyMemory<byte>>();
        var reader = new WireReader(source.Span);
        while (reader.Remaining > 0 && !reader.Failed)
        {
            ushort type = reader.UInt16LittleEndian("type");
            ushort length = reader.UInt16LittleEndian("length");
            int start = reader.Offset;
            reader.Bytes("value", length);
            if (!reader.Failed && (values.Count == MaxFields || !values.TryAdd(type, source.Slice(start, length))))
            {
                reader.Refuse("type", MaxFields, type);
            }
        }
        error = reader.Error;
        fields = reader.Failed ? null : new NvidiaFields(values);
        return fields is not null;
    }

    private string? Text(NvidiaField field)
    {
        var bytes = Value(field).Span.TrimEnd((byte)0);
        return bytes.Length is > 0 and <= 64 && bytes.IndexOfAnyExcept(TextBytes) < 0 ? Encoding.ASCII.GetString(bytes) : null;
    }

    private bool? Switched(NvidiaField field) => Value(field).Span switch
    {
        [Enabled]  => true,
        [Disabled] => false,
        _          => null,
    };

    private int? Number(NvidiaField field) => Value(field).Span is { Length: 2 } number ? BinaryPrimitives.ReadUInt16LittleEndian(number) : null;

    private static ImmutableSortedSet<ulong> Pdis(ReadOnlySpan<byte> field)
    {
        var pdis = ImmutableSortedSet.CreateBuilder<ulong>();
        for (; field.Length % PdiSize == 0 && !field.IsEmpty; field = field[PdiSize..])
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(field) is not 0 and var pdi)
            {
                pdis.Add(pdi);
            }
        }
        return pdis.ToImmutable();
    }
}
