using System.Collections.Immutable;
using Cloister.Simulation;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

public class AppraisalTests
{
    private static AttestationResult Appraise(byte[] bundle, AppraisalPolicy? policy = null, TimeSpan later = default) =>
        Appraisal.Appraise(bundle, policy ?? Machine.Policy, Machine.Now + later);

    [Fact]
    public void A_bundle_as_it_should_be_passes_every_check()
    {
        var result = Appraise(Machine.Bundle());
        Assert.Empty(Machine.Failures(result));
        Assert.Equal(Enum.GetValues<CheckName>(), result.Checks.Select(check => check.Name));
        Assert.All(result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.True(result.IsSimulated);
        Assert.True(result.TryAccept(out var enclave));
        Assert.Equal(Machine.ChannelKey.PublicKey, enclave.ChannelKey);
    }

    /// <summary>One valid bundle, one thing spoiled: that check fails, and nothing else does.</summary>
    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<AttestationResult> appraise)
    {
        var result = appraise();
        Assert.Equal([Enum.Parse<CheckName>(name)], Machine.Failures(result));
        Assert.False(result.TryAccept(out _));
    }

    [Fact]
    public void Every_check_is_seen_to_fail()
    {
        var seen = SpoiledCases().Select(one => one.Name).Concat([CheckName.BundleForm, CheckName.StatementForm, CheckName.EvidenceForm, CheckName.ReportForm, CheckName.Root, CheckName.Simulation, CheckName.CertificateChain, CheckName.Revocation]);
        Assert.Empty(Enum.GetValues<CheckName>().Except(seen));
    }

    public static TheoryData<string, Func<AttestationResult>> Spoiled
    {
        get
        {
            var data = new TheoryData<string, Func<AttestationResult>>();
            foreach (var (name, appraise) in SpoiledCases())
            {
                data.Add($"{name}", appraise);
            }
            return data;
        }
    }

    private static IEnumerable<(CheckName Name, Func<AttestationResult> Appraise)> SpoiledCases()
    {
        (CheckName, Func<AttestationResult>) Report(CheckName name, Func<SimulatedReport, SimulatedReport> spoil) => (name, () => Appraise(Machine.Bundle(spoil: spoil)));
        (CheckName, Func<AttestationResult>) Statement(CheckName name, EnclaveStatement statement) => (name, () => Appraise(Machine.Bundle(statement)));
        (CheckName, Func<AttestationResult>) Policy(CheckName name, AppraisalPolicy policy) => (name, () => Appraise(Machine.Bundle(), policy));
        var good = SimulatedReport.Tcb;
        ulong newer = SimulatedReport.Encode(good with { Snp = 28 });

        return
        [
            Statement(CheckName.StatementVersion, Machine.Statement with { Version = 2 }),
            Statement(CheckName.StatementRole, Machine.Statement with { Role = "tools" }),
            Statement(CheckName.StatementValidity, Machine.Statement with { ExpiresAt = EnclaveStatement.FormatTime(Machine.Now + TimeSpan.FromHours(2)) }),
            Statement(CheckName.StatementValidity, Machine.Statement with { IssuedAt = EnclaveStatement.FormatTime(Machine.Now + TimeSpan.FromMinutes(10)) }),
            Statement(CheckName.StatementValidity, Machine.Statement with { IssuedAt = EnclaveStatement.FormatTime(Machine.Now - TimeSpan.FromMinutes(10)), ExpiresAt = EnclaveStatement.FormatTime(Machine.Now) }),
            (CheckName.StatementAge, () => Appraise(Machine.Bundle(), Machine.Policy with { MaximumAgeSeconds = 60 }, TimeSpan.FromSeconds(61))),
            Statement(CheckName.Node, Machine.Statement with { Node = new string('0', 128) }),
            Statement(CheckName.ShapingFloor, Machine.Statement with { Config = Machine.Statement.Config with { ShapingFloor = ShapingFloor.None } }),
            Policy(CheckName.Models, Machine.Policy with { Models = [new ServedModel { Name = "wanted" }] }),
            (CheckName.CertificateValidity, () => BeforeTheCertificates()),
            Report(CheckName.SignerKey, report => report with { Signer = 2 }),
            (CheckName.ReportSignature, () => Appraise(WithReport(report => { report[SnpReport.SignedSize] ^= 1; return report; }))),
            Report(CheckName.StatementBinding, report => report with { ReportData = new byte[64] }),
            Report(CheckName.EndorsedTcb, report => report with { ReportedTcb = SimulatedReport.Encode(good with { Snp = 26 }) }),
            (CheckName.EndorsedChip, () => OtherChip()),
            Report(CheckName.Product, report => report with { Model = 0x50 }),
            Policy(CheckName.TcbFloor, Machine.Policy with { TcbFloors = [Machine.Policy.TcbFloors[0] with { Microcode = 0x1c }] }),
            Report(CheckName.TcbOrder, report => report with { LaunchTcb = newer }),
            Policy(CheckName.Mitigations, Machine.Policy with { Mitigations = 1 }),
            Report(CheckName.GuestDebug, report => report with { Policy = report.Policy | 1 << 19 }),
            Report(CheckName.GuestMigration, report => report with { Policy = report.Policy | 1 << 18 }),
            Report(CheckName.GuestSmt, report => report with { Policy = report.Policy | 1 << 16 }),
            Report(CheckName.GuestCxl, report => report with { Policy = report.Policy | 1 << 21 }),
            Report(CheckName.GuestAbi, report => report with { Policy = report.Policy - 1 }),
            Report(CheckName.GuestPolicyReserved, report => report with { Policy = report.Policy | 1UL << 40 }),
            Report(CheckName.GuestPolicyReserved, report => report with { Policy = report.Policy & ~(1UL << 17) }),
            Report(CheckName.PlatformEcc, report => report with { PlatformInfo = report.PlatformInfo & ~(1UL << 2) }),
            Report(CheckName.PlatformRapl, report => report with { PlatformInfo = report.PlatformInfo & ~(1UL << 3) }),
            Report(CheckName.PlatformCiphertextHiding, report => report with { PlatformInfo = report.PlatformInfo & ~(1UL << 4) }),
            Report(CheckName.PlatformAliasCheck, report => report with { PlatformInfo = report.PlatformInfo & ~(1UL << 5) }),
            Report(CheckName.PlatformReserved, report => report with { PlatformInfo = report.PlatformInfo | 1 << 6 }),
            Report(CheckName.Vmpl, report => report with { Vmpl = 1 }),
            Report(CheckName.Measurement, report => report with { Measurement = new byte[48] }),
            Report(CheckName.HostData, report => report with { HostData = Enumerable.Repeat((byte)1, 32).ToArray() }),
            Report(CheckName.IdKey, report => report with { IdKeyDigest = Enumerable.Repeat((byte)1, 48).ToArray() }),
            Report(CheckName.AuthorKey, report => report with { AuthorKeyDigest = Enumerable.Repeat((byte)1, 48).ToArray() }),
        ];
    }

