using System.Collections.Immutable;
using Cloister.Simulation;
using Cloister.Transparency;
using Cloister.Transparency.Tests;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>A bundle whose build was published: the release names its measurement, the fleet its machine. One thing is spoiled at a time.</summary>
public class PublicationTests
{
    private static readonly ReleaseManifest Manifest = World.Manifest with { Measurements = World.Manifest.Measurements with { Snp = [new SnpReference(8, "EPYC-v4", Hex.Encode(SimulatedEnclave.Measurement.Span))] } };
    private static readonly LogStatement Stated = World.Release with { Release = Manifest };
    private static readonly LogStatement Fleet = World.Statement with { Fleet = new Fleet([new FleetNode("snp", Machine.Statement.Node)]) };

    // The policy itself names neither build nor machine.
    private static readonly AppraisalPolicy Policy = Machine.Policy with
    {
        Fleet = [],
        Waivers = ImmutableDictionary<string, string>.Empty,
        Snp = Machine.Policy.Snp! with { Measurements = [] },
        Publication = new PublicationDemands
        {
            Log = World.PolicyText,
            Namespace = World.Namespace,
            Publishers = [.. World.Publishers.Select(key => $"{key.Verifier}")],
            Threshold = 2,
            Builders = [.. World.Builders.Select(key => $"{key.Verifier}")],
            Rebuilds = 1,
            MinimumVersion = 3,
            MaximumAgeHours = 24,
        },
    };

    private static PublicationDemands Demands => Policy.Publication!;

    private static LogStatement Rebuilt(LogEntry release) => World.Statement with { Rebuild = new Rebuild(Hex.Encode(release.Digest.Span), Manifest.Artifacts) };

    /// <summary>What is in the log: release, fleet, rebuild, and whatever else.</summary>
    private sealed record Shown(LogStatement? Release = null, LogStatement? Fleet = null, SignerKey[]? Witnesses = null, TimeSpan Age = default, SignerKey[]? Publishers = null, LogStatement[]? Others = null, bool Rebuild = true, LogMemory? Memory = null, AppraisalPolicy? Policy = null, Func<Publication, Publication>? Spoil = null, Func<EnclaveStatement, EnclaveStatement>? Statement = null)
    {
        public AttestationResult Appraise()
        {
            var release = World.Signed(Release ?? Stated, Publishers ?? []);
            byte[][] entries = [release.ToBytes(), World.Signed(Fleet ?? PublicationTests.Fleet).ToBytes(), World.Signed(Rebuilt(release), World.Builders[0]).ToBytes(), .. (Others ?? []).Select(other => World.Signed(other).ToBytes())];
            ProvedEntry Proved(int index) => new(entries[index], World.Proof(entries, index, Age, Witnesses).ToBytes());

            var publication = new Publication(Proved(0), Proved(1), [.. Enumerable.Range(Rebuild ? 2 : 3, entries.Length - (Rebuild ? 2 : 3)).Select(Proved)]);
            var statement = Machine.Statement with { Release = Hex.Encode(release.Digest.Span), Models = [.. Manifest.Models.Select(model => new ServedModel { Name = model.Name, Weights = model.Weights, Tokenizer = model.Tokenizer, Template = model.Template })] };
            byte[] bundle = (Machine.Parts(Statement?.Invoke(statement) ?? statement) with { Publication = Spoil?.Invoke(publication) ?? publication }).ToBytes();
            return Appraisal.Appraise(bundle, Policy ?? PublicationTests.Policy, Machine.Now, Memory);
        }
    }

