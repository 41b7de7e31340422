using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What a machine's firmware says that it measured, in the TCG's crypto-agile format: for a TPM, or for a trust domain (CCEL).</summary>
/// <remarks>
/// PC Client Platform Firmware Profile, section 10; all integers little-endian:
/// <code>
///   struct {
///       uint32 index; uint32 type = 3;          // EV_NO_ACTION
///       opaque digest[20] = 0;
///       struct {
///           opaque signature[16] = "Spec ID Event03\0";
///           uint32 platform_class;
///           uint8 minor = 0, major = 2, errata, uintn_size;
///           struct { uint16 hash, size; } algorithms&lt;1..5&gt;;   // behind 32 bits of count
///           opaque vendor&lt;0..255&gt;;
///       } event;                                // behind 32 bits of length, exact
///   } Header;
///   struct {
///       uint32 index, type;
///       struct { uint16 hash; opaque digest[]; } digests&lt;1..5&gt;;  // behind 32 bits of count; hashes of the header, none twice
///       opaque event&lt;0..2^32-1&gt;;
///   } Event;
/// </code>
/// Firmware hands over the whole area that it set aside: bytes of ff may follow the last event, anything else may not.
/// A log proves nothing by itself: see <see cref="EventLogVerification"/>.
/// </remarks>
public sealed class EventLog
{
    /// <summary>Ours to choose: in bytes. Real ones have under 64 KiB.</summary>
    public const int MaxSize = 1024 * 1024;

    /// <summary>Ours to choose. Real ones have under 200.</summary>
    public const int MaxEvents = 8192;

    internal const int TpmRegisters = 24;
    internal const int TdxRegisters = 4;

    private const int MaxHashes = 5;

    private EventLog(EventLogKind kind, ImmutableArray<TpmHash> hashes, ImmutableArray<LoggedEvent> events, byte startupLocality) =>
        (Kind, Hashes, Events, StartupLocality) = (kind, hashes, events, startupLocality);

    public EventLogKind Kind { get; }

    /// <summary>What the header announces.</summary>
    public ImmutableArray<TpmHash> Hashes { get; }

    /// <summary>In the log's order, without the header.</summary>
    public ImmutableArray<LoggedEvent> Events { get; }

    /// <summary>Where the TPM was started from: what register 0 began with.</summary>
    public byte StartupLocality { get; }

    /// <summary>What a register holds after all of the log's events.</summary>
    /// <returns>Null where an event of that register has no digest of that hash, or where the hash is neither SHA-256 nor SHA-384.</returns>
    public byte[]? Replay(int register, TpmHash hash)
    {
        if (!TpmHashes.IsUsed(hash))
        {
            return null;
        }
        var value = Initial(register, hash);
        foreach (var one in Events)
        {
            if (one.Register == register && one.IsMeasured)
            {
                var digest = one.DigestOf(hash);
                if (digest.IsEmpty)
                {
                    return null;
                }
                value = TpmHashes.HashData(hash, [.. value, .. digest.Span]);
            }
        }
        return value;
    }

    /// <summary>Reads one log and nothing behind it but padding.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, EventLogKind kind, [NotNullWhen(true)] out EventLog? log, out WireError error)
    {
        log = null;
        if (bytes.Length > MaxSize)
        {
            error = new WireError(WireFault.TooLong, "log", 0, MaxSize, bytes.Length);
            return false;
        }

        var reader = new WireReader(bytes.Span);
        var hashes = ReadHeader(ref reader, kind);
        var events = ImmutableArray.CreateBuilder<LoggedEvent>();
        byte? locality = null;
        bool started = false;
        while (!reader.Failed && reader.Remaining > 0 && !IsPadding(bytes.Span[reader.Offset..]))
        {
            if (events.Count == MaxEvents)
            {
                reader.Refuse("events", MaxEvents, events.Count + 1);
                break;
            }
            var one = ReadEvent(ref reader, bytes, kind, hashes);
            if (one is not null)
            {
                ReadLocality(ref reader, one, kind, ref locality, started);
                started |= one is { Register: 0, IsMeasured: true };
                events.Add(one);
            }
        }
        error = reader.Error;
        log = reader.Failed ? null : new EventLog(kind, hashes, events.ToImmutable(), locality ?? 0);
        return log is not null;
    }

    // Registers 17 to 22 are for a dynamic launch: until there is one, all of their bits are set.
    private byte[] Initial(int register, TpmHash hash)
    {
        var value = new byte[TpmHashes.SizeOf(hash)];
        if (Kind is EventLogKind.Tpm && register is >= 17 and <= 22)
        {
            value.AsSpan().Fill(0xff);
        }
        if (register == 0)
        {
            value[^1] = StartupLocality;
        }
        return value;
    }

