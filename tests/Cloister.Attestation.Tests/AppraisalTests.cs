using System.Collections.Immutable;
using System.Text;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

public class AppraisalTests
{
    private static AttestationResult Appraise(byte[] bundle, AppraisalPolicy? policy = null, TimeSpan later = default) =>
        Appraisal.Appraise(bundle, policy ?? Machine.Policy, Machine.Now + later);

    private static IEnumerable<string> NamesOf(params string[] platforms) =>
        CheckCatalogue.All.Select(check => check.Name).Where(name => name != nameof(BundleCheck.Session) && (!name.Contains('.', StringComparison.Ordinal) || platforms.Contains(name.Split('.')[0])));

    [Fact]
    public void A_bundle_as_it_should_be_passes_every_check()
    {
        var result = Appraise(Machine.Bundle());
        Assert.Empty(Machine.Failures(result));
        Assert.Equal(NamesOf("Snp"), result.Checks.Select(check => check.Name));
        Assert.All(result.Checks, check => Assert.Equal(check.Name == nameof(BundleCheck.Published) ? Verdict.Waived : Verdict.Passed, check.Verdict));
        Assert.True(result.IsSimulated);
        Assert.Equal("AMD SEV-SNP", result.Machine);
        Assert.True(result.TryAccept(out var enclave));
        Assert.Equal(Machine.ChannelKey.PublicKey, enclave.ChannelKey);
    }

    /// <summary>One valid bundle, one thing spoiled: that check fails, and nothing else does.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<AttestationResult> appraise)
    {
        var result = appraise();
        Assert.Equal([name], Machine.Failures(result));
        Assert.False(result.TryAccept(out _));
    }

    /// <summary>In a page the browser checks the signatures: the verdicts are the same.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public async Task Verdicts_are_the_same_where_somebody_else_checks_the_signatures(string name, Func<AttestationResult> appraise)
    {
        Assert.Equal([name], Machine.Failures(await new PlatformChecker().RunAsync(appraise)));
        Assert.Equal([name], Machine.Failures(await new PlatformChecker(_ => null).RunAsync(appraise)));
    }

    [Fact]
    public async Task Each_signature_of_a_bundle_is_asked_about_and_each_answer_counts()
    {
        byte[] bundle = Machine.Bundle();
        var checker = new PlatformChecker();
        Assert.Empty(Machine.Failures(await checker.RunAsync(() => Appraise(bundle))));
        Assert.Equal(5, checker.Asked.Count); // root, intermediate, chip, list, report

        for (int refused = 0; refused < 5; refused++)
        {
            int asked = 0;
            Assert.NotEmpty(Machine.Failures(await new PlatformChecker(genuine => genuine && Interlocked.Increment(ref asked) != refused + 1).RunAsync(() => Appraise(bundle))));
        }
    }

    [Fact]
    public void Every_check_is_seen_to_fail()
    {
        // Each of these has a test of its own, below or with the TPM: with it more than itself fails.
        BundleCheck[] first = [BundleCheck.BundleForm, BundleCheck.StatementForm, BundleCheck.EvidenceForm, BundleCheck.Machine, BundleCheck.Companions, BundleCheck.Confidential];
        Assert.Empty(Enum.GetValues<BundleCheck>().Except(first).Select(check => $"{check}").Except(SpoiledCases().Select(one => one.Name)));
    }

    public static TheoryData<string, Func<AttestationResult>> Spoiled
    {
        get
        {
            var data = new TheoryData<string, Func<AttestationResult>>();
            foreach (var (name, appraise) in SpoiledCases())
            {
                data.Add(name, appraise);
            }
            return data;
        }
    }

