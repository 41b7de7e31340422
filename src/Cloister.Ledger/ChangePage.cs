using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Wire;

namespace Cloister.Ledger;

/// <summary>What the operator answers: what changed after a sequence, and the heads in between (docs/spec/accounts.md, section 3). All of it is only claimed.</summary>
/// <param name="Newest">The newest head.</param>
/// <param name="Through">The changes reach up to this sequence; when it is the newest head's, there are no more.</param>
/// <param name="Heads">From the sequence after the one that was asked for; none for who asks from the start.</param>
/// <param name="Changes">The newest version of each item that last changed in between.</param>
public sealed record ChangePage(SignedHead Newest, ulong Through, ImmutableArray<SignedHead> Heads, ImmutableArray<SealedChange> Changes)
{
    /// <summary>Heads in a page.</summary>
    public const int MaxHeads = 10_000;

    /// <summary>Changes in a page.</summary>
    public const int MaxChanges = 20_000;

    /// <summary>Of a page, in bytes: the operator stops before, at the end of a batch.</summary>
    public const int MaxSize = (2 * ChangeBatch.MaxSize) + (MaxHeads * SignedHead.Size) + 1024;

    private const byte Version = 1;

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[1 + SignedHead.Size + sizeof(ulong) + (2 * sizeof(uint)) + (Heads.Length * SignedHead.Size) + Changes.Sum(change => change.Size)];
        var writer = new WireWriter(bytes);
        writer.UInt8(Version);
        writer.Bytes(Newest.Bytes.Span);
        writer.UInt64BigEndian(Through);
        writer.UInt32BigEndian((uint)Heads.Length);
        foreach (var head in Heads)
        {
            writer.Bytes(head.Bytes.Span);
        }
        writer.UInt32BigEndian((uint)Changes.Length);
        foreach (var change in Changes)
        {
            change.Write(ref writer);
        }
        return bytes;
    }

    /// <summary>The sealed bytes are views of <paramref name="bytes"/>.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out ChangePage? page, out WireError error)
    {
        var reader = new WireReader(bytes.Span);
        if (bytes.Length > MaxSize)
        {
            reader.Refuse("page", MaxSize, bytes.Length);
        }
        reader.Expect("version", [Version]);
        var newest = SignedHead.Read(ref reader);
        ulong through = reader.UInt64BigEndian("through");
        var heads = ImmutableArray.CreateBuilder<SignedHead>();
        for (uint left = Count(ref reader, "heads", SignedHead.Size, MaxHeads); left > 0 && SignedHead.Read(ref reader) is { } head; left--)
        {
            heads.Add(head);
        }
        var changes = ImmutableArray.CreateBuilder<SealedChange>();
        for (uint left = Count(ref reader, "changes", SealedChange.HeaderSize, MaxChanges); left > 0 && !reader.Failed; left--)
        {
            changes.Add(SealedChange.Read(ref reader, bytes));
        }
        if (newest is not null && through > newest.Head.Sequence)
        {
            reader.Refuse("through", Shown(newest.Head.Sequence), Shown(through));
        }
        reader.ExpectEnd("page");
        error = reader.Error;
        page = reader.Failed ? null : new(newest!, through, heads.ToImmutable(), changes.ToImmutable());
        return page is not null;
    }

    // A fault is told in signed numbers, and what an operator sends may be larger.
    private static long Shown(ulong number) => (long)Math.Min(number, long.MaxValue);

    // A count is believed only as far as there are bytes for it.
    private static uint Count(ref WireReader reader, string field, int each, int max)
    {
        uint count = reader.UInt32BigEndian(field);
        if (count > (uint)max || count > (uint)(reader.Remaining / each))
        {
            reader.Refuse(field, Math.Min(max, reader.Remaining / each), count);
        }
        return reader.Failed ? 0 : count;
    }
}
