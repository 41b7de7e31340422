using System.Text;
using Cloister.Transparency;
using static Cloister.Fuzz.Targets;

namespace Cloister.Fuzz;

/// <summary>What reads a log's texts. What parses serialises back to the same bytes; what was not signed is not trusted.</summary>
internal static class LogTargets
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    // A log and a witness whose private keys nobody has: the search cannot sign.
    private static readonly Lazy<VerifierKey> Log = new(() => new VerifierKey("example.com/log", NoteKeyType.Ed25519, Enumerable.Repeat((byte)3, 32).ToArray()));
    private static readonly Lazy<VerifierKey> Cosigner = new(() => new VerifierKey("w", NoteKeyType.MlDsa44Cosignature, new byte[1312]));
    private static readonly Lazy<SignerKey> WitnessKey = new(() => SignerKey.ImportSeed("w", NoteKeyType.Ed25519Cosignature, new byte[32]));
    private static readonly Lazy<LogPolicy> KnownLog = new(() => LogPolicy.TryParse(Encoding.UTF8.GetBytes($"log {Log.Value}\nwitness w {WitnessKey.Value.Verifier}\nquorum w\n"), out var policy, out _) ? policy : throw new InvalidOperationException());

    public static void Note(ReadOnlySpan<byte> input)
    {
        bool read = SignedNote.TryParse(input, out var note, out var fault);
        Require(read == fault is NoteFault.None && (!read || input.SequenceEqual(note!.ToBytes())));
    }

    public static void ReadCheckpoint(ReadOnlySpan<byte> input)
    {
        string text = Encoding.UTF8.GetString(input);
        Require(!Checkpoint.TryParse(text, out var checkpoint) || checkpoint.ToString() == text);
    }

    // As a signature under a checkpoint, in the name of keys of each type.
    public static void ReadCosignature(ReadOnlySpan<byte> input)
    {
        string text = $"{new Checkpoint("example.com/log", 5, TreeHash.Empty)}";
        foreach (var key in (VerifierKey[])[Log.Value, Cosigner.Value, WitnessKey.Value.Verifier])
        {
            Require(!key.Verify(text, new NoteSignature(key.Name, key.Id, [.. input]), out long time) && time == 0);
        }
    }

    public static void Policy(ReadOnlySpan<byte> input)
    {
        bool read = LogPolicy.TryParse(input, out var policy, out var fault);
        Require(read == fault is LogPolicyFault.None);
        if (policy is not null)
        {
            Require(policy.IsSatisfiedBy(policy.Witnesses.Select(witness => witness.Name).ToHashSet()));
        }
    }

    public static void Proof(ReadOnlySpan<byte> input)
    {
        if (LogProof.TryParse(input, out var proof))
        {
            Require(input.SequenceEqual(proof.ToBytes()));
            Require(proof.Verify([], KnownLog.Value, Now, null).Fault is not LogProofFault.None);
        }
    }

    public static void Path(ReadOnlySpan<byte> input)
    {
        string text = Encoding.Latin1.GetString(input);
        Require(!TilePath.TryParse(text, out var tile) || (tile.ToString() == text && tile.Width is > 0 and <= TilePath.FullWidth));
    }

    public static void Bundle(ReadOnlySpan<byte> input)
    {
        int width = input.IsEmpty ? 1 : input[0] + 1;
        var bundle = input.IsEmpty ? input : input[1..];
        Require(!EntryBundle.TryDecode(bundle, width, out var entries, out _) || bundle.SequenceEqual(EntryBundle.Encode([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry)])));
    }

    public static void Entry(ReadOnlySpan<byte> input)
    {
        if (LogEntry.TryParse(input, out var entry))
        {
            Require(input.SequenceEqual(entry.ToBytes()) && entry.Statement.Type is not EntryType.None);
            Require(entry.Verify(entry.Statement.Type, entry.Statement.Namespace, new PublisherKeys(1, Log.Value), Now) is not EntryFault.None);
            LogEntry.TextOf(entry.Statement);
        }
    }

    public static void Request(ReadOnlySpan<byte> input)
    {
        Require(!AddCheckpointRequest.TryParse(input, out var request) || input.SequenceEqual(request.ToBytes()));
        var decision = Witness.Decide(input, [Log.Value], _ => null, [WitnessKey.Value], Now);
        Require(decision.State is null && decision.Answer is not WitnessAnswer.Cosigned);
        _ = AddCheckpointRequest.TryParseAnswer(input, out _);
        _ = AddCheckpointRequest.TryParseConflict(input, out _);
    }
}