    private static IEnumerable<(string Name, Func<AttestationResult> Appraise)> SpoiledCases()
    {
        (string, Func<AttestationResult>) Statement(BundleCheck name, EnclaveStatement statement) => ($"{name}", () => Appraise(Machine.Bundle(statement)));
        (string, Func<AttestationResult>) Policy(BundleCheck name, AppraisalPolicy policy) => ($"{name}", () => Appraise(Machine.Bundle(), policy));

        return
        [
            Policy(BundleCheck.PolicyCurrent, Machine.Policy with { NotAfter = EnclaveStatement.FormatTime(Machine.Now - TimeSpan.FromSeconds(1)) }),
            Statement(BundleCheck.StatementVersion, Machine.Statement with { Version = 2 }),
            Statement(BundleCheck.StatementRole, Machine.Statement with { Role = "tools" }),
            Statement(BundleCheck.StatementValidity, Machine.Statement with { ExpiresAt = EnclaveStatement.FormatTime(Machine.Now + TimeSpan.FromHours(2)) }),
            Statement(BundleCheck.StatementValidity, Machine.Statement with { IssuedAt = EnclaveStatement.FormatTime(Machine.Now + TimeSpan.FromMinutes(10)) }),
            Statement(BundleCheck.StatementValidity, Machine.Statement with { IssuedAt = EnclaveStatement.FormatTime(Machine.Now - TimeSpan.FromMinutes(10)), ExpiresAt = EnclaveStatement.FormatTime(Machine.Now) }),
            ($"{BundleCheck.StatementAge}", () => Appraise(Machine.Bundle(), Machine.Policy with { MaximumAgeSeconds = 60 }, TimeSpan.FromSeconds(61))),
            ($"{BundleCheck.Simulation}", () => Appraise(Machine.Bundle(), Machine.Policy with { Profile = AppraisalProfile.Strict })),
            Statement(BundleCheck.Node, Machine.Statement with { Node = new string('0', 128) }),
            Policy(BundleCheck.Fleet, Machine.Policy with { Fleet = [new string('0', 128)] }),
            Policy(BundleCheck.Fleet, Machine.Policy with { Fleet = [] }),
            Statement(BundleCheck.ShapingFloor, Machine.Statement with { Config = Machine.Statement.Config with { ShapingFloor = ShapingFloor.None } }),
            Statement(BundleCheck.GpuBinding, Machine.Statement with { GpuEvidence = new string('0', 64) }),
            Policy(BundleCheck.Published, Machine.Policy with { Waivers = ImmutableDictionary<string, string>.Empty }),
            Policy(BundleCheck.Models, Machine.Policy with { Models = [new ServedModel { Name = "wanted" }] }),
            ($"{BundleCheck.Session}", () => Session(Machine.Session with { StatementHash = new byte[32] }, Machine.Session with { StatementHash = new byte[32] })),
            .. SnpSpoiled(),
        ];
    }

    // How a platform's own checks show among those of the bundle; each of them by itself is in the platform's tests.
    private static IEnumerable<(string, Func<AttestationResult>)> SnpSpoiled() =>
    [
        ("Snp.ReportData", () => Appraise(Machine.Bundle(spoil: report => report with { ReportData = new byte[64] }))),
        ("Snp.Measurement", () => Appraise(Machine.Bundle(), Machine.Policy with { Snp = Machine.Policy.Snp! with { Measurements = [] } })),
        ("Snp.TcbFloor", () => Appraise(Machine.Bundle(), Machine.Policy with { Snp = Machine.Policy.Snp! with { TcbFloors = [Machine.Policy.Snp!.TcbFloors[0] with { Microcode = 0x1c }] } })),
        ("Snp.Mitigations", () => Appraise(Machine.Bundle(), Machine.Policy with { Snp = Machine.Policy.Snp! with { Mitigations = 1 } })),
        ("Snp.GuestDemands", () => Appraise(Machine.Bundle(), Machine.Policy with { Snp = Machine.Policy.Snp! with { GuestDemands = 1 << 24 } })),
        ("Snp.Abi", () => Appraise(Machine.Bundle(), Machine.Policy with { Snp = Machine.Policy.Snp! with { MinimumAbi = new FirmwareAbi(1, 56) } })),
        ("Snp.Product", () => Appraise(Machine.Bundle(), Machine.Policy with { Snp = Machine.Policy.Snp! with { Roots = [Machine.Policy.Snp!.Roots[0] with { Product = SnpProduct.Turin }] } })),
        ("Snp.HostData", () => Appraise(Machine.Bundle(spoil: report => report with { HostData = Enumerable.Repeat((byte)1, 32).ToArray() }))),
        ("Snp.Debug", () => Appraise(Machine.Bundle(spoil: report => report with { Policy = report.Policy | 1 << 19 }))),
    ];

