using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Simulation;
using Cloister.Transparency;
using Cloister.Wire;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>The page asks where the build was published, shows it, and remembers the log.</summary>
public sealed class PublicationTests(Chromium chromium) : IDisposable
{
    private const string Namespace = "localhost/tests", Origin = "localhost/log";

    private readonly SignerKey _log = SignerKey.Generate(Origin, NoteKeyType.Ed25519);
    private readonly SignerKey _witness = SignerKey.Generate("localhost/witness", NoteKeyType.Ed25519Cosignature);
    private readonly SignerKey _publisher = SignerKey.Generate("localhost/publisher", NoteKeyType.Ed25519);

    public void Dispose()
    {
        _log.Dispose();
        _witness.Dispose();
        _publisher.Dispose();
    }

    [Fact]
    public async Task The_panel_says_what_was_published_and_a_log_that_went_back_is_refused()
    {
        await using var house = await House.StartAsync(policy: Policy, publication: Published(DateTimeOffset.UtcNow));
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);
        await visitor.Seal.ClickAsync();
        var panel = visitor.Page.GetByRole(AriaRole.Dialog, new() { Name = "The proof" });
        await Expect(panel.Locator("[data-check='Release.Witnesses'] .verdict")).ToHaveTextAsync("Passed");
        await Expect(panel).ToContainTextAsync("localhost/log, 1 entry");
        await Expect(panel.Locator("dt:text-is('Seen by') + dd")).ToHaveTextAsync(new Regex(@"^\s*witness, \d{4}-\d\d-\d\d \d\d:\d\d UTC\s*$"));
        visitor.AssertNoComplaints();

        string remembered = await visitor.Page.EvaluateAsync<string>("localStorage.getItem(Object.keys(localStorage).find(name => name.startsWith('cloister checkpoint ')))");
        Assert.True(Checkpoint.TryParse(remembered, out var checkpoint));
        Assert.Equal((Origin, 1), (checkpoint.Origin, checkpoint.Size));

        // As if this browser had seen more of the log before.
        await visitor.Page.EvaluateAsync("text => Object.keys(localStorage).forEach(name => localStorage.setItem(name, text))", $"{new Checkpoint(Origin, 2, TreeHash.OfLeaf([1]))}");
        await visitor.Page.ReloadAsync();
        await Expect(visitor.Page.Locator("body[data-state=refused]")).ToBeVisibleAsync(Visitor.Patient);
        await visitor.Seal.ClickAsync();
        await Expect(visitor.Page.Locator("[data-check='Release.Continuity'] .verdict")).ToHaveTextAsync("Failed");
    }

    [Theory(Explicit = true)]
    [InlineData("desktop", 1280, 860, ColorScheme.Light)]
    [InlineData("mobile", 390, 844, ColorScheme.Dark)]
    public async Task Pictures_of_what_was_published(string kind, int width, int height, ColorScheme scheme)
    {
        await using var house = await House.StartAsync(policy: Policy, publication: Published(DateTimeOffset.UtcNow));
        await using var visitor = await chromium.VisitAsync(new BrowserNewContextOptions { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme });
        await visitor.EnterAsync(house);
        await visitor.Seal.ClickAsync();
        await visitor.Page.GetByText("Verify now").ClickAsync();
        await Expect(visitor.Page.Locator(".session")).ToContainTextAsync("the machine signed");
        await Pictures.TakeAsync(visitor, $"{kind}-{scheme}-published-1");
        await visitor.Page.Locator("[data-check^='Release.']").First.ScrollIntoViewIfNeededAsync();
        await Pictures.TakeAsync(visitor, $"{kind}-{scheme}-published-2");
        await visitor.Page.GetByText("This enclave").EvaluateAsync("heading => heading.scrollIntoView()");
        await Pictures.TakeAsync(visitor, $"{kind}-{scheme}-published-3");
    }

    private AppraisalPolicy Policy
    {
        get
        {
            var usual = SimulatedEnclave.Policy(House.Authority);
            return usual with
            {
                Waivers = ImmutableDictionary<string, string>.Empty.Add("Release.Models", "the test speaks for the model"),
                Snp = usual.Snp! with { Measurements = [] },
                Publication = new PublicationDemands
                {
                    Log = $"log {_log.Verifier}\nwitness witness {_witness.Verifier}\nquorum witness\n",
                    Namespace = Namespace,
                    Publishers = [$"{_publisher.Verifier}"],
                    Threshold = 1,
                    Builders = [],
                    Rebuilds = 0,
                    MinimumVersion = 0,
                    MaximumAgeHours = 24,
                },
            };
        }
    }

    private Publication Published(DateTimeOffset now)
    {
        byte[] entry = LogEntry.Sign(new LogStatement
        {
            Namespace = Namespace,
            NotBefore = LogStatement.FormatTime(now),
            NotAfter = LogStatement.FormatTime(now.AddDays(1)),
            Release = new ReleaseManifest
            {
                Version = "1.0.0",
                SourceRevision = new string('0', 40),
                Artifacts = [new Artifact("enclave", new string('0', 64))],
                Measurements = new([new SnpReference(1, "simulated", Hex.Encode(SimulatedEnclave.Measurement.Span))], [], [], []),
                Models = [],
                SecurityVersion = 0,
                MinimumAcceptedVersion = 0,
            },
        }, _publisher).ToBytes();
        var checkpoint = new Checkpoint(Origin, 1, TreeHash.OfLeaf(entry));
        return new Publication(new ProvedEntry(entry, new LogProof(0, [], checkpoint.Sign(_log).With(_witness.Cosign(checkpoint, now.ToUnixTimeSeconds()))).ToBytes()), null, []);
    }
}
