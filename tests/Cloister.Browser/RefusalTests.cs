using System.Text;
using Cloister.Attestation;
using Cloister.Simulation;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class RefusalTests(Chromium chromium)
{
    [Theory]
    [InlineData("\"statement\":\"", 200)]
    [InlineData("\"snp\":[", 60)]
    [InlineData("\"snp\":[", 1400)]
    [InlineData("\"snp\":[", 4000)]
    public async Task A_bundle_with_one_changed_character_is_refused_and_nothing_is_sent(string after, int offset)
    {
        using var relay = new Relay
        {
            Spoil = bundle =>
            {
                int place = Encoding.Latin1.GetString(bundle).IndexOf(after, StringComparison.Ordinal) + after.Length + offset;
                bundle[place] = bundle[place] == (byte)'A' ? (byte)'B' : (byte)'A';
                return bundle;
            },
        };
        await using var house = await House.StartAsync(relay.Between);
        await using var visitor = await chromium.VisitAsync();

        await visitor.Page.GotoAsync(house.Address.ToString());
        await visitor.AskAsync("A secret");
        await Expect(visitor.Page.GetByRole(Microsoft.Playwright.AriaRole.Alert)).ToContainTextAsync("The enclave was refused. Nothing was sent.", new() { Timeout = 60_000 });
        await Expect(visitor.Seal).ToHaveTextAsync("Refused");
        await Expect(visitor.Note).ToHaveTextAsync("Nothing is sent: the enclave was refused.");
        await Expect(visitor.Field).ToHaveValueAsync("A secret");
        await visitor.Field.PressAsync("Enter");

        Assert.Empty(visitor.Sockets);
        Assert.Equal(0, relay.Sessions);
        Assert.Empty(house.Model.Questions);
        Assert.All(visitor.Requests, address => Assert.DoesNotContain("secret", address, StringComparison.OrdinalIgnoreCase));
        visitor.AssertNoComplaints();
    }

    [Fact]
    public async Task A_build_that_the_policy_does_not_name_is_refused_by_that_check()
    {
        var policy = SimulatedEnclave.Policy(House.Authority);
        policy = policy with { Snp = policy.Snp! with { Measurements = [new string('0', 96)] } };
        await using var house = await House.StartAsync(policy: policy);
        await using var visitor = await chromium.VisitAsync();

        await visitor.Page.GotoAsync(house.Address.ToString());
        var alert = visitor.Page.GetByRole(Microsoft.Playwright.AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("It runs a build that the policy does not name.", new() { Timeout = 60_000 });
        await Expect(alert.Locator("li")).ToHaveCountAsync(1);
        await alert.GetByText("See every check").ClickAsync();
        await Expect(visitor.Page.Locator("[data-check=\"Snp.Measurement\"] .verdict")).ToHaveTextAsync("Failed");
        await Expect(visitor.Page.Locator("[data-check] .verdict", new() { HasText = "Passed" })).ToHaveCountAsync(CheckCatalogue.All.Count(check => ProofTests.IsAsked(check.Name)) - 2);
        Assert.Empty(visitor.Sockets);
    }

    [Fact]
    public async Task Without_a_policy_nothing_is_sent()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.Page.RouteAsync("**/policy.json", route => route.FulfillAsync(new() { Body = "{}" }));
        await visitor.Page.GotoAsync(house.Address.ToString());
        await Expect(visitor.Page.GetByRole(Microsoft.Playwright.AriaRole.Alert)).ToContainTextAsync("Nothing can be checked, so nothing is sent.", new() { Timeout = 60_000 });
        Assert.DoesNotContain(visitor.Requests, address => address.EndsWith("/cloister/v1/enclaves", StringComparison.Ordinal));
        Assert.Empty(visitor.Sockets);
    }
}
