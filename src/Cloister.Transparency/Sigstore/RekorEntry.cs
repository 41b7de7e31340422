using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cloister.Wire;
using static Cloister.Transparency.ProtoJson;

namespace Cloister.Transparency;

/// <summary>A log's entry as a bundle carries it.</summary>
/// <param name="IntegratedTime">Seconds since 1970; 0 where it does not say. Only the promise vouches for it.</param>
/// <param name="Promise">The log's signature over body, time, id and index; null where there is none.</param>
/// <param name="Body">What the log has: the leaf's bytes.</param>
internal sealed record RekorEntry(long LogIndex, byte[] LogId, string Kind, string Version, long IntegratedTime, byte[]? Promise, RekorProof? Proof, byte[] Body)
{
    private const long MaxUnixTime = 253402300799; // the year 9999

    public DateTimeOffset? Time => IntegratedTime == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(IntegratedTime);

    /// <summary>What a promise signs, in canonical JSON (RFC 8785).</summary>
    public byte[] Promised => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $$"""{"body":"{{Base64.Encode(Body)}}","integratedTime":{{IntegratedTime}},"logID":"{{Hex.Encode(LogId)}}","logIndex":{{LogIndex}}}"""));

    public static RekorEntry Read(JsonElement element)
    {
        RequireOnly(element, "logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise", "inclusionProof", "canonicalizedBody");
        var (id, kind) = (Member(element, "logId"), Member(element, "kindVersion"));
        RequireOnly(id, "keyId");
        RequireOnly(kind, "kind", "version");
        long time = Number(element, "integratedTime");
        Require(time <= MaxUnixTime);
        var (promise, proof) = (Optional(element, "inclusionPromise"), Optional(element, "inclusionProof"));
        if (promise is not null)
        {
            RequireOnly(promise.Value, "signedEntryTimestamp");
        }
        return new(Number(element, "logIndex"), Bytes(id, "keyId"), Text(kind, "kind"), Text(kind, "version"), time,
            promise is null ? null : Bytes(promise.Value, "signedEntryTimestamp"), proof is null ? null : RekorProof.Read(proof.Value), Bytes(element, "canonicalizedBody"));
    }
}

/// <summary>That an entry is in the log whose checkpoint is beside it.</summary>
/// <param name="Checkpoint">A signed note, as text.</param>
internal sealed record RekorProof(long Index, long Size, TreeHash Root, ImmutableArray<TreeHash> Path, string Checkpoint)
{
    public static RekorProof Read(JsonElement element)
    {
        RequireOnly(element, "logIndex", "rootHash", "treeSize", "hashes", "checkpoint");
        var checkpoint = Member(element, "checkpoint");
        RequireOnly(checkpoint, "envelope");
        return new(Number(element, "logIndex"), Number(element, "treeSize"), Hash(Member(element, "rootHash")),
            [.. List(element, "hashes", InclusionProof.MaxLength).Select(Hash)], Text(checkpoint, "envelope"));
    }

    private static TreeHash Hash(JsonElement element)
    {
        byte[] bytes = Bytes(element);
        Require(bytes.Length == TreeHash.Size);
        return new(bytes);
    }
}
