using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Vault.History;
using Cloister.Wire;

namespace Cloister.Vault.Search;

/// <summary>
/// The directory as it is stored: <c>02 ‖ next number(u32) ‖ count(u16) ‖ segments</c>; a segment is <c>number(u32) ‖ documents(u32) ‖ clocks, one for each 512 of them ‖ count(u32) ‖ first words</c>,
/// each behind its length (u8).
/// </summary>
public sealed partial class SearchIndex
{
    private const byte Version = 2; // 1 had no clocks
    private const int MaxDocuments = 100_000_000;

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[7 + _segments.Sum(segment => 12 + (Clock.Size * segment.Newest.Length) + segment.FirstTerms.Sum(term => 1 + term.Length))];
        var writer = new WireWriter(bytes);
        writer.UInt8(Version);
        writer.UInt32BigEndian(_next);
        writer.UInt16BigEndian((ushort)_segments.Length);
        foreach (var segment in _segments)
        {
            writer.UInt32BigEndian(segment.Number);
            writer.UInt32BigEndian((uint)segment.Documents);
            foreach (var clock in segment.Newest)
            {
                clock.Write(writer.Take(Clock.Size));
            }
            writer.UInt32BigEndian((uint)segment.FirstTerms.Length);
            foreach (byte[] term in segment.FirstTerms)
            {
                writer.UInt8((byte)term.Length);
                writer.Bytes(term);
            }
        }
        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SearchIndex? index, out WireError error)
    {
        var reader = new WireReader(bytes);
        reader.Expect("version", [Version]);
        uint next = reader.UInt32BigEndian("next number");
        int count = reader.UInt16BigEndian("count");
        var segments = ImmutableArray.CreateBuilder<Segment>();
        for (; count > 0 && !reader.Failed; count--)
        {
            segments.Add(ReadSegment(ref reader));
            if (segments[^1].Number >= next || segments.Count(segment => segment.Number == segments[^1].Number) > 1)
            {
                reader.Refuse("number", next, segments[^1].Number);
            }
        }
        reader.ExpectEnd("index");
        error = reader.Error;
        index = reader.Failed ? null : new(segments.ToImmutable(), next);
        return index is not null;
    }

    private static Segment ReadSegment(ref WireReader reader)
    {
        uint number = reader.UInt32BigEndian("number");
        uint documents = reader.UInt32BigEndian("documents");
        if (documents is 0 or > MaxDocuments)
        {
            reader.Refuse("documents", MaxDocuments, documents);
        }
        var newest = ImmutableArray.CreateBuilder<Clock>();
        for (int left = DocumentBucket.CountFor((int)Math.Min(documents, MaxDocuments)); left > 0 && !reader.Failed; left--)
        {
            if (!Clock.TryRead(reader.Bytes("clock", Clock.Size), out var clock) || (newest.Count > 0 && clock < newest[^1]))
            {
                reader.Refuse("clock", newest.Count, left);
            }
            newest.Add(clock);
        }
        uint count = reader.UInt32BigEndian("words");
        var terms = ImmutableArray.CreateBuilder<byte[]>();
        for (; count > 0 && !reader.Failed; count--)
        {
            int length = reader.UInt8("length");
            byte[] term = reader.Bytes("word", Math.Min(length, TermBucket.MaxTermSize)).ToArray();
            if (term.Length != length || length == 0 || (terms.Count > 0 && terms[^1].AsSpan().SequenceCompareTo(term) >= 0))
            {
                reader.Refuse("word", 1, length);
            }
            terms.Add(term);
        }
        return new(number, reader.Failed ? 0 : (int)documents, newest.ToImmutable(), terms.ToImmutable());
    }
}
