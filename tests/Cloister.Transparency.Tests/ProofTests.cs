using System.Text;
using CsCheck;

namespace Cloister.Transparency.Tests;

public class ProofTests
{
    private static readonly byte[][] Entries = [.. Enumerable.Range(0, 9).Select(i => Encoding.ASCII.GetBytes($"entry {i}"))];
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    [Fact]
    public void A_proof_verifies_offline()
    {
        var proof = Read(World.Proof(Entries, 4).ToBytes());
        var result = proof.Verify(Entries[4], World.Policy, World.Now, Day);
        Assert.Equal(LogProofFault.None, result.Fault);
        Assert.Equal(9, result.Checkpoint!.Size);
        Assert.Equal(["n1", "n2", "s"], result.Cosignatures.Select(one => one.Witness));
        Assert.All(result.Cosignatures, one => Assert.Equal(World.Now, one.Time));
    }

    [Fact]
    public void Every_part_matters()
    {
        var good = World.Proof(Entries, 4);
        Assert.Equal(LogProofFault.NotIncluded, Fault(good, Entries[5]));
        Assert.Equal(LogProofFault.NotIncluded, Fault(new(5, good.Path, good.Checkpoint)));
        Assert.Equal(LogProofFault.NotIncluded, Fault(new(40, good.Path, good.Checkpoint)));
        Assert.Equal(LogProofFault.NotIncluded, Fault(new(4, good.Path[1..], good.Checkpoint)));
        Assert.Equal(LogProofFault.NotIncluded, Fault(new(4, good.Path.SetItem(0, default), good.Checkpoint)));
        Assert.Equal(LogProofFault.TooFewWitnesses, Fault(World.Proof(Entries, 4, witnesses: [World.North1, World.North2])));
        Assert.Equal(LogProofFault.TooFewWitnesses, Fault(World.Proof(Entries, 4, witnesses: [World.South])));
        Assert.Equal(LogProofFault.None, Fault(World.Proof(Entries, 4, witnesses: [World.North2, World.South])));
        Assert.Equal(LogProofFault.None, Fault(World.Proof(Entries, 4, Day)));
        Assert.Equal(LogProofFault.TooOld, Fault(World.Proof(Entries, 4, Day + TimeSpan.FromSeconds(1))));
        Assert.Equal(LogProofFault.TooOld, Fault(World.Proof(Entries, 4, TimeSpan.FromMinutes(-6)))); // from the future
        Assert.Equal(LogProofFault.None, Fault(World.Proof(Entries, 4, TimeSpan.FromMinutes(-4))));
        Assert.Equal(LogProofFault.None, World.Proof(Entries, 4, 300 * Day).Verify(Entries[4], World.Policy, World.Now, null).Fault);

        var other = World.Parse(World.PolicyText.Replace($"{World.Log.Verifier}", $"{World.Key(World.Origin, NoteKeyType.Ed25519, 77).Verifier}", StringComparison.Ordinal));
        Assert.Equal(LogProofFault.UnknownLog, good.Verify(Entries[4], other, World.Now, Day).Fault);
    }

    [Fact]
    public void A_log_signs_only_for_its_own_origin()
    {
        var checkpoint = new Checkpoint("example.com/another", 9, World.Tree(Entries).Root);
        var note = checkpoint.Sign(World.Log).With([World.North1.Cosign(checkpoint, World.Now.ToUnixTimeSeconds()), World.South.Cosign(checkpoint, World.Now.ToUnixTimeSeconds())]);
        Assert.Equal(LogProofFault.UnknownLog, Fault(new(4, World.Proof(Entries, 4).Path, note)));
    }

    [Fact]
    public void A_wrong_signature_in_a_known_name_refuses_all_and_unknown_ones_do_nothing()
    {
        var good = World.Proof(Entries, 4);
        using var stranger = SignerKey.Generate("stranger", NoteKeyType.Ed25519Cosignature);
        Assert.True(Checkpoint.TryParse(good.Checkpoint.Text, out var checkpoint));
        Assert.Equal(LogProofFault.None, Fault(new(4, good.Path, good.Checkpoint.With(stranger.Cosign(checkpoint, 1), new NoteSignature(World.Origin, 1, [1])))));
        foreach (var signature in good.Checkpoint.Signatures)
        {
            var spoiled = signature with { Signature = signature.Signature.SetItem(signature.Signature.Length - 1, (byte)(signature.Signature[^1] ^ 0x20)) };
            Assert.Equal(LogProofFault.WrongSignature, Fault(new(4, good.Path, good.Checkpoint.With(spoiled))));
        }
    }

    [Fact]
    public void The_same_witness_twice_is_one_at_its_latest_time()
    {
        Assert.True(Checkpoint.TryParse(World.Proof(Entries, 4).Checkpoint.Text, out var checkpoint));
        var old = World.Proof(Entries, 4, 2 * Day);
        long now = World.Now.ToUnixTimeSeconds();
        Assert.Equal(LogProofFault.TooOld, Fault(new(4, old.Path, old.Checkpoint.With(World.North1.Cosign(checkpoint, now)))));
        Assert.Equal(LogProofFault.None, Fault(new(4, old.Path, old.Checkpoint.With(World.North1.Cosign(checkpoint, now), World.South.Cosign(checkpoint, now)))));
    }

