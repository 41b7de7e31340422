using System.Text;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
using Cloister.Enclave.Tests.Program;
using Cloister.Simulation;
using Cloister.Testing;
using Microsoft.AspNetCore.Http;

namespace Cloister.Cli.Tests.Collateral;

/// <summary>The host's helper, makers that do not do what they should, and ends in the middle.</summary>
public class CollateralTests
{
    private const string Chain = "/vcek/v1/Genoa/cert_chain";
    private const string List = "/vcek/v1/Genoa/crl";
    private const string Tcb = "/tdx/certification/v4/tcb?fmspc=" + TdxAuthority.Fmspc;

    [Fact]
    public async Task What_is_wanted_is_fetched_once_and_put_down()
    {
        await using var helper = await Helper.StartAsync(new WantedCollateral { Snp = Helper.SnpWant, Tdx = Helper.TdxWant });
        var round = await helper.RunAsync();

        Assert.True(round.IsWhole, string.Join(' ', round.Faults));
        Assert.Empty(round.Faults);
        Assert.Equal([SnpSet.FileName, TdxSet.FileName], round.Written);
        Assert.Equal(Helper.SnpWant, helper.Snp!.For);
        Assert.Equal(Helper.TdxWant, helper.Tdx!.For);
        Assert.Equal(7, helper.Asked().Length);

        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.True((await helper.Restart().RunAsync(Patience)).IsWhole);
        Assert.Empty(helper.Asked());
    }

    /// <summary>From a machine that nobody endorses yet, through what it asks of its host, to a bundle that clients accept.</summary>
    [Fact]
    public async Task An_enclave_says_what_it_wants_and_then_makes_bundles_that_are_accepted()
    {
        await using var helper = await Helper.StartAsync();
        using var machine = await Machine.StartAsync(table: []);
        var host = new HostCollateral(helper.Endorsements, helper.Requests);
        Assert.Contains("its helper fetches it", (await Assert.ThrowsAsync<IOException>(() => ConfidentialMachine.OpenAsync(machine.Reports, host, Patience))).Message);
        Assert.True((await helper.RunAsync()).IsWhole);

        var source = await ConfidentialMachine.OpenAsync(machine.Reports, host, Patience);
        using var key = Primitives.X25519PrivateKey.Generate();
        byte[] statement = SimulatedEnclave.Statement(Machine.Authority, key.PublicKey, DateTimeOffset.UtcNow).ToBytes();
        var bundle = new EnclaveBundle(statement, await source.AttestAsync(EnclaveStatement.ReportData(statement), Patience));
        var result = Appraisal.Appraise(bundle.ToBytes(), SimulatedEnclave.Policy(Machine.Authority), DateTimeOffset.UtcNow);
        Assert.Empty(result.Checks.Where(check => check.Verdict is Verdict.Failed));
        Assert.True(result.TryAccept(out _));
    }

    [Fact]
    public async Task Intels_collateral_passes_the_verification_of_a_quote()
    {
        await using var helper = await Helper.StartAsync(new WantedCollateral { Tdx = Helper.TdxWant });
        Assert.True((await helper.RunAsync()).IsWhole);
        var set = helper.Tdx!;
        var result = TdxVerification.Verify(Helper.Intel.Quote(), new TdxCollateral
        {
            TcbInfo = Encoding.UTF8.GetBytes(set.TcbInfo),
            QeIdentity = Encoding.UTF8.GetBytes(set.QeIdentity),
            PckRevocationList = Convert.FromBase64String(set.PckRevocationList),
            RootRevocationList = Convert.FromBase64String(set.RootRevocationList),
            TcbInfoIssuers = Encoding.UTF8.GetBytes(set.TcbInfoIssuers),
            QeIdentityIssuers = Encoding.UTF8.GetBytes(set.QeIdentityIssuers),
            PckRevocationListIssuers = Encoding.UTF8.GetBytes(set.PckRevocationListIssuers),
        }, Helper.Intel.Policy, DateTimeOffset.UtcNow);
        Assert.True(result.IsAccepted, $"{result.FirstFailure}");
    }

