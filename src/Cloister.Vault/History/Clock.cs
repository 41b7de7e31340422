using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Vault.History;

/// <summary>A hybrid logical clock (docs/spec/vault.md, section 6): a time, a counter and the device that says so. What was seen is always outdone, even where a clock is wrong by years.</summary>
public readonly record struct Clock : IComparable<Clock>
{
    /// <summary>In bytes; twice as many letters.</summary>
    public const int Size = 16;

    /// <summary>The last millisecond of the year 9999. A clock that is later is malformed.</summary>
    public const long MaxMilliseconds = 253_402_300_799_999;

    private readonly ulong _time;
    private readonly ulong _device;

    private Clock(long milliseconds, ushort counter, ulong device) => (_time, _device) = (((ulong)milliseconds << 16) | counter, device);

    /// <summary>Since 1970.</summary>
    public long Milliseconds => (long)(_time >> 16);

    /// <summary>Tells changes of one millisecond apart.</summary>
    public ushort Counter => (ushort)(_time & ushort.MaxValue);

    /// <summary>The first 8 of the device's 16 bytes.</summary>
    public ulong Device => _device;

    /// <summary>What the device took for the time. It orders, and proves nothing.</summary>
    public DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(Milliseconds);

    /// <summary>The clock of a change that <paramref name="device"/> makes at <paramref name="now"/> to what had the clock <paramref name="previous"/>: later than that one.</summary>
    /// <remarks>Only the very last clock that can be written is not outdone: no device gets there by itself.</remarks>
    public static Clock After(DateTimeOffset now, Clock? previous, Identity device)
    {
        long milliseconds = Math.Max(0, now.ToUnixTimeMilliseconds());
        ulong name = BinaryPrimitives.ReadUInt64BigEndian(device.ToArray());
        return previous switch
        {
            { } seen when milliseconds > seen.Milliseconds => new(milliseconds, 0, name),
            { Counter: < ushort.MaxValue } seen            => new(seen.Milliseconds, (ushort)(seen.Counter + 1), name),
            { Milliseconds: < MaxMilliseconds } seen       => new(seen.Milliseconds + 1, 0, name),
            { } last                                       => new(last.Milliseconds, last.Counter, Math.Max(last.Device, name)),
            null                                           => new(milliseconds, 0, name),
        };
    }

    /// <summary>Reads 32 hex digits in lower case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Clock clock)
    {
        clock = default;
        return text is { Length: 2 * Size } && Hex.TryDecode(text, out byte[]? bytes) && TryRead(bytes, out clock);
    }

    /// <summary>Reads the 16 bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Clock clock)
    {
        ulong time = bytes.Length == Size ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : ulong.MaxValue;
        bool good = time >> 16 <= MaxMilliseconds;
        clock = good ? new((long)(time >> 16), (ushort)(time & ushort.MaxValue), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..])) : default;
        return good;
    }

    /// <summary>Writes the 16 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _time);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..Size], _device);
    }

    /// <summary>In the order of the bytes.</summary>
    public int CompareTo(Clock other) => _time == other._time ? _device.CompareTo(other._device) : _time.CompareTo(other._time);

    public static bool operator <(Clock left, Clock right) => left.CompareTo(right) < 0;

    public static bool operator >(Clock left, Clock right) => left.CompareTo(right) > 0;

    public static bool operator <=(Clock left, Clock right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Clock left, Clock right) => left.CompareTo(right) >= 0;

    /// <summary>32 hex digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        Write(bytes);
        return Hex.Encode(bytes);
    }
}