    [Fact]
    public void Without_witnesses_nothing_says_how_old_it_is()
    {
        var policy = World.Parse($"log {World.Log.Verifier}\nquorum none\n");
        var proof = World.Proof(Entries, 4, witnesses: []);
        Assert.Equal(LogProofFault.TooOld, proof.Verify(Entries[4], policy, World.Now, Day).Fault);
        Assert.Equal(LogProofFault.None, proof.Verify(Entries[4], policy, World.Now, null).Fault);
    }

    [Fact]
    public void A_log_may_sign_with_ml_dsa_and_a_cosignature_without_a_time_is_too_old()
    {
        using var log = World.Key("pq.example/log", NoteKeyType.MlDsa44Cosignature, 11);
        var policy = World.Parse($"log {log.Verifier}\nwitness s {World.South.Verifier}\nquorum s\n");
        var checkpoint = new Checkpoint("pq.example/log", 9, World.Tree(Entries).Root);
        var path = World.Proof(Entries, 4).Path;
        Assert.Equal(LogProofFault.None, Judge(World.Now.ToUnixTimeSeconds(), Day));
        Assert.Equal(LogProofFault.TooOld, Judge(0, 300_000 * Day));
        Assert.Equal(LogProofFault.None, Judge(0, null));
        Assert.Equal(LogProofFault.TooOld, Judge(long.MaxValue, 300_000 * Day));

        LogProofFault Judge(long time, TimeSpan? maximumAge) =>
            new LogProof(4, path, checkpoint.Sign(log).With(World.South.Cosign(checkpoint, time))).Verify(Entries[4], policy, World.Now, maximumAge).Fault;
    }

    [Fact]
    public void Any_flipped_bit_is_refused() => Gen.Select(Gen.Int[0, 8], Gen.Double[0, 1], Gen.Int[0, 7]).Sample((index, place, bit) =>
    {
        byte[] bytes = World.Proof(Entries, index, witnesses: [World.North1, World.South]).ToBytes();
        bytes[(int)(place * (bytes.Length - 1))] ^= (byte)(1 << bit);
        Assert.True(!LogProof.TryParse(bytes, out var proof) || proof.Verify(Entries[index], World.Policy, World.Now, Day).Fault is not LogProofFault.None);
    }, iter: 300);

    [Fact]
    public void What_is_written_is_read() => Gen.Select(Gen.Int[0, 8], Gen.Byte.Array[0, 40], Gen.Bool).Sample((index, extra, has) =>
    {
        var proof = World.Proof(Entries, index, witnesses: []);
        byte[] bytes = new LogProof(index, proof.Path, proof.Checkpoint, has ? extra : (ReadOnlyMemory<byte>?)null).ToBytes();
        var read = Read(bytes);
        Assert.Equal(bytes, read.ToBytes());
        Assert.Equal(has, read.Extra is not null);
        Assert.Equal(has ? extra : [], read.Extra?.ToArray() ?? []);
        Assert.Equal(proof.Path, read.Path);
    }, iter: 50);

    [Theory]
    [InlineData("c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\n")]
    [InlineData("index 4\n", "index 04\n")]
    [InlineData("index 4\n", "index  4\n")]
    [InlineData("index 4\n", "index -4\n")]
    [InlineData("index 4\n", "extra YQ==\n")]
    [InlineData("index 4\n", "index 4\nextra YQ==\n")]
    [InlineData("index 4\n", "extra YQ=\nindex 4\n")]
    [InlineData("index 4\n", "extra YQ==\nextra YQ==\nindex 4\n")]
    [InlineData("index 4\n", "index 4\nYQ==\n")]
    [InlineData("index 4\n", "index 4\n\n")]
    [InlineData("index 4\n", "\nindex 4\n")]
    [InlineData("\n9\n", "\n09\n")]
    public void Another_form_is_refused(string part, string other)
    {
        string text = Encoding.UTF8.GetString(World.Proof(Entries, 4, witnesses: []).ToBytes());
        Assert.Contains(part, text, StringComparison.Ordinal);
        Assert.False(LogProof.TryParse(Encoding.UTF8.GetBytes(text.Replace(part, other, StringComparison.Ordinal)), out _));
    }

    [Fact]
    public void A_path_has_at_most_63_hashes()
    {
        var checkpoint = World.Proof(Entries, 4, witnesses: []).Checkpoint;
        string text = $"c2sp.org/tlog-proof@v1\nindex 4\n{string.Concat(Enumerable.Repeat($"{TreeHash.Empty}\n", 64))}\n{checkpoint}";
        Assert.False(LogProof.TryParse(Encoding.UTF8.GetBytes(text), out _));
        Assert.Throws<ArgumentException>(() => new LogProof(0, [.. new TreeHash[64]], checkpoint));
    }

    private static LogProof Read(byte[] bytes) => LogProof.TryParse(bytes, out var proof) ? proof : throw new InvalidOperationException("It does not parse.");

    private static LogProofFault Fault(LogProof proof, byte[]? entry = null) => proof.Verify(entry ?? Entries[4], World.Policy, World.Now, Day).Fault;
}
