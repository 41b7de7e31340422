namespace Cloister.Vault.Search;

/// <summary>Numbers in as few bytes as they need: seven bits a byte, the low ones first, the high bit says that more follow.</summary>
internal static class Varint
{
    public static void Write(List<byte> bytes, uint value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value & 0x7F | 0x80));
        }
        bytes.Add((byte)value);
    }

    /// <summary>Takes a number from the front; false at the end of the bytes, beyond 32 bits, and where fewer bytes would have done.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> bytes, out uint value)
    {
        value = 0;
        for (int at = 0; at < bytes.Length && at < 5; at++)
        {
            byte next = bytes[at];
            value |= (uint)(next & 0x7F) << (7 * at);
            if (next < 0x80)
            {
                bytes = bytes[(at + 1)..];
                return (at == 0 || next != 0) && (at < 4 || next < 0x10);
            }
        }
        return false;
    }
}