    private static ImmutableArray<TpmHash> ReadHeader(ref WireReader reader, EventLogKind kind)
    {
        Require(ref reader, "header.index", reader.UInt32LittleEndian("header.index"), 0, kind is EventLogKind.Tdx ? 1u : 0);
        Require(ref reader, "header.type", reader.UInt32LittleEndian("header.type"), (uint)EventType.NoAction, (uint)EventType.NoAction);
        reader.Zeros("header.digest", 20);
        uint size = reader.UInt32LittleEndian("header.size");
        int start = reader.Offset;
        reader.Expect("signature", "Spec ID Event03\0"u8);
        reader.UInt32LittleEndian("platform_class");
        reader.Expect("version", [0, 2]);
        reader.Bytes("errata", 2);

        uint count = reader.UInt32LittleEndian("algorithms");
        Require(ref reader, "algorithms", count, 1, MaxHashes);
        var hashes = ImmutableArray.CreateBuilder<TpmHash>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            var hash = (TpmHash)reader.UInt16LittleEndian("hash");
            ushort length = reader.UInt16LittleEndian("size");
            if (TpmHashes.SizeOf(hash) != length || length == 0 || hashes.Contains(hash))
            {
                reader.Refuse("hash", TpmHashes.SizeOf(hash), length);
            }
            hashes.Add(hash);
        }
        reader.Bytes("vendor", reader.UInt8("vendor"));
        if (reader.Offset - start != size)
        {
            reader.Refuse("header.size", reader.Offset - start, size);
        }
        return hashes.ToImmutable();
    }

    private static LoggedEvent? ReadEvent(ref WireReader reader, ReadOnlyMemory<byte> bytes, EventLogKind kind, ImmutableArray<TpmHash> hashes)
    {
        uint index = reader.UInt32LittleEndian("index");
        var type = (EventType)reader.UInt32LittleEndian("type");
        int register = RegisterOf(index, kind);
        if (register < 0 && type is not EventType.NoAction)
        {
            reader.Refuse("index", kind is EventLogKind.Tpm ? TpmRegisters - 1 : TdxRegisters, index);
        }

        uint count = reader.UInt32LittleEndian("digests");
        Require(ref reader, "digests", count, 1, (uint)hashes.Length);
        var digests = ImmutableArray.CreateBuilder<EventDigest>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            var hash = (TpmHash)reader.UInt16LittleEndian("hash");
            if (!hashes.Contains(hash) || digests.Any(one => one.Hash == hash))
            {
                reader.Refuse("hash", (long)hashes[0], (long)hash);
            }
            int start = reader.Offset;
            int length = reader.Bytes("digest", TpmHashes.SizeOf(hash)).Length;
            digests.Add(new EventDigest(hash, bytes.Slice(start, length)));
        }
        int data = reader.PrefixedBytes("event", MaxSize).Length;
        return reader.Failed ? null : new LoggedEvent(index, register, type, digests.ToImmutable(), bytes.Slice(reader.Offset - data, data));
    }

    // Section 10.4.5.3. Said once, before anything is extended: a second word could give register 0 another beginning.
    private static void ReadLocality(ref WireReader reader, LoggedEvent one, EventLogKind kind, ref byte? locality, bool started)
    {
        if (kind is EventLogKind.Tpm && !one.IsMeasured && one.Data.Span.StartsWith("StartupLocality\0"u8))
        {
            bool said = one.Data.Length == 17 && one.Register == 0 && one.Data.Span[16] is 0 or 3 or 4;
            if (!said || locality is not null || started)
            {
                reader.Refuse("startup_locality", 1, locality is null ? 0 : 2);
                return;
            }
            locality = one.Data.Span[16];
        }
    }

    private static int RegisterOf(uint index, EventLogKind kind) => kind switch
    {
        EventLogKind.Tpm when index < TpmRegisters              => (int)index,
        EventLogKind.Tdx when index is >= 1 and <= TdxRegisters => (int)index - 1,
        _                                                       => -1,
    };

    // An event of that index and type does not exist, so what begins so is padding or nothing.
    private static bool IsPadding(ReadOnlySpan<byte> rest) =>
        !rest[..Math.Min(8, rest.Length)].ContainsAnyExcept((byte)0xff) && !rest.ContainsAnyExcept((byte)0xff);

    private static void Require(ref WireReader reader, string field, uint value, uint least, uint most)
    {
        if (value < least || value > most)
        {
            reader.Refuse(field, least, value);
        }
    }
}