    [Theory]
    [InlineData(SnpProduct.Milan, "/vcek/v1/Milan/{0}?blSPL=03&teeSPL=00&snpSPL=27&ucodeSPL=209")]
    [InlineData(SnpProduct.Genoa, "/vcek/v1/Genoa/{0}?blSPL=03&teeSPL=00&snpSPL=27&ucodeSPL=209")]
    [InlineData(SnpProduct.Turin, "/vcek/v1/Turin/0123456789abcdef?fmcSPL=01&blSPL=03&teeSPL=00&snpSPL=27&ucodeSPL=209")]
    public async Task A_chip_is_named_as_AMD_names_it(SnpProduct product, string path)
    {
        string chip = "0123456789abcdef" + new string('0', 112);
        await using var helper = await Helper.StartAsync(new WantedCollateral { Snp = Helper.SnpWant with { Product = product, ChipId = chip, Tcb = SnpFirmware.Of(new TcbVersion(1, 3, 0, 27, 209)) } });
        helper.Makers.Things[$"/vcek/v1/{product}/cert_chain"] = helper.Makers.Things[Chain];
        helper.Makers.Things[$"/vcek/v1/{product}/crl"] = helper.Makers.Things[List];
        Assert.False((await helper.RunAsync()).IsWhole);
        Assert.Equal(string.Format(null, path, chip), helper.Asked()[^1]);
    }

    [Fact]
    public async Task Of_a_lent_key_only_what_is_above_it_is_asked_for()
    {
        await using var helper = await Helper.StartAsync(new WantedCollateral { Snp = new SnpWant { Key = SigningKey.Vlek, Product = SnpProduct.Genoa } });
        helper.Makers.Things["/vlek/v1/Genoa/cert_chain"] = helper.Makers.Things[Chain];
        helper.Makers.Things["/vlek/v1/Genoa/crl"] = helper.Makers.Things[List];
        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.Equal(2, helper.Snp!.Certificates.Length);
        Assert.Equal(["/vlek/v1/Genoa/cert_chain", "/vlek/v1/Genoa/crl"], helper.Asked());
    }

    public static TheoryData<string, string, Func<HttpContext, Task>> FaultyAnswers => new()
    {
        { Chain, "answered 404 when asked for Genoa's authorities", context => Answer(context, 404, []) },
        { Chain, "answered 302", context => Answer(context, 302, [], ("Location", "http://127.0.0.1:1/")) },
        { Chain, "answered 503", context => Answer(context, 503, []) },
        { Chain, "is not Genoa's authorities", context => Answer(context, 200, "<html>Welcome</html>"u8.ToArray()) },
        { Chain, "is not Genoa's authorities", context => Answer(context, 200, []) },
        { Chain, "gave no whole answer", async context => { context.Response.ContentLength = 1000; await context.Response.Body.WriteAsync(new byte[10]); await context.Response.Body.FlushAsync(); context.Abort(); } },
        { Chain, "bytes where Genoa's authorities has at most", context => Answer(context, 200, new byte[PemCertificates.MaxSize + 1]) },
        { Chain, "answered with more than belongs", context => Answer(context, 200, new byte[5 * 1024 * 1024]) },
        { List, "is not Genoa's list of revoked certificates", context => Answer(context, 200, [0x30, 0]) },
        { Tcb, "did not say who signed", context => Answer(context, 200, [.. Helper.Intel.Collateral().TcbInfo.Span]) },
        { Tcb, "is not what Intel thinks of this processor's firmware", context => Answer(context, 200, [.. Helper.Intel.Collateral().TcbInfo.Span], ("TCB-Info-Issuer-Chain", "none")) },
        { Tcb, "is not what Intel thinks of this processor's firmware", context => Answer(context, 200, [.. Helper.Intel.Collateral(Helper.Intel.TcbInfo().Replace(TdxAuthority.Fmspc, "00A0B0C0D0E1", StringComparison.Ordinal)).TcbInfo.Span], Signers) },
        { Tcb, "expired on", context => Answer(context, 200, [.. Helper.Intel.Collateral(Helper.Intel.TcbInfo(age: TimeSpan.FromDays(40))).TcbInfo.Span], Signers) },
        { Tcb, "does not belong together", context => Answer(context, 200, [.. Helper.Intel.Collateral().TcbInfo.Span], ("TCB-Info-Issuer-Chain", Uri.EscapeDataString(TdxAuthority.Pem(Helper.Intel.AuthorityCertificate, Helper.Intel.RootCertificate)))) },
    };

