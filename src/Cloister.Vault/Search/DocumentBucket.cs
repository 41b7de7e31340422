using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Vault.Search;

/// <summary>Which messages a segment holds, 512 to a bucket, by clock and identity: <c>01</c>, then message, conversation and clock, 48 bytes each.</summary>
internal static class DocumentBucket
{
    public const int Documents = 512;

    private const byte Version = 1;
    private const int Size = (2 * Identity.Size) + Clock.Size;

    public static int CountFor(int documents) => (documents + Documents - 1) / Documents;

    public static byte[] Write(IReadOnlyList<SearchMatch> documents)
    {
        byte[] bytes = new byte[1 + (documents.Count * Size)];
        bytes[0] = Version;
        for (int at = 0; at < documents.Count; at++)
        {
            var place = bytes.AsSpan(1 + (at * Size), Size);
            documents[at].Message.Write(place);
            documents[at].Conversation.Write(place[Identity.Size..]);
            documents[at].Clock.Write(place[(2 * Identity.Size)..]);
        }
        return bytes;
    }

    /// <summary>How many are in a bucket; -1 where it is none.</summary>
    public static int Count(ReadOnlySpan<byte> bucket) =>
        bucket.Length >= 1 && bucket[0] == Version && (bucket.Length - 1) % Size == 0 && (bucket.Length - 1) / Size <= Documents ? (bucket.Length - 1) / Size : -1;

    /// <summary>All of them, up to one that is none.</summary>
    public static SearchMatch[] ReadAll(ReadOnlySpan<byte> bucket)
    {
        var documents = new List<SearchMatch>();
        while (Read(bucket, documents.Count) is { } document)
        {
            documents.Add(document);
        }
        return [.. documents];
    }

    /// <summary>One of them; null where there is none.</summary>
    public static SearchMatch? Read(ReadOnlySpan<byte> bucket, int at)
    {
        if (at >= Count(bucket))
        {
            return null;
        }
        var place = bucket.Slice(1 + (at * Size), Size);
        return Clock.TryRead(place[(2 * Identity.Size)..], out var clock)
            ? new(Identity.Read(place[..Identity.Size]), Identity.Read(place[Identity.Size..(2 * Identity.Size)]), clock)
            : null;
    }
}
