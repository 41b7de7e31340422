using System.Buffers.Binary;
using Cloister.Wire;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>The table at a firmware image's end (edk2, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm).</summary>
internal static class GuidedTable
{
    private const int BytesBehind = 32;
    private const int TailSize = 2 + 16;

    private static readonly Guid Footer = new("96b582de-1fb2-45f7-baea-a366c55a082d");

    /// <summary>Where the data of each entry lies in the image.</summary>
    public static bool TryRead(ReadOnlySpan<byte> image, out Dictionary<Guid, Range> entries, out WireError error)
    {
        entries = [];
        int end = image.Length - BytesBehind;
        if (!TryReadTail(image, 0, end, out var guid, out int size, out error))
        {
            return false;
        }
        if (guid != Footer)
        {
            error = new(WireFault.WrongValue, "table_footer", end - 16, 0, 0);
            return false;
        }

        int start = end - size;
        for (int at = end - TailSize; at > start; at -= size)
        {
            if (!TryReadTail(image, start, at, out guid, out size, out error))
            {
                return false;
            }
            if (!entries.TryAdd(guid, (at - size)..(at - TailSize)))
            {
                error = new(WireFault.WrongValue, "entry_guid", at - 16, 0, 1);
                return false;
            }
        }
        return true;
    }

    // Length and GUID that end at a place, of an entry that begins no earlier than another.
    private static bool TryReadTail(ReadOnlySpan<byte> image, int start, int end, out Guid guid, out int size, out WireError error)
    {
        (guid, size, error) = (default, 0, default);
        if (end - start < TailSize)
        {
            error = new(WireFault.Truncated, "entry", Math.Max(start, 0), TailSize, Math.Max(end - start, 0));
            return false;
        }
        guid = new Guid(image[(end - 16)..end]);
        size = BinaryPrimitives.ReadUInt16LittleEndian(image[(end - TailSize)..]);
        if (size < TailSize || size > end - start)
        {
            error = new(WireFault.WrongValue, "entry_size", end - TailSize, end - start, size);
            return false;
        }
        return true;
    }
}