    /// <summary>One sentence, and nothing of it reaches the enclave: what was there stays, and once the maker is well again all is fetched.</summary>
    [Theory, MemberData(nameof(FaultyAnswers))]
    public async Task A_faulty_answer_is_one_sentence_and_changes_nothing(string thing, string words, Func<HttpContext, Task> answer)
    {
        await using var helper = await Helper.StartAsync(thing == Tcb ? new WantedCollateral { Tdx = Helper.TdxWant } : null);
        helper.Makers.Fault = async (asked, _, context) =>
        {
            if (asked == thing)
            {
                await answer(context);
            }
            return asked == thing;
        };
        var round = await helper.RunAsync();
        Assert.False(round.IsWhole);
        Assert.Contains(words, Assert.Single(round.Faults));
        Assert.EndsWith(".", round.Faults[0]);
        Assert.Empty(Directory.GetFiles(helper.Endorsements.Path));

        helper.Makers.Fault = null;
        helper.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.True((await helper.RunAsync()).IsWhole);
    }

    [Fact]
    public async Task Who_is_busy_is_asked_again_after_the_time_that_it_says()
    {
        await using var helper = await Helper.StartAsync();
        helper.Makers.Fault = async (asked, before, context) =>
        {
            if (before < 2)
            {
                await Answer(context, 429, [], ("Retry-After", "20"));
            }
            return before < 2;
        };
        var start = helper.Time.GetUtcNow();
        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.Equal(3, helper.Asked().Count(asked => asked == Chain));
        Assert.InRange(helper.Time.GetUtcNow() - start, TimeSpan.FromSeconds(3 * 2 * 20), TimeSpan.FromSeconds(3 * 2 * 20 + 60));
    }

    [Fact]
    public async Task Who_asks_for_a_long_rest_gets_it_and_is_told_of_once()
    {
        await using var helper = await Helper.StartAsync();
        helper.Makers.Fault = async (_, _, context) =>
        {
            await Answer(context, 429, [], ("Retry-After", "7200"));
            return true;
        };
        var first = await helper.RunAsync();
        Assert.Single(helper.Asked());
        helper.Time.Advance(TimeSpan.FromMinutes(110));
        Assert.Equal(first.Faults, (await helper.RunAsync()).Faults);
        Assert.Empty(helper.Asked());
        helper.Makers.Fault = null;
        helper.Time.Advance(TimeSpan.FromMinutes(11));
        Assert.True((await helper.RunAsync()).IsWhole);
    }