    [Fact]
    public void A_waived_check_is_shown_with_its_reason_and_does_not_refuse()
    {
        byte[] bundle = Machine.Bundle(spoil: report => report with { Policy = report.Policy | 1 << 16 });
        var waiving = Machine.Policy with { Waivers = Machine.Policy.Waivers.Add(CheckName.GuestSmt, "a test") };
        var result = Appraise(bundle, waiving);
        Assert.True(result.IsAccepted);
        Assert.Equal((Verdict.Waived, "a test"), result.Checks.Where(check => check.Name is CheckName.GuestSmt).Select(check => (check.Verdict, check.Reason)).Single());
    }

    [Fact]
    public void What_proves_something_cannot_be_waived()
    {
        foreach (var name in AppraisalPolicy.Unwaivable)
        {
            var waiving = Machine.Policy with { Waivers = ImmutableDictionary<CheckName, string>.Empty.Add(name, "please") };
            Assert.False(AppraisalPolicy.TryParse(waiving.ToBytes(), out _, out string? fault));
            Assert.Contains($"{name}", fault);
        }
        var debug = Machine.Policy with { Waivers = ImmutableDictionary<CheckName, string>.Empty.Add(CheckName.GuestDebug, "please") };
        Assert.False(Appraise(Machine.Bundle(spoil: report => report with { Policy = report.Policy | 1 << 19 }), debug).IsAccepted);
    }

    [Fact]
    public void Simulated_evidence_is_for_the_development_profile_only()
    {
        var strict = AppraisalPolicy.Strict(Machine.Policy.Measurements);
        Assert.Contains(CheckName.Root, Machine.Failures(Appraise(Machine.Bundle(), strict)));

        var smuggled = strict with { Roots = Machine.Policy.Roots };
        Assert.Equal([CheckName.Simulation], Machine.Failures(Appraise(Machine.Bundle(), smuggled)));
        Assert.False(AppraisalPolicy.TryParse(smuggled.ToBytes(), out _, out _));
    }

