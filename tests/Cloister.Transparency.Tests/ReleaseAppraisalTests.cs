using Cloister.Wire;

namespace Cloister.Transparency.Tests;

public class ReleaseAppraisalTests
{
    private static readonly LogEntry Release = World.Signed(World.Release);
    private static readonly LogEntry Rebuilt = World.Signed(Rebuild(Release), World.Builders[0]);
    private static readonly byte[][] Log = [.. Enumerable.Range(0, 5).Select(i => new byte[] { (byte)i }), Release.ToBytes(), Rebuilt.ToBytes()];
    private static readonly ReleaseEvidence Good = Evidence(Log, 5, 6);

    [Fact]
    public void A_release_is_accepted()
    {
        var result = Appraise(Good);
        Assert.True(result.TryAccept(out var release));
        Assert.Equal("1.4.0", release.Manifest.Version);
        Assert.Equal(7, release.Checkpoint.Size);
        Assert.Equal(3, release.Witnesses.Length);
    }

    [Fact]
    public void Every_fault_has_its_name()
    {
        Refused(Good with { Release = Good.Release with { Entry = new byte[1] } }, ReleaseFault.MalformedEntry);
        Refused(Good with { Release = Good.Release with { Proof = new byte[1] } }, ReleaseFault.MalformedProof);
        Refused(Good with { Release = Good.Release with { Proof = World.Proof(Log, 4).ToBytes() } }, ReleaseFault.Unlogged);
        Refused(Good with { Others = [] }, ReleaseFault.TooFewRebuilds);
        Refused(Good with { Release = Good.Release with { Proof = World.Proof(Log, 5, witnesses: [World.North1]).ToBytes() } }, ReleaseFault.TooFewWitnesses);
        Refused(Good with { Release = Good.Release with { Proof = World.Proof(Log, 5, TimeSpan.FromDays(2)).ToBytes() } }, ReleaseFault.TooOld);
        Refused(Good, World.ReleasePolicy with { Namespace = "example.com/other" }, World.Now, ReleaseFault.WrongNamespace, ReleaseFault.TooFewRebuilds);
        Refused(Good, World.ReleasePolicy with { Log = World.Parse($"log {World.Key(World.Origin, NoteKeyType.Ed25519, 66).Verifier}\nquorum none\n") }, World.Now, ReleaseFault.UnknownLog);
        Refused(Good, World.ReleasePolicy with { MinimumVersion = 6 }, World.Now, ReleaseFault.BelowMinimumVersion);
        Refused(Good, World.ReleasePolicy with { Rebuilds = 2 }, World.Now, ReleaseFault.TooFewRebuilds);
        Refused(Good, World.ReleasePolicy with { Publishers = new(1, World.Key("mallory", NoteKeyType.Ed25519, 99).Verifier) }, World.Now, ReleaseFault.TooFewPublishers);
        Refused(Good, World.ReleasePolicy with { MaximumAge = null }, World.Now.AddDays(40), ReleaseFault.Expired, ReleaseFault.TooFewRebuilds);
        Refused(Good, World.ReleasePolicy with { MaximumAge = null }, World.Now.AddDays(-2), ReleaseFault.NotYetValid, ReleaseFault.TooFewRebuilds);
        Refused(Evidence(Log, 6), ReleaseFault.WrongType, ReleaseFault.TooFewRebuilds);

        var spoiled = Release.Note.With(Release.Note.Signatures[0] with { Signature = [1] });
        byte[][] log = [.. Log[..5], spoiled.ToBytes(), Log[6]];
        Refused(Evidence(log, 5, 6), ReleaseFault.WrongSignature);

        byte[] proof = Good.Release.Proof.ToArray();
        proof[^10] ^= 1; // in the last cosignature
        Assert.NotEmpty(Appraise(Good with { Release = Good.Release with { Proof = proof } }).Faults);
    }

    [Fact]
    public void A_recall_needs_signatures_only()
    {
        var recall = World.Signed(World.Statement with { Recall = new(Hex.Encode(Release.Digest.Span), "a hole") });
        Refused(Good with { Others = [.. Good.Others, new(recall.ToBytes(), default)] }, ReleaseFault.Recalled);
        Accepted(Good with { Others = [.. Good.Others, new(World.Signed(World.Statement with { Recall = new(World.Digest(1), "another") }).ToBytes(), default)] });
        Accepted(Good with { Others = [.. Good.Others, new(World.Signed(recall.Statement, World.Publishers[0]).ToBytes(), default)] });
        Accepted(Good with { Others = [.. Good.Others, new(World.Signed(recall.Statement with { Namespace = "example.com/other" }).ToBytes(), default)] });
        var expired = recall.Statement with { NotAfter = recall.Statement.NotBefore };
        Refused(Good with { Others = [.. Good.Others, new(World.Signed(expired).ToBytes(), default)] }, ReleaseFault.Recalled);
    }

    [Fact]
    public void A_later_release_raises_the_floor()
    {
        var later = World.Release with { Release = World.Manifest with { SecurityVersion = 9, MinimumAcceptedVersion = 6 } };
        Refused(Good with { Others = [.. Good.Others, new(World.Signed(later).ToBytes(), default)] }, ReleaseFault.BelowMinimumVersion);
        Accepted(Good with { Others = [.. Good.Others, new(World.Signed(later, World.Publishers[0]).ToBytes(), default)] });
    }

