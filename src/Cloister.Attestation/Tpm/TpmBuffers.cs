using Cloister.Wire;

namespace Cloister.Attestation;

internal static class TpmBuffers
{
    /// <summary>A TPM2B structure: bytes behind a big-endian 16-bit length of at most <paramref name="max"/>.</summary>
    public static ReadOnlySpan<byte> Sized(this scoped ref WireReader reader, string field, int max)
    {
        int length = reader.UInt16BigEndian(field);
        if (length > max)
        {
            reader.Refuse(field, max, length);
        }
        return reader.Failed ? default : reader.Bytes(field, length);
    }

    /// <summary>A number that has one allowed value.</summary>
    public static void ExpectUInt16(this scoped ref WireReader reader, string field, ushort value)
    {
        ushort found = reader.UInt16BigEndian(field);
        if (found != value)
        {
            reader.Refuse(field, value, found);
        }
    }
}
