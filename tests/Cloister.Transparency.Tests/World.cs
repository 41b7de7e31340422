using System.Collections.Immutable;
using System.Text;
using Cloister.Wire;

namespace Cloister.Transparency.Tests;

/// <summary>A log, three witnesses of two operators, two publishers and two builders. The same in every test.</summary>
internal static class World
{
    public const string Origin = "example.com/log";
    public const string Namespace = "example.com/assistant";

    public static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly SignerKey Log = Key(Origin, NoteKeyType.Ed25519, 1);
    public static readonly SignerKey North1 = Key("north.example/1", NoteKeyType.Ed25519Cosignature, 2);
    public static readonly SignerKey North2 = Key("north.example/2", NoteKeyType.Ed25519Cosignature, 3);
    public static readonly SignerKey South = Key("south.example/w", NoteKeyType.MlDsa44Cosignature, 4);
    public static readonly SignerKey[] Publishers = [Key("alice", NoteKeyType.Ed25519, 5), Key("bob", NoteKeyType.Ed25519, 6), Key("carol", NoteKeyType.Ed25519, 7)];
    public static readonly SignerKey[] Builders = [Key("builder.example", NoteKeyType.Ed25519, 8), Key("other-builder.example", NoteKeyType.Ed25519, 9)];

    public static readonly string PolicyText = $"""
        # Two operators must have seen it.
        log {Log.Verifier} https://log.example/
        witness n1 {North1.Verifier}
        witness n2 {North2.Verifier}   https://north.example/2
        witness s {South.Verifier}
        group north any n1 n2
        group both all north s
        quorum both

        """;

    public static readonly LogPolicy Policy = Parse(PolicyText);

    public static readonly PublisherKeys PublisherKeys = new(2, [.. Publishers.Select(key => key.Verifier)]);

    public static readonly ReleasePolicy ReleasePolicy = new()
    {
        Log = Policy,
        Namespace = Namespace,
        Publishers = PublisherKeys,
        MaximumAge = TimeSpan.FromHours(24),
        MinimumVersion = 3,
        Rebuilds = 1,
        Builders = [.. Builders.Select(key => key.Verifier)],
    };

    public static readonly ReleaseManifest Manifest = new()
    {
        Version = "1.4.0",
        SourceRevision = new string('a', 40),
        Artifacts = [new("image.raw", Digest(1)), new("kernel", Digest(2))],
        Measurements = new(
            [new(8, "EPYC-v4", new string('1', 96)), new(16, "EPYC-v4", new string('2', 96))],
            [new("c3-standard-8", new string('3', 96), [new string('4', 96), new string('5', 96), new string('6', 96), new string('7', 96)])],
            [new("c3-standard-8", [new(4, Digest(3)), new(11, Digest(4))])],
            ["NV_GPU_DRIVER_GH100_550.90.07"]),
        Models = [new("small", Digest(5), Digest(6), Digest(7))],
        SecurityVersion = 5,
        MinimumAcceptedVersion = 4,
    };

    public static readonly LogStatement Release = new()
    {
        Namespace = Namespace,
        NotBefore = LogStatement.FormatTime(Now.AddDays(-1)),
        NotAfter = LogStatement.FormatTime(Now.AddDays(30)),
        Release = Manifest,
    };

    public static LogStatement Statement => Release with { Release = null };

    public static string Digest(byte of) => Hex.Encode(TreeHash.OfLeaf([of]).ToBytes());

    public static SignerKey Key(string name, NoteKeyType type, byte seed) => SignerKey.ImportSeed(name, type, [.. Enumerable.Repeat(seed, 32)]);

    public static LogPolicy Parse(string text) => LogPolicy.TryParse(Encoding.UTF8.GetBytes(text), out var policy, out var fault) ? policy : throw new InvalidOperationException($"{fault}");

    public static LogEntry Signed(LogStatement statement, params SignerKey[] keys) => LogEntry.Sign(statement, keys.Length == 0 ? [Publishers[0], Publishers[2]] : keys);

    public static NaiveTree Tree(params IEnumerable<byte[]> entries) => new([.. entries.Select(entry => TreeHash.OfLeaf(entry))]);

    /// <summary>The log's checkpoint with these cosignatures, or all.</summary>
    public static SignedNote Checkpoint(NaiveTree tree, int size, TimeSpan age = default, SignerKey[]? witnesses = null)
    {
        var checkpoint = new Checkpoint(Origin, size, tree.Root);
        return checkpoint.Sign(Log).With([.. (witnesses ?? [North1, North2, South]).Select(key => key.Cosign(checkpoint, (Now - age).ToUnixTimeSeconds()))]);
    }

    public static LogProof Proof(byte[][] entries, int index, TimeSpan age = default, SignerKey[]? witnesses = null)
    {
        var tree = Tree(entries);
        return new(index, [.. tree.Path(index, 0, entries.Length)], Checkpoint(tree, entries.Length, age, witnesses));
    }

    public static ImmutableArray<ProvedEntry> Proved(byte[][] entries, params int[] indices) => [.. indices.Select(index => new ProvedEntry(entries[index], Proof(entries, index).ToBytes()))];
}