    [Fact]
    public void Rebuilds_count_by_builder_and_only_for_the_same_artifacts()
    {
        var two = World.ReleasePolicy with { Rebuilds = 2 };
        Count(ReleaseFault.None, World.Signed(Rebuild(Release), World.Builders[1]));
        Count(ReleaseFault.TooFewRebuilds, World.Signed(Rebuild(Release) with { NotBefore = World.Release.NotAfter }, World.Builders[1]));
        Count(ReleaseFault.TooFewRebuilds, World.Signed(Rebuild(Release) with { NotAfter = LogStatement.FormatTime(World.Now.AddDays(2)) }, World.Builders[0]));
        Count(ReleaseFault.TooFewRebuilds, World.Signed(Rebuild(Release) with { Rebuild = new(World.Digest(1), World.Manifest.Artifacts) }, World.Builders[1]));
        Count(ReleaseFault.TooFewRebuilds, World.Signed(Rebuild(Release) with { Rebuild = new(Hex.Encode(Release.Digest.Span), [World.Manifest.Artifacts[0]]) }, World.Builders[1]));
        Count(ReleaseFault.TooFewRebuilds, World.Signed(Rebuild(Release), World.Publishers[1]));

        var publisher = two with { Builders = [World.Builders[0].Verifier, World.Publishers[1].Verifier] };
        byte[][] log = [.. Log, World.Signed(Rebuild(Release), World.Publishers[1]).ToBytes()];
        Refused(Evidence(log, 5, 6, 7), publisher, World.Now, ReleaseFault.TooFewRebuilds);

        // Not in the log at all, or in the log at another time.
        byte[][] elsewhere = [.. Log, World.Signed(Rebuild(Release), World.Builders[1]).ToBytes()];
        var proved = World.Proved(elsewhere, 7)[0];
        Refused(Good with { Others = [.. Good.Others, proved with { Proof = World.Proof(Log, 6).ToBytes() }] }, two, World.Now, ReleaseFault.TooFewRebuilds);
        Refused(Good with { Others = [.. Good.Others, proved] }, two, World.Now, ReleaseFault.TooFewRebuilds, ReleaseFault.OtherCheckpoint);

        void Count(ReleaseFault fault, LogEntry second)
        {
            byte[][] log = [.. Log, second.ToBytes()];
            var result = ReleaseAppraisal.Appraise(Evidence(log, 5, 6, 7), two, null, World.Now);
            Assert.Equal(fault is ReleaseFault.None ? [] : [fault], result.Faults);
        }
    }

    [Fact]
    public void A_client_never_goes_back()
    {
        var before = new Checkpoint(World.Origin, 3, World.Tree(Log[..3]).Root);
        Assert.True(ConsistencyProof.TryMake(World.Tree(Log).Read, 3, 7, out var path));
        var grown = Good with { Consistency = [.. path] };
        Assert.Empty(Appraise(grown, before).Faults);
        Assert.Equal([ReleaseFault.CheckpointInconsistent], Appraise(Good, before).Faults);
        Assert.Equal([ReleaseFault.CheckpointInconsistent], Appraise(grown, new Checkpoint(World.Origin, 3, World.Tree(Log[1..4]).Root)).Faults);
        Assert.Equal([ReleaseFault.CheckpointSmaller], Appraise(Good, new Checkpoint(World.Origin, 8, World.Tree(Log).Root)).Faults);
        Assert.Equal([ReleaseFault.CheckpointInconsistent], Appraise(Good, new Checkpoint(World.Origin, 7, World.Tree(Log[1..]).Root)).Faults);
        Assert.Empty(Appraise(Good, new Checkpoint(World.Origin, 7, World.Tree(Log).Root)).Faults);
        Assert.Equal([ReleaseFault.UnknownLog], Appraise(grown, new Checkpoint("example.com/former", 3, World.Tree(Log[..3]).Root)).Faults);
    }

    private static LogStatement Rebuild(LogEntry release) => World.Statement with { Rebuild = new(Hex.Encode(release.Digest.Span), World.Manifest.Artifacts) };

    private static ReleaseEvidence Evidence(byte[][] log, int release, params int[] others) => new(World.Proved(log, release)[0], World.Proved(log, others), []);

    private static ReleaseResult Appraise(ReleaseEvidence evidence, Checkpoint? remembered = null) => ReleaseAppraisal.Appraise(evidence, World.ReleasePolicy, remembered, World.Now);

    private static void Accepted(ReleaseEvidence evidence) => Assert.Empty(Appraise(evidence).Faults);

    private static void Refused(ReleaseEvidence evidence, params ReleaseFault[] faults) => Refused(evidence, World.ReleasePolicy, World.Now, faults);

    private static void Refused(ReleaseEvidence evidence, ReleasePolicy policy, DateTimeOffset now, params ReleaseFault[] faults)
    {
        var result = ReleaseAppraisal.Appraise(evidence, policy, null, now);
        Assert.Equal(faults, result.Faults);
        Assert.False(result.TryAccept(out _));
    }
}