    [Fact]
    public void A_published_build_on_a_published_machine_is_accepted()
    {
        var result = new Shown().Appraise();
        Assert.Empty(Machine.Failures(result));
        Assert.All(result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.Equal(Enum.GetNames<PublicationCheck>().Select(name => $"Release.{name}"), result.Checks.Select(check => check.Name).Where(name => name.StartsWith("Release.", StringComparison.Ordinal)));
        Assert.True(result.TryAccept(out var enclave));
        Assert.Equal("1.4.0", enclave.Release!.Manifest.Version);
        Assert.Equal(3, enclave.Release.Checkpoint.Size);
    }

    public static TheoryData<string, Func<AttestationResult>> Spoiled
    {
        get
        {
            var data = new TheoryData<string, Func<AttestationResult>>();
            foreach (var (names, shown) in Cases())
            {
                data.Add(names, shown.Appraise);
            }
            return data;
        }
    }

    private static IEnumerable<(string Names, Shown Shown)> Cases()
    {
        var late = World.Now.AddDays(1);
        var remembered = new Checkpoint(World.Origin, 100, TreeHash.OfLeaf([1]));
        return
        [
            ("Witnesses", new Shown(Witnesses: [World.North1, World.North2])),
            ("Recent", new Shown(Age: TimeSpan.FromHours(25), Policy: With(Demands with { Rebuilds = 0 }), Spoil: publication => publication with { Fleet = null })),
            ("Signed", new Shown(Publishers: [World.Publishers[0]], Rebuild: true)),
            ("Signed", new Shown(Release: Stated with { Namespace = "example.com/other" })),
            ("Valid", new Shown(Release: Stated with { NotBefore = LogStatement.FormatTime(late), NotAfter = LogStatement.FormatTime(late) })),
            ("NotRecalled", new Shown(Others: [World.Statement with { Recall = new Recall(Hex.Encode(World.Signed(Stated).Digest.Span), "a test") }])),
            ("SecurityVersion", new Shown(Policy: With(Demands with { MinimumVersion = 6 }))),
            ("Rebuilds", new Shown(Rebuild: false)),
            ("Rebuilds", new Shown(Policy: With(Demands with { Rebuilds = 2 }))),
            ("Continuity", new Shown(Memory: new LogMemory(remembered, []))),
            ("Statement", new Shown(Statement: statement => statement with { Release = new string('0', 64) })),
            ("Statement", new Shown(Statement: statement => statement with { Release = null })),
            ("Models", new Shown(Statement: statement => statement with { Models = [statement.Models[0] with { Weights = new string('0', 64) }] })),
            ("Models", new Shown(Statement: statement => statement with { Models = [.. statement.Models, new ServedModel { Name = "other" }] })),
        ];
    }

    private static AppraisalPolicy With(PublicationDemands demands) => Policy with { Publication = demands };

    /// <summary>A release that is not accepted lends its measurements to nobody; a check that nothing else depends on fails alone otherwise.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check(string name, Func<AttestationResult> appraise)
    {
        string[] consequences = name is "Statement" or "Models" ? [] : ["Snp.Measurement"];
        string[] fleet = name is "Witnesses" ? ["Release.Fleet", "Release.Rebuilds", nameof(BundleCheck.Fleet)] : name is "Recent" ? [nameof(BundleCheck.Fleet)] : [];
        Assert.Equal(new[] { $"Release.{name}" }.Concat(consequences).Concat(fleet).Order(), Machine.Failures(appraise()).Order());
    }

    [Fact]
    public void What_is_not_a_release_or_not_in_the_log_is_named()
    {
        Assert.Contains("Release.Form", Machine.Failures(new Shown(Spoil: publication => publication with { Release = publication.Release with { Entry = new byte[] { 1 } } }).Appraise()));
        Assert.Contains("Release.Form", Machine.Failures(Appraisal.Appraise(Machine.Bundle(), Policy, Machine.Now)));
        Assert.Contains("Release.Logged", Machine.Failures(new Shown(Spoil: publication => publication with { Release = publication.Release with { Proof = publication.Fleet!.Proof } }).Appraise()));
        Assert.Contains("Release.Logged", Machine.Failures(new Shown(Policy: With(Demands with { Log = World.PolicyText.Replace($"{World.Log.Verifier}", $"{World.Key("other.example", NoteKeyType.Ed25519, 77).Verifier}", StringComparison.Ordinal) })).Appraise()));
    }

    [Fact]
    public void A_fleet_that_is_not_published_names_nobody()
    {
        var expired = Fleet with { NotAfter = LogStatement.FormatTime(World.Now.AddHours(-1)) };
        Assert.Equal(["Fleet", "Release.Fleet"], Machine.Failures(new Shown(Fleet: expired).Appraise()));
        Assert.Equal(["Fleet"], Machine.Failures(new Shown(Fleet: World.Statement with { Fleet = new Fleet([new FleetNode("snp", new string('0', 128))]) }).Appraise()));

        // The same identity on another platform is another machine.
        Assert.Equal(["Fleet"], Machine.Failures(new Shown(Fleet: World.Statement with { Fleet = new Fleet([new FleetNode("tdx", Machine.Statement.Node)]) }).Appraise()));
        Assert.Equal(["Fleet"], Machine.Failures(new Shown(Spoil: publication => publication with { Fleet = null }).Appraise()));
    }

    [Fact]
    public void A_log_that_has_grown_is_followed()
    {
        Assert.True(new Shown().Appraise().TryAccept(out var enclave));
        Assert.True(new Shown(Memory: new LogMemory(enclave.Release!.Checkpoint, [])).Appraise().IsAccepted);
    }

    [Fact]
    public void Without_a_log_the_policys_word_is_all_there_is()
    {
        var silent = Machine.Policy with { Waivers = ImmutableDictionary<string, string>.Empty };
        Assert.Equal([nameof(BundleCheck.Published)], Machine.Failures(Appraisal.Appraise(Machine.Bundle(), silent, Machine.Now)));
    }

    [Fact]
    public void A_policy_with_a_log_survives_being_written_and_read()
    {
        Assert.True(AppraisalPolicy.TryParse(Policy.ToBytes(), out var read, out _));
        Assert.Equal(Policy.ToBytes(), read.ToBytes());
        PublicationDemands[] wrong =
        [
            Demands with { Log = "" }, Demands with { Threshold = 0 }, Demands with { Threshold = 4 }, Demands with { Publishers = ["?"] }, Demands with { Rebuilds = -1 }, Demands with { MaximumAgeHours = 169 },
            Demands with { Publishers = [Demands.Publishers[0], $"{World.Key("mallory", NoteKeyType.Ed25519, 5).Verifier}"] }, Demands with { Builders = [$"{World.South.Verifier}"] },
        ];
        Assert.All(wrong, demands => Assert.False(AppraisalPolicy.TryParse(With(demands).ToBytes(), out _, out _)));
        Assert.All(wrong, demands => Assert.False(new Shown(Policy: With(demands)).Appraise().IsAccepted));
    }

    [Fact]
    public void A_publication_is_judged_before_an_enclave_shows_it()
    {
        var release = World.Signed(Stated);
        byte[][] entries = [release.ToBytes(), World.Signed(Rebuilt(release), World.Builders[0]).ToBytes(), World.Signed(World.Statement with { Recall = new Recall(Hex.Encode(release.Digest.Span), "a test") }).ToBytes()];
        ProvedEntry Proved(int index) => new(entries[index], World.Proof(entries, index).ToBytes());

        var checks = new Publication(Proved(0), null, [Proved(1)]).Appraise(Demands, null, World.Now);
        Assert.DoesNotContain(checks, check => check.Verdict is Verdict.Failed);
        Assert.DoesNotContain(checks, check => check.Name is "Release.Statement" or "Release.Models");
        var recalled = new Publication(Proved(0), null, [Proved(1), Proved(2)]).Appraise(Demands, null, World.Now);
        Assert.Equal(["Release.NotRecalled"], recalled.Where(check => check.Verdict is Verdict.Failed).Select(check => check.Name));
    }

    /// <summary>One entry by itself, such as a web client's: the same demands, and the first that it does not meet is named.</summary>
    [Fact]
    public void A_published_entry_is_accepted_as_what_it_is_and_nothing_else()
    {
        var stated = World.Statement with { WebClient = new WebClient("1.0", [new Artifact("index.html", new string('0', 64))]) };
        byte[][] entries = [World.Signed(stated).ToBytes(), World.Signed(Fleet).ToBytes()];
        var shown = new ProvedEntry(entries[0], World.Proof(entries, 0).ToBytes());
        string? Fault(ProvedEntry entry, PublicationDemands? demands = null, EntryType type = EntryType.WebClient, TimeSpan later = default) =>
            (demands ?? Demands).TryAccept(entry, type, World.Now + later, out _, out string? fault) ? null : fault;

        Assert.True(ProvedEntryFile.TryParse(ProvedEntryFile.ToBytes(shown), out var read));
        Assert.Equal(shown.Proof.ToArray(), read.Proof.ToArray());
        Assert.False(ProvedEntryFile.TryParse("{}"u8, out _));

        Assert.Null(Fault(read));
        Assert.Equal("WrongType", Fault(read, type: EntryType.Policy));
        Assert.Equal("WrongNamespace", Fault(read, Demands with { Namespace = "example.com/other" }));
        Assert.Equal("TooFewPublishers", Fault(read, Demands with { Threshold = 3 }));
        Assert.Equal("TooOld", Fault(read, later: TimeSpan.FromHours(25)));
        Assert.Equal("TooFewWitnesses", Fault(read with { Proof = World.Proof(entries, 0, default, [World.North1]).ToBytes() }));
        Assert.Equal("NotIncluded", Fault(read with { Proof = World.Proof(entries, 1).ToBytes() }));
        Assert.Equal("MalformedProof", Fault(read with { Proof = new byte[] { 1 } }));
        Assert.Equal("MalformedEntry", Fault(read with { Entry = new byte[] { 1 } }));
    }
}