    [Fact]
    public void What_is_no_bundle_is_refused_with_every_check_failed()
    {
        foreach (string text in (string[])["", "{}", "[]", "{\"version\":1}", "{\"version\":1,\"statement\":\"\",\"evidence\":{}}", "{\"version\":1,\"statement\":\"\",\"evidence\":{\"__cmwc_t\":1}}"])
        {
            var result = Appraise(Encoding.UTF8.GetBytes(text));
            Assert.Equal(NamesOf().Except([nameof(BundleCheck.PolicyCurrent), nameof(BundleCheck.Published)]), Machine.Failures(result));
            Assert.False(result.TryAccept(out _));
        }
    }

    [Theory]
    [InlineData("\"snp\"", "\"gold\"")]
    [InlineData("\"__cmwc_t\"", "\"__cmwc_u\"")]
    [InlineData("sev-snp", "sev-snp\",\"")]
    [InlineData("sev-snp", "sev-snq")]
    [InlineData("\"snp\":[", "\"tdx\":[")]
    [InlineData("\"snp\":[", "\"snp\":[],\"snp\":[")]
    [InlineData("\"snp\":[\"", "\"snp\":[\"\\ud800")]
    [InlineData("\"version\":1", "\"version\":1,\"version\":1")]
    public void An_envelope_that_is_otherwise_is_no_bundle(string what, string by)
    {
        string json = Encoding.UTF8.GetString(Machine.Bundle());
        Assert.Contains(what, json);
        Assert.Contains(nameof(BundleCheck.BundleForm), Machine.Failures(Appraise(Encoding.UTF8.GetBytes(json.Replace(what, by, StringComparison.Ordinal)))));
    }

    [Fact]
    public void A_statement_that_cannot_be_read_is_named()
    {
        var result = Appraise((Machine.Parts() with { Statement = "{}"u8.ToArray() }).ToBytes());
        Assert.Contains(nameof(BundleCheck.StatementForm), Machine.Failures(result));
        Assert.DoesNotContain(nameof(BundleCheck.EvidenceForm), Machine.Failures(result));
    }

    [Fact]
    public void Evidence_that_cannot_be_read_is_named()
    {
        foreach (string json in (string[])["", "{}", "{\"report\":\"\",\"certificates\":[]}", "{\"report\":\"\",\"certificates\":[null,null,null]}"])
        {
            var result = Appraise((Machine.Parts() with { Evidence = [new PlatformEvidence("snp", Encoding.UTF8.GetBytes(json))] }).ToBytes());
            Assert.Contains(nameof(BundleCheck.EvidenceForm), Machine.Failures(result));
            Assert.Contains("Snp.Signature", Machine.Failures(result));
        }
    }

    [Fact]
    public void There_is_exactly_one_machine_and_the_policy_names_it()
    {
        string[] none = Machine.Failures(Appraise((Machine.Parts() with { Evidence = [] }).ToBytes()));
        Assert.Contains(nameof(BundleCheck.Machine), none);

        // A second machine beside a good one would vouch for what the first one does not.
        var two = Machine.Parts() with { Evidence = [.. Machine.Parts().Evidence, new PlatformEvidence("tdx", "{}"u8.ToArray())] };
        Assert.Contains(nameof(BundleCheck.Machine), Machine.Failures(Appraise(two.ToBytes())));

        var unnamed = Appraise(Machine.Bundle(), Machine.Policy with { Snp = null });
        Assert.Contains(nameof(BundleCheck.Machine), Machine.Failures(unnamed));
        Assert.False(unnamed.IsAccepted);
    }

    [Fact]
    public void A_waived_check_is_shown_with_its_reason_and_does_not_refuse()
    {
        byte[] bundle = Machine.Bundle(spoil: report => report with { Policy = report.Policy | 1 << 16 });
        var waiving = Machine.Policy with { Waivers = Machine.Policy.Waivers.Add("Snp.Smt", "a test") };
        var result = Appraise(bundle, waiving);
        Assert.True(result.IsAccepted);
        Assert.Equal((Verdict.Waived, "a test"), result.Checks.Where(check => check.Name == "Snp.Smt").Select(check => (check.Verdict, check.Reason)).Single());
    }

