using System.Text;
using Cloister.Transparency;

namespace Cloister.Bench;

/// <summary>A proof's verification beside the signature checks in it, done by the same primitives.</summary>
internal static class LogBench
{
    private const int Batch = 100;

    public static IEnumerable<Row> Run()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        using var log = SignerKey.Generate("example.com/log", NoteKeyType.Ed25519);
        foreach (int count in (int[])[0, 1, 3])
        {
            SignerKey[] witnesses = [.. Enumerable.Range(0, count).Select(i => SignerKey.Generate($"w{i}", NoteKeyType.Ed25519Cosignature))];
            yield return Verify(log, witnesses, now);
        }
    }

    // An entry of a tree of a million leaves: twenty hashes.
    private static Row Verify(SignerKey log, SignerKey[] witnesses, DateTimeOffset now)
    {
        byte[] entry = new byte[1000];
        var path = Enumerable.Range(0, 20).Select(i => TreeHash.OfLeaf([(byte)i])).ToArray();
        var checkpoint = new Checkpoint(log.Verifier.Name, 1 << 20, path.Aggregate(TreeHash.OfLeaf(entry), TreeHash.OfNode));
        var note = checkpoint.Sign(log).With([.. witnesses.Select(key => key.Cosign(checkpoint, now.ToUnixTimeSeconds()))]);
        byte[] proof = new LogProof(0, [.. path], note).ToBytes();

        string names = string.Join(' ', witnesses.Select((_, i) => $"w{i}"));
        string text = $"log {log.Verifier}\n{string.Concat(witnesses.Select((key, i) => $"witness w{i} {key.Verifier}\n"))}{(witnesses.Length == 0 ? "quorum none\n" : $"group all all {names}\nquorum all\n")}";
        bool known = LogPolicy.TryParse(Encoding.UTF8.GetBytes(text), out var policy, out _);
        System.Diagnostics.Debug.Assert(known);
        TimeSpan? maximumAge = witnesses.Length == 0 ? null : TimeSpan.FromDays(1);

        return SideBySide.Throughput($"proofs read and verified, {witnesses.Length} witnesses, beside checking their {witnesses.Length + 1} signatures", "/s", Batch, () =>
        {
            for (int i = 0; i < Batch; i++)
            {
                if (!LogProof.TryParse(proof, out var read) || read.Verify(entry, policy!, now, maximumAge).Fault is not LogProofFault.None)
                {
                    throw new InvalidOperationException("The proof does not verify.");
                }
            }
        }, () =>
        {
            for (int i = 0; i < Batch; i++)
            {
                _ = log.Verifier.Verify(note.Text, note.Signatures[0], out _);
                for (int j = 0; j < witnesses.Length; j++)
                {
                    _ = witnesses[j].Verifier.Verify(note.Text, note.Signatures[j + 1], out _);
                }
            }
        }, witnesses.Length <= 1 ? "≥ 0.75, ≤ 100 µs" : "≥ 0.75");
    }
}
