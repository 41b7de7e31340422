using System.Collections.Immutable;
using System.Text;
using CsCheck;

namespace Cloister.Transparency.Tests;

public class WitnessTests
{
    // The example of tlog-witness, add-checkpoint.
    private const string Example = """
        old 20852014
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

        example.com/behind-the-sofa
        20852163
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
        — example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=

        """;

    private const string ExampleAnswer = """
        — witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
        — witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
        — witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==

        """;

    private static readonly byte[][] Entries = [.. Enumerable.Range(0, 40).Select(i => new[] { (byte)i })];

    [Fact]
    public void The_published_examples_are_read()
    {
        Assert.True(AddCheckpointRequest.TryParse(Encoding.UTF8.GetBytes(Example), out var request));
        Assert.Equal((20852014L, 4, 2), (request.OldSize, request.Path.Length, request.Checkpoint.Signatures.Length));
        Assert.Equal(Example, Encoding.UTF8.GetString(request.ToBytes()));
        Assert.True(AddCheckpointRequest.TryParseAnswer(Encoding.UTF8.GetBytes(ExampleAnswer), out var cosignatures));
        Assert.Equal(3, cosignatures.Length);
        Assert.True(AddCheckpointRequest.TryParseConflict("20852014\n"u8, out long size));
        Assert.Equal(20852014, size);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("\n")]
    [InlineData("01\n")]
    [InlineData("1\n\n")]
    [InlineData("99999999999999999999\n")]
    public void Another_conflict_is_refused(string body) => Assert.False(AddCheckpointRequest.TryParseConflict(Encoding.ASCII.GetBytes(body), out _));

    [Theory]
    [InlineData("old 20852014\n", "old 020852014\n")]
    [InlineData("old 20852014\n", "new 20852014\n")]
    [InlineData("old 20852014\n", "")]
    [InlineData("old 20852014\n", "old 20852014\n\n")]
    [InlineData("kaw=\n", "kaw\n")]
    [InlineData("OoRDe4URYN7u5", "OoRDe4URYN7u5 ")]
    public void Another_request_is_refused(string part, string other) => Assert.False(AddCheckpointRequest.TryParse(Encoding.UTF8.GetBytes(Example.Replace(part, other, StringComparison.Ordinal)), out _));

    [Fact]
    public void A_witness_cosigns_what_goes_on_and_nothing_else() => Gen.Int[0, 40].Array[1, 8].Sample(sizes =>
    {
        Checkpoint? state = null;
        foreach (int size in sizes)
        {
            var decision = Decide(Request(state?.Size ?? 0, size), state);
            bool grows = size >= (state?.Size ?? 0);
            Assert.Equal(grows ? WitnessAnswer.Cosigned : WitnessAnswer.Malformed, decision.Answer);
            Assert.Equal(grows, decision.State is not null);
            state = decision.State ?? state;
            if (grows)
            {
                Assert.True(AddCheckpointRequest.TryParseAnswer([.. decision.Body], out var cosignatures));
                Assert.True(World.North1.Verifier.Verify($"{state}", cosignatures[0], out long time));
                Assert.Equal(World.Now.ToUnixTimeSeconds(), time);
                Assert.True(World.South.Verifier.Verify($"{state}", cosignatures[1], out _));
            }
        }
    }, iter: 15);

    [Fact]
    public void Every_refusal_has_its_number_and_changes_nothing()
    {
        var state = new Checkpoint(World.Origin, 10, Tree(10).Root);
        Refused(WitnessAnswer.Malformed, "nonsense"u8.ToArray());
        Refused(WitnessAnswer.Malformed, Encoding.UTF8.GetBytes("old 0\n\ntext\n\n— a AAAAAAA=\n")); // a note, and no checkpoint
        Refused(WitnessAnswer.Malformed, Bytes(Request(10, 20) with { OldSize = 30 }));
        Refused(WitnessAnswer.UnknownOrigin, Bytes(Request(10, 20) with { Checkpoint = new Checkpoint("other", 20, Tree(20).Root).Sign(World.Log) }));
        Refused(WitnessAnswer.UnknownSignature, Bytes(Request(10, 20) with { Checkpoint = new Checkpoint(World.Origin, 20, Tree(20).Root).Sign(World.Key(World.Origin, NoteKeyType.Ed25519, 99)) }));
        Assert.Equal("10\n", Refused(WitnessAnswer.Conflict, Bytes(Request(9, 20))));
        Assert.Equal("10\n", Refused(WitnessAnswer.Conflict, Bytes(Request(0, 20))));
        Refused(WitnessAnswer.Conflict, Bytes(Request(10, 10) with { Checkpoint = new Checkpoint(World.Origin, 10, Tree(9).Root).Sign(World.Log) }));
        Refused(WitnessAnswer.Inconsistent, Bytes(Request(10, 20) with { Path = [] }));
        Refused(WitnessAnswer.Inconsistent, Bytes(Request(10, 20) with { Checkpoint = new Checkpoint(World.Origin, 20, Tree(21).Root).Sign(World.Log) }));
        Refused(WitnessAnswer.Inconsistent, Bytes(Request(10, 10) with { Path = [default] }));

        string Refused(WitnessAnswer answer, byte[] body)
        {
            var decision = Witness.Decide(body, [World.Log.Verifier], _ => state, [World.North1], World.Now);
            Assert.Equal((answer, (Checkpoint?)null), (decision.Answer, decision.State));
            return Encoding.ASCII.GetString([.. decision.Body]);
        }
    }

    [Fact]
    public void The_first_checkpoint_needs_no_proof_and_has_none()
    {
        Assert.Equal(WitnessAnswer.Cosigned, Decide(Request(0, 12), null).Answer);
        Assert.Equal(WitnessAnswer.Inconsistent, Decide(Request(0, 12) with { Path = [default] }, null).Answer);
        Assert.Equal(WitnessAnswer.Conflict, Decide(Request(3, 12), null).Answer);
        Assert.Equal(WitnessAnswer.Inconsistent, Decide(Request(0, 0) with { Checkpoint = new Checkpoint(World.Origin, 0, default).Sign(World.Log) }, null).Answer);
    }

    private static NaiveTree Tree(int size) => World.Tree(Entries[..size]);

    private static byte[] Bytes(AddCheckpointRequest request) => request.ToBytes();

    private static AddCheckpointRequest Request(long old, int size)
    {
        var path = ImmutableArray<TreeHash>.Empty;
        if (old <= size)
        {
            Assert.True(ConsistencyProof.TryMake(Tree(size).Read, old, size, out var made));
            path = [.. made];
        }
        return new(old, path, new Checkpoint(World.Origin, size, Tree(size).Root).Sign(World.Log));
    }

    private static WitnessDecision Decide(AddCheckpointRequest request, Checkpoint? state) =>
        Witness.Decide(request.ToBytes(), [World.Log.Verifier], _ => state, [World.North1, World.South], World.Now);
}