    [Fact]
    public void What_proves_something_cannot_be_waived()
    {
        foreach (var check in CheckCatalogue.All.Where(check => !check.IsWaivable))
        {
            var waiving = Machine.Policy with { Waivers = ImmutableDictionary<string, string>.Empty.Add(check.Name, "please") };
            Assert.False(AppraisalPolicy.TryParse(waiving.ToBytes(), out _, out string? fault));
            Assert.Contains(check.Name, fault);
        }
        Assert.False(AppraisalPolicy.TryParse((Machine.Policy with { Waivers = ImmutableDictionary<string, string>.Empty.Add("Everything", "please") }).ToBytes(), out _, out _));

        var debug = Machine.Policy with { Waivers = ImmutableDictionary<string, string>.Empty.Add("Snp.Debug", "please") };
        Assert.False(Appraise(Machine.Bundle(spoil: report => report with { Policy = report.Policy | 1 << 19 }), debug).IsAccepted);
    }

    [Fact]
    public void Simulated_evidence_is_for_the_development_profile_only()
    {
        var strict = AppraisalPolicy.Strict(Machine.Policy.Snp!.Measurements, Machine.Policy.Fleet) with { Waivers = Machine.Policy.Waivers };
        Assert.Contains("Snp.RootTrust", Machine.Failures(Appraise(Machine.Bundle(), strict)));

        var smuggled = strict with { Snp = Machine.Policy.Snp };
        Assert.Equal([nameof(BundleCheck.Simulation)], Machine.Failures(Appraise(Machine.Bundle(), smuggled)));
        Assert.False(AppraisalPolicy.TryParse(smuggled.ToBytes(), out _, out _));
    }

    [Fact]
    public void A_chain_of_another_authority_is_refused()
    {
        using var other = DevelopmentAuthority.Create(Machine.Now);
        var result = Appraise(SimulatedEnclave.Bundle(other, Machine.ChannelKey.PublicKey, Machine.Now).ToBytes());
        Assert.Contains("Snp.RootTrust", Machine.Failures(result));

        // Our root at the end of another's chain.
        string foreign = other.Attest(new SimulatedReport { ReportData = new byte[64], Measurement = new byte[48] }).Certificates[1];
        byte[] mixed = Machine.With(Machine.Parts(), evidence => evidence with { Certificates = evidence.Certificates.SetItem(1, foreign) });
        Assert.Contains("Snp.IntermediateTrust", Machine.Failures(Appraise(mixed)));
        Assert.Contains("Snp.Chain", Machine.Failures(Appraise(mixed)));
    }

    [Fact]
    public void The_revocation_list_must_be_there_unless_waived_and_must_be_right()
    {
        byte[] without = Machine.With(Machine.Parts(), evidence => evidence with { RevocationList = null });
        Assert.Equal(["Snp.RevocationList"], Machine.Failures(Appraise(without)));

        var waiving = Machine.Policy with { Waivers = Machine.Policy.Waivers.Add("Snp.RevocationList", "a test") };
        Assert.True(Appraise(without, waiving).IsAccepted);

        byte[] spoiled = Convert.FromBase64String(Machine.Snp(Machine.Parts()).RevocationList!);
        spoiled[^1] ^= 1;
        byte[] wrong = Machine.With(Machine.Parts(), evidence => evidence with { RevocationList = Base64.Encode(spoiled) });
        Assert.Equal(["Snp.Revocation"], Machine.Failures(Appraise(wrong, waiving)));
    }

    [Fact]
    public void A_session_is_proved_by_evidence_that_is_bound_to_it()
    {
        var result = Session(Machine.Session, Machine.Session);
        Assert.Empty(Machine.Failures(result));
        Assert.Contains(result.Checks, check => check.Name == nameof(BundleCheck.Session));

        Assert.Equal(["Snp.ReportData"], Machine.Failures(Session(Machine.Session, Machine.Session with { Nonce = new byte[32] })));
        Assert.Equal(["Snp.ReportData"], Machine.Failures(Session(Machine.Session, Machine.Session with { HandshakeHash = new byte[32] })));

        // Neither does the bundle of the directory prove a session, nor a session's evidence a bundle.
        Assert.Equal(["Snp.ReportData"], Machine.Failures(Appraisal.AppraiseSession(Machine.Bundle(), Machine.Session, Machine.Policy, Machine.Now)));
        Assert.Equal(["Snp.ReportData"], Machine.Failures(Appraise(Machine.Bundle(spoil: report => report with { ReportData = Machine.Session.ReportData() }))));
    }

    private static AttestationResult Session(SessionBinding attested, SessionBinding asked) =>
        Appraisal.AppraiseSession(Machine.Bundle(spoil: report => report with { ReportData = attested.ReportData() }), asked, Machine.Policy, Machine.Now);