    [Fact]
    public void A_chain_of_another_authority_is_refused()
    {
        using var other = DevelopmentAuthority.Create(Machine.Now);
        var result = Appraise(SimulatedEnclave.Bundle(other, Machine.ChannelKey.PublicKey, Machine.Now).ToBytes());
        Assert.Contains(CheckName.Root, Machine.Failures(result));

        // Our root at the end of another's chain.
        Assert.True(EnclaveBundle.TryParse(Machine.Bundle(), out var ours));
        var mixed = ours with { Evidence = ours.Evidence with { Certificates = [ours.Evidence.Certificates[0], other.Attest(new SimulatedReport { ReportData = new byte[64], Measurement = new byte[48] }).Certificates[1], ours.Evidence.Certificates[2]] } };
        Assert.Contains(CheckName.CertificateChain, Machine.Failures(Appraise(mixed.ToBytes())));
    }

    [Fact]
    public void The_revocation_list_must_be_there_unless_waived_and_must_be_right()
    {
        Assert.True(EnclaveBundle.TryParse(Machine.Bundle(), out var bundle));
        byte[] without = (bundle with { Evidence = bundle.Evidence with { RevocationList = null } }).ToBytes();
        Assert.Equal([CheckName.Revocation], Machine.Failures(Appraise(without)));

        var waiving = Machine.Policy with { Waivers = Machine.Policy.Waivers.Add(CheckName.Revocation, "a test") };
        Assert.True(Appraise(without, waiving).IsAccepted);

        byte[] spoiled = Convert.FromBase64String(bundle.Evidence.RevocationList!);
        spoiled[^1] ^= 1;
        byte[] wrong = (bundle with { Evidence = bundle.Evidence with { RevocationList = Base64.Encode(spoiled) } }).ToBytes();
        Assert.Equal([CheckName.Revocation], Machine.Failures(Appraise(wrong, waiving)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"version\":1}")]
    public void What_is_no_bundle_is_refused_with_every_check_failed(string text)
    {
        var result = Appraise(System.Text.Encoding.UTF8.GetBytes(text));
        Assert.Equal(Enum.GetValues<CheckName>(), Machine.Failures(result));
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_the_report_is_refused()
    {
        // Seven and eight have no common factor: each byte is met, and each place of a bit within a byte.
        for (int bit = 0; bit < SnpReport.Size * 8; bit += 7)
        {
            int at = bit;
            var result = Appraise(WithReport(report => { report[at / 8] ^= (byte)(1 << at % 8); return report; }));
            Assert.False(result.IsAccepted, $"bit {bit} of the report");
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
        EnclaveBundle.TryParse(one, out var left) && EnclaveBundle.TryParse(other, out var right) && left.ToBytes().AsSpan().SequenceEqual(right.ToBytes());

    [Fact]
    public void A_policy_survives_being_written_and_read()
    {
        foreach (var policy in new[] { Machine.Policy, AppraisalPolicy.Base(Machine.Policy.Measurements), AppraisalPolicy.Strict([]) })
        {
            Assert.True(AppraisalPolicy.TryParse(policy.ToBytes(), out var read, out _));
            Assert.Equal(policy.ToBytes(), read.ToBytes());
        }
        Assert.False(AppraisalPolicy.TryParse("{\"profile\":\"Strict\",\"extra\":1}"u8, out _, out _));
    }

    // A month before the certificates were made. The list is as young as they are, so it is left out.
    private static AttestationResult BeforeTheCertificates()
    {
        var then = Machine.Now - TimeSpan.FromDays(30);
        var statement = Machine.Statement with { IssuedAt = EnclaveStatement.FormatTime(then), ExpiresAt = EnclaveStatement.FormatTime(then + TimeSpan.FromHours(1)) };
        Assert.True(EnclaveBundle.TryParse(Machine.Bundle(statement), out var bundle));
        byte[] without = (bundle with { Evidence = bundle.Evidence with { RevocationList = null } }).ToBytes();
        return Appraisal.Appraise(without, Machine.Policy with { Waivers = Machine.Policy.Waivers.Add(CheckName.Revocation, "before the list") }, then);
    }

    // The statement names the chip that the report names; the certificate is another's.
    private static AttestationResult OtherChip()
    {
        byte[] other = Enumerable.Repeat((byte)9, 64).ToArray();
        return Appraise(Machine.Bundle(Machine.Statement with { Node = Hex.Encode(other) }, report => report with { ChipId = other }));
    }

    private static byte[] WithReport(Func<byte[], byte[]> spoil)
    {
        Assert.True(EnclaveBundle.TryParse(Machine.Bundle(), out var bundle));
        return (bundle with { Evidence = bundle.Evidence with { Report = Base64.Encode(spoil(Convert.FromBase64String(bundle.Evidence.Report))) } }).ToBytes();
    }
}
