using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Ledger;

/// <summary>What a device sends: changes and the head that they lead to (docs/spec/accounts.md, section 3).</summary>
/// <param name="Head">Signed by the current epoch's head key.</param>
/// <param name="Changes">At most 1,000, none twice.</param>
public sealed record ChangeBatch(SignedHead Head, ImmutableArray<SealedChange> Changes)
{
    /// <summary>In one batch.</summary>
    public const int MaxChanges = 1000;

    /// <summary>Of a batch, in bytes.</summary>
    public const int MaxSize = 8 << 20;

    private const byte Version = 1;
    private const int HeaderSize = 1 + SignedHead.Size + sizeof(ushort);

    /// <exception cref="InvalidOperationException">There are too many changes, or too many bytes.</exception>
    public byte[] ToBytes()
    {
        int size = HeaderSize + Changes.Sum(change => change.Size);
        if (Changes.Length > MaxChanges || size > MaxSize)
        {
            throw new InvalidOperationException("A batch has at most 1,000 changes and 8 MiB.");
        }
        byte[] bytes = new byte[size];
        var writer = new WireWriter(bytes);
        writer.UInt8(Version);
        writer.Bytes(Head.Bytes.Span);
        writer.UInt16BigEndian((ushort)Changes.Length);
        foreach (var change in Changes)
        {
            change.Write(ref writer);
        }
        return bytes;
    }

    /// <summary>The sealed bytes are views of <paramref name="bytes"/>.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out ChangeBatch? batch, out WireError error)
    {
        var reader = new WireReader(bytes.Span);
        if (bytes.Length > MaxSize)
        {
            reader.Refuse("batch", MaxSize, bytes.Length);
        }
        reader.Expect("version", [Version]);
        var head = SignedHead.Read(ref reader);
        int count = reader.UInt16BigEndian("count");
        if (count > MaxChanges)
        {
            reader.Refuse("count", MaxChanges, count);
        }
        var changes = ImmutableArray.CreateBuilder<SealedChange>(reader.Failed ? 0 : count);
        var seen = new HashSet<Identity>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            var change = SealedChange.Read(ref reader, bytes);
            if (!reader.Failed && !seen.Add(change.Item))
            {
                reader.Refuse("item", 1, 2);
            }
            changes.Add(change);
        }
        reader.ExpectEnd("batch");
        error = reader.Error;
        batch = reader.Failed ? null : new(head!, changes.ToImmutable());
        return batch is not null;
    }
}