    [Fact]
    public void A_flipped_bit_anywhere_in_the_report_is_refused()
    {
        // Seven and eight have no common factor: each byte is met, and each place of a bit within a byte.
        byte[] good = Convert.FromBase64String(Machine.Snp(Machine.Parts()).Report);
        for (int bit = 0; bit < SnpReport.Size * 8; bit += 7)
        {
            byte[] report = [.. good];
            report[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.False(Appraise(Machine.With(Machine.Parts(), evidence => evidence with { Report = Base64.Encode(report) })).IsAccepted, $"bit {bit} of the report");
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_the_bundle_is_refused_or_changes_nothing()
    {
        byte[] good = Machine.Bundle();
        for (int at = 0; at < good.Length; at++)
        {
            byte[] flipped = [.. good];
            flipped[at] ^= (byte)(1 << at % 7);
            Assert.False(Appraise(flipped).IsAccepted && !SaysTheSame(flipped, good), $"byte {at} of the bundle");
        }
    }

    // JSON writes '+' as \u002B or \u002b: two texts, one value.
    private static bool SaysTheSame(byte[] one, byte[] other) =>
        EnclaveBundle.TryParse(one, out var left) && EnclaveBundle.TryParse(other, out var right) && left.Statement.Span.SequenceEqual(right.Statement.Span)
        && Machine.With(left, evidence => evidence).AsSpan().SequenceEqual(Machine.With(right, evidence => evidence));

    [Fact]
    public void A_policy_survives_being_written_and_read()
    {
        foreach (var policy in new[] { Machine.Policy, AppraisalPolicy.Base(Machine.Policy.Snp!.Measurements), AppraisalPolicy.Strict([]) })
        {
            Assert.True(AppraisalPolicy.TryParse(policy.ToBytes(), out var read, out string? fault), fault);
            Assert.Equal(policy.ToBytes(), read.ToBytes());
        }
        Assert.False(AppraisalPolicy.TryParse("{\"profile\":\"Strict\",\"extra\":1}"u8, out _, out _));
    }

    public static TheoryData<string, string> SpoiledPolicies => new()
    {
        { "\"maximum_age_seconds\":3600", "\"maximum_age_seconds\":3601" },
        { "\"maximum_age_seconds\":3600", "\"maximum_age_seconds\":0" },
        { "\"not_after\":\"2", "\"not_after\":\"x2" },
        { "\"fleet\":[]", "\"fleet\":[\"0G\"]" },
        { "\"fleet\":[]", "\"fleet\":[null]" },
        { "\"fleet\":[]", "\"fleet\":null" },
        { "\"roots\":[{", "\"roots\":[null,{" },
        { "\"measurements\":[]", "\"measurements\":[\"00\"]" },
        { "\"builds\":[]", "\"builds\":[null]" },
        { "\"builds\":[]", "\"builds\":[{\"mrtd\":\"00\",\"rtmrs\":[]}]" },
        { "\"accepted_statuses\":[\"UpToDate\"]", "\"accepted_statuses\":[\"Revoked\"]" },
        { "\"tcb_floors\":[{", "\"tcb_floors\":[null,{" },
    };

    [Theory, MemberData(nameof(SpoiledPolicies))]
    public void A_policy_that_is_not_well_formed_is_refused_in_a_sentence(string what, string by)
    {
        string json = Encoding.UTF8.GetString(AppraisalPolicy.Strict([]).ToBytes());
        Assert.Contains(what, json);
        Assert.False(AppraisalPolicy.TryParse(Encoding.UTF8.GetBytes(json.Replace(what, by, StringComparison.Ordinal)), out _, out string? fault));
        Assert.EndsWith(".", fault);
    }

    [Fact]
    public void Every_check_has_its_words()
    {
        Assert.All(CheckCatalogue.All, check =>
        {
            Assert.NotEqual("", check.Text.PassesIf);
            Assert.False(check.Text.PassesIf.EndsWith('.'));
            Assert.EndsWith(".", check.Text.Failure);
            Assert.EndsWith(".", check.Text.Mend);
        });
        Assert.Equal(CheckCatalogue.All.Length, CheckCatalogue.All.Select(check => check.Name).Distinct().Count());
    }
}
