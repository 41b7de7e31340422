using System.Text;

namespace Cloister.Testing;

/// <summary>Writes CBOR for tests, apart from the reader under test.</summary>
internal static class TestCbor
{
    public static byte[] Head(int type, ulong argument) => argument switch
    {
        < 24              => [(byte)(type << 5 | (int)argument)],
        <= byte.MaxValue   => [(byte)(type << 5 | 24), (byte)argument],
        <= ushort.MaxValue => [(byte)(type << 5 | 25), .. BigEndian(argument, 2)],
        <= uint.MaxValue   => [(byte)(type << 5 | 26), .. BigEndian(argument, 4)],
        _                  => [(byte)(type << 5 | 27), .. BigEndian(argument, 8)],
    };

    public static byte[] Bytes(byte[] value) => [.. Head(2, (ulong)value.Length), .. value];

    public static byte[] BytesOrNull(byte[]? value) => value is null ? [0xf6] : Bytes(value);

    public static byte[] Text(string value) => [.. Head(3, (ulong)Encoding.UTF8.GetByteCount(value)), .. Encoding.UTF8.GetBytes(value)];

    public static byte[] Array(params byte[][] items) => [.. Head(4, (ulong)items.Length), .. items.SelectMany(item => item)];

    public static byte[] Map(params (byte[] Key, byte[] Value)[] pairs) => [.. Head(5, (ulong)pairs.Length), .. pairs.SelectMany(pair => (byte[])[.. pair.Key, .. pair.Value])];

    public static byte[] IndefiniteMap(params (byte[] Key, byte[] Value)[] pairs) => [0xbf, .. pairs.SelectMany(pair => (byte[])[.. pair.Key, .. pair.Value]), 0xff];

    public static byte[] Negative(long value) => Head(1, (ulong)(-1 - value));

    public static byte[] Tag(int tag, byte[] item) => [.. Head(6, (ulong)tag), .. item];

    private static byte[] BigEndian(ulong value, int size) => [.. Enumerable.Range(0, size).Select(index => (byte)(value >> 8 * (size - 1 - index) & 0xff))];
}
