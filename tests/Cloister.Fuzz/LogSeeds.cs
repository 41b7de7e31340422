using System.Text;
using Cloister.Transparency;

namespace Cloister.Fuzz;

/// <summary>A small log's texts, signed by keys of fixed seeds: the same every time.</summary>
internal static class LogSeeds
{
    public static void Write(Action<string, byte[]> save)
    {
        using var log = SignerKey.ImportSeed("example.com/log", NoteKeyType.Ed25519, new byte[32]);
        using var witness = SignerKey.ImportSeed("w", NoteKeyType.Ed25519Cosignature, new byte[32]);
        byte[][] entries = [[1], [2], [3], [4], [5]];
        var frontier = new TreeFrontier();
        foreach (byte[] one in entries)
        {
            frontier.Append(TreeHash.OfLeaf(one));
        }
        var checkpoint = new Checkpoint("example.com/log", frontier.Size, frontier.Root, "extension");
        var cosignature = witness.Cosign(checkpoint, 1_700_000_000);
        var note = checkpoint.Sign(log).With(cosignature);

        save("note", note.ToBytes());
        save("checkpoint", Encoding.UTF8.GetBytes($"{checkpoint}"));
        save("cosignature", [.. cosignature.Signature]);
        save("log-policy", Encoding.UTF8.GetBytes($"# a policy\nlog {log.Verifier} https://log.example/\nwitness w {SignerKey.ImportSeed("w", NoteKeyType.Ed25519Cosignature, [1, .. new byte[31]]).Verifier}\ngroup g 1 w\nquorum g\n"));
        save("tlog-proof", new LogProof(4, [frontier.Subtrees[0]], note, new byte[] { 1, 2 }).ToBytes());
        save("tile-path", "tile/0/x001/234.p/5"u8.ToArray());
        save("entry-bundle", [4, .. EntryBundle.Encode([.. entries.Select(one => (ReadOnlyMemory<byte>)one)])]);
        save("witness-request", new AddCheckpointRequest(4, [TreeHash.OfLeaf([5]), frontier.Subtrees[0]], note).ToBytes());
        save("log-entry", LogEntry.Sign(Release(), log).ToBytes());
    }

    private static LogStatement Release()
    {
        string digest = new('a', 64), register = new('b', 96);
        return new()
        {
            Namespace = "example.com/assistant",
            NotBefore = "2026-01-01T00:00:00Z",
            NotAfter = "2027-01-01T00:00:00Z",
            Release = new()
            {
                Version = "1",
                SourceRevision = new string('c', 40),
                Artifacts = [new("image", digest)],
                Measurements = new([new(8, "EPYC-v4", register)], [new("c3", register, [register, register, register, register])], [new("c3", [new(4, digest)])], ["RIM"]),
                Models = [new("small", digest, digest, digest)],
                SecurityVersion = 1,
                MinimumAcceptedVersion = 1,
            },
        };
    }
}
