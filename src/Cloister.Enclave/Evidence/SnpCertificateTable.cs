using System.Buffers.Binary;
using Cloister.Attestation;

namespace Cloister.Enclave.Evidence;

/// <summary>The certificates that a host hands out with an SEV-SNP report (AMD 56421, GHCB specification, section 4.1.8.1).</summary>
/// <remarks>
/// <code>
///   struct {
///       opaque guid[16];         // in the order in which it is written down
///       uint32 offset;           // little-endian, from the table's beginning
///       uint32 length;           // little-endian
///   } Entry;                     // the last one is all zeros
/// </code>
/// </remarks>
public sealed class SnpCertificateTable
{
    private const int EntryLength = 24;
    private const int MaxEntries = 32;

    private static readonly Guid Vcek = new("63da758d-e664-4564-adc5-f4b93be8accd");
    private static readonly Guid Vlek = new("a8074bc2-a25a-483e-aae6-39c045a0b8a1");
    private static readonly Guid Ask = new("4ab7b379-bbac-4fe4-a02f-05aef327c782");
    private static readonly Guid Ark = new("c0b406a4-a803-4952-9743-3fb6014cd0ae");
    private static readonly Guid Crl = new("92f81bc3-5811-4d3d-97ff-d19f88dc67ea");

    private readonly Dictionary<Guid, byte[]> _found;

    private SnpCertificateTable(Dictionary<Guid, byte[]> found) => _found = found;

    /// <summary>In DER, as are the others: of the ASK, or of the ASVK where keys are lent.</summary>
    /// <exception cref="IOException">The table lacks it.</exception>
    public byte[] Intermediate => Find(Ask, "ASK");

    /// <exception cref="IOException">The table lacks it.</exception>
    public byte[] Root => Find(Ark, "ARK");

    public byte[]? RevocationList => _found.GetValueOrDefault(Crl);

    /// <summary>The certificate of the key that signs reports.</summary>
    /// <exception cref="IOException">The table lacks it.</exception>
    public byte[] Signer(SigningKey key) => key is SigningKey.Vlek ? Find(Vlek, "VLEK") : Find(Vcek, "VCEK");

    /// <exception cref="IOException">The host hands out no table, or a malformed one.</exception>
    public static SnpCertificateTable Read(ReadOnlySpan<byte> table)
    {
        if (table.IsEmpty)
        {
            throw new IOException("The host hands out no certificates with its reports, and the configuration names no folder with them.");
        }

        var found = new Dictionary<Guid, byte[]>();
        for (int entry = 0; ; entry++)
        {
            if (entry == MaxEntries || table.Length < (entry + 1) * EntryLength)
            {
                throw new IOException("The host's table of certificates has no end.");
            }

            var fields = table.Slice(entry * EntryLength, EntryLength);
            if (!fields.ContainsAnyExcept((byte)0))
            {
                break;
            }
            long offset = BinaryPrimitives.ReadUInt32LittleEndian(fields[16..]);
            long length = BinaryPrimitives.ReadUInt32LittleEndian(fields[20..]);
            if (offset + length > table.Length || !found.TryAdd(new Guid(fields[..16], bigEndian: true), table.Slice((int)offset, (int)length).ToArray()))
            {
                throw new IOException("The host's table of certificates is malformed.");
            }
        }

        return new SnpCertificateTable(found);
    }

    private byte[] Find(Guid name, string what) => _found.TryGetValue(name, out byte[]? certificate) ? certificate : throw new IOException($"The host's table of certificates lacks the {what}.");
}