    [Fact]
    public async Task A_maker_that_stays_away_is_asked_less_and_less_often()
    {
        await using var helper = await Helper.StartAsync();
        helper.Makers.Things.Clear();
        int asked = 0;
        for (int minute = 0; minute < 12 * 60; minute++)
        {
            await helper.RunAsync();
            asked += helper.Asked().Length;
            helper.Time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.InRange(asked, 12, 20);
    }

    [Fact]
    public async Task Another_firmware_is_fetched_at_once_even_while_a_maker_rests()
    {
        var newer = SimulatedReport.Tcb with { Microcode = 99 };
        await using var helper = await Helper.StartAsync(new WantedCollateral { Snp = Helper.SnpWant with { Tcb = SnpFirmware.Of(newer) } });
        Assert.Contains("answered 404 when asked for this chip's certificate", Assert.Single((await helper.RunAsync()).Faults));
        helper.Want(new WantedCollateral { Snp = Helper.SnpWant });
        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.Equal(Helper.SnpWant, helper.Snp!.For);
    }

    [Fact]
    public async Task What_can_change_is_asked_for_twice_a_day_and_certificates_are_not()
    {
        await using var helper = await Helper.StartAsync(new WantedCollateral { Snp = Helper.SnpWant, Tdx = Helper.TdxWant });
        await helper.RunAsync();
        helper.Asked();
        helper.Time.Advance(TimeSpan.FromHours(11));
        await helper.RunAsync();
        Assert.Empty(helper.Asked());
        helper.Time.Advance(TimeSpan.FromHours(2));
        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.Equal([List, Tcb, "/tdx/certification/v4/qe/identity?update=standard", "/sgx/certification/v4/pckcrl?ca=platform&encoding=der", "/IntelSGXRootCA.der"], helper.Asked());
    }

    [Fact]
    public async Task An_outage_is_bridged_until_something_expires_and_then_the_last_set_stays()
    {
        await using var helper = await Helper.StartAsync(new WantedCollateral { Tdx = Helper.TdxWant });
        await helper.RunAsync();
        byte[] set = helper.Tdx!.ToBytes();
        helper.Makers.Things.Clear();

        helper.Time.Advance(TimeSpan.FromDays(20));
        var bridged = await helper.RunAsync();
        Assert.True(bridged.IsWhole, string.Join(' ', bridged.Faults));
        Assert.Contains("counts until", Assert.Single(bridged.Faults));

        helper.Time.Advance(TimeSpan.FromDays(20));
        var expired = await helper.RunAsync();
        Assert.False(expired.IsWhole);
        Assert.DoesNotContain("counts until", Assert.Single(expired.Faults));
        Assert.Equal(set, helper.Tdx!.ToBytes());

        // A maker that is back with a newer one, which is another day's.
        using var later = new TdxAuthority(helper.Time.GetUtcNow());
        helper.Makers.ServeIntel(later);
        helper.Time.Advance(TimeSpan.FromHours(2));
        Assert.Empty((await helper.RunAsync()).Faults);
        Assert.NotEqual(set, helper.Tdx!.ToBytes());
    }

    [Fact]
    public async Task Answers_that_do_not_belong_together_are_all_forgotten()
    {
        await using var helper = await Helper.StartAsync(new WantedCollateral { Tdx = Helper.TdxWant });
        using var other = new TdxAuthority(DateTimeOffset.UtcNow);
        helper.Makers.Things["/IntelSGXRootCA.der"] = new Served(other.RootList([]));
        Assert.Contains("does not belong together", Assert.Single((await helper.RunAsync()).Faults));
        Assert.Empty(Directory.GetFiles(helper.Kept.Path));
        helper.Makers.ServeIntel(Helper.Intel);
        helper.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.True((await helper.RunAsync()).IsWhole);
    }

    [Fact]
    public async Task A_kept_answer_that_is_damaged_is_fetched_again()
    {
        await using var helper = await Helper.StartAsync();
        await helper.RunAsync();
        helper.Asked();
        foreach (string file in Directory.GetFiles(helper.Kept.Path))
        {
            await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file, Patience))[..100], Patience);
        }
        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.Equal(3, helper.Asked().Length);
    }

    /// <summary>Killed at any moment: drafts lie about, and nothing else is other than after a round.</summary>
    [Fact]
    public async Task What_a_kill_left_behind_is_in_nobodys_way()
    {
        await using var helper = await Helper.StartAsync();
        await helper.RunAsync();
        byte[] set = helper.Snp!.ToBytes();
        foreach (var folder in new[] { helper.Endorsements, helper.Kept })
        {
            foreach (string file in Directory.GetFiles(folder.Path))
            {
                await File.WriteAllTextAsync(Path.Combine(folder.Path, $".{Path.GetFileName(file)}.new"), "{\"for", Patience);
            }
        }
        await File.WriteAllTextAsync(Path.Combine(helper.Endorsements.Path, SnpSet.FileName), new string('x', 2 * set.Length), Patience);
        helper.Time.Advance(TimeSpan.FromHours(13));
        Assert.True((await helper.Restart().RunAsync(Patience)).IsWhole);
        Assert.Equal(set, helper.Snp!.ToBytes());
        Assert.Single(Directory.GetFiles(helper.Endorsements.Path));
    }

    [Fact]
    public async Task An_enclave_that_says_nothing_or_nonsense_is_one_sentence()
    {
        await using var helper = await Helper.StartAsync();
        helper.Requests.Replace(WantedCollateral.FileName, "{}{}"u8);
        Assert.Contains("not what an enclave writes", Assert.Single((await helper.RunAsync()).Faults));
        File.Delete(Path.Combine(helper.Requests.Path, WantedCollateral.FileName));
        Assert.Contains("has not said yet", Assert.Single((await helper.RunAsync()).Faults));
        File.CreateSymbolicLink(Path.Combine(helper.Requests.Path, WantedCollateral.FileName), "/etc/hostname");
        Assert.Contains("is a link", Assert.Single((await helper.RunAsync()).Faults));
        Assert.Empty(helper.Asked());
    }

    private static (string, string) Signers => ("TCB-Info-Issuer-Chain", Uri.EscapeDataString(Encoding.ASCII.GetString(Helper.Intel.Issuers())));

    private static async Task Answer(HttpContext context, int status, byte[] content, params (string Name, string Value)[] headers)
    {
        context.Response.StatusCode = status;
        foreach (var (name, value) in headers)
        {
            context.Response.Headers[name] = value;
        }
        await context.Response.Body.WriteAsync(content);
    }

    private static CancellationToken Patience => TestContext.Current.CancellationToken;
}
