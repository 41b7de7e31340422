using System.Collections.Immutable;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Transparency;

namespace Cloister.Attestation.Tests;

/// <summary>Whole bundles with a TPM: behind a confidential machine that carries its key, beside one, and alone.</summary>
public class TpmAppraisalTests
{
    private static readonly TpmAuthority Tpm = new(Machine.Now);
    private static readonly TpmParts Parts = new();

    private static readonly TpmMachines Machines = new()
    {
        Trust = TpmTrust.HardwareBound,
        Roots = [Tpm.Root],
        PurposeRequired = true,
        Names = [Tpm.Name(Parts)],
        StandsAlone = false,
        Registers = [0, 4, 7],
        Builds = [new TpmReference("this one", [.. TpmAuthority.Registers(TpmAuthority.Log(), TpmHash.Sha256).Select(one => new Pcr(one.Key, Convert.ToHexStringLower(one.Value)))])],
        EventLog = Tpm.Policy().EventLog,
        MinimumRsaBits = 2048,
        MinimumFirmwareVersion = 1,
    };

    private static readonly AppraisalPolicy Bound = Machine.Policy with { Tpm = Machines };
    private static readonly AppraisalPolicy Beside = Machine.Policy with { Tpm = Machines with { Trust = TpmTrust.Certified } };
    private static readonly AppraisalPolicy Alone = AppraisalPolicy.Strict([], Tpm.Name(Parts)) with
    {
        Waivers = Machine.Policy.Waivers.Add(nameof(BundleCheck.Confidential), "one's own machine"),
        Tpm = Machines with { Trust = TpmTrust.Pinned, StandsAlone = true },
    };

    // The processor's report carries the statement's hash, or that of the paravisor's claims; the TPM quotes for the statement.
    private static byte[] Bundle(bool carried, EnclaveStatement? statement = null, TpmParts? parts = null, byte[]? quotedFor = null, bool machine = true)
    {
        byte[] bytes = (statement ?? Machine.Statement).ToBytes();
        byte[] reportData = EnclaveStatement.ReportData(bytes);
        var quote = Tpm.Evidence((parts ?? Parts) with { ExtraData = TpmQuote.ExtraDataOf(quotedFor ?? reportData) }) with { HclReport = Tpm.Hcl() };
        var report = new SimulatedReport { ReportData = carried ? Tpm.HardwareReportData() : reportData, Measurement = SimulatedEnclave.Measurement };
        ImmutableArray<PlatformEvidence> evidence = [TpmPart.Of(quote).ToPlatformEvidence()];
        return new EnclaveBundle(bytes, machine ? [Machine.Authority.Attest(report).ToPlatformEvidence(), .. evidence] : evidence).ToBytes();
    }

    private static string[] Failed(byte[] bundle, AppraisalPolicy policy) => Machine.Failures(Appraisal.Appraise(bundle, policy, Machine.Now));

    [Fact]
    public void A_machine_whose_report_carries_the_TPMs_key_is_accepted()
    {
        var result = Appraisal.Appraise(Bundle(carried: true), Bound, Machine.Now);
        Assert.Empty(Machine.Failures(result));
        Assert.Equal("AMD SEV-SNP", result.Machine);
        Assert.True(result.TryAccept(out _));
    }

    [Fact]
    public void Each_link_of_that_chain_is_needed()
    {
        // The report carries the statement: nothing vouches for the TPM's key.
        Assert.Contains("Snp.ReportData", Failed(Bundle(carried: false), Bound));

        // The quote is for another statement: nothing vouches for this one.
        Assert.Equal(["Tpm.ExtraData"], Failed(Bundle(carried: true, quotedFor: new byte[64]), Bound));

        // The claims name another key than the one that quotes.
        Assert.Equal(["Tpm.HardwareReportKey"], Failed(Bundle(carried: true, parts: Parts with { Scheme = TpmScheme.Ecdsa }), Bound));

        // A policy that trusts the key for another reason lets nothing stand between report and statement.
        Assert.Contains("Snp.ReportData", Failed(Bundle(carried: true), Beside));
    }

    [Fact]
    public void A_TPM_beside_a_machine_is_accepted_by_its_certificate()
    {
        Assert.Empty(Failed(Bundle(carried: false), Beside));
        Assert.Contains("Tpm.CertificateRoot", Failed(Bundle(carried: false), Beside with { Tpm = Beside.Tpm! with { Roots = [new string('0', 64)] } }));
        Assert.Contains(nameof(BundleCheck.Companions), Failed(Bundle(carried: false), Machine.Policy));
        Assert.Contains(nameof(BundleCheck.Companions), Failed(Machine.Bundle(), Beside));
    }

    [Fact]
    public void A_TPM_stands_alone_only_where_the_policy_says_so_and_why()
    {
        byte[] bundle = Bundle(carried: false, Machine.Statement with { Node = Tpm.Name(Parts) }, machine: false);
        var result = Appraisal.Appraise(bundle, Alone, Machine.Now);
        Assert.Empty(Machine.Failures(result));
        Assert.Equal("TPM 2.0", result.Machine);
        Assert.Contains(result.Checks, check => check is { Name: nameof(BundleCheck.Confidential), Verdict: Verdict.Waived });

        Assert.Equal([nameof(BundleCheck.Confidential)], Failed(bundle, Alone with { Waivers = Machine.Policy.Waivers }));
        Assert.Contains(nameof(BundleCheck.Machine), Failed(bundle, Alone with { Tpm = Alone.Tpm! with { StandsAlone = false } }));
        Assert.Equal([nameof(BundleCheck.Node)], Failed(Bundle(carried: false, Machine.Statement, machine: false), Alone));
        Assert.Equal(["Tpm.PinnedKey"], Failed(bundle, Alone with { Tpm = Alone.Tpm! with { Names = [new string('0', 68)] } }));
    }

    [Fact]
    public void Each_demand_changes_a_verdict()
    {
        (string Name, Func<TpmMachines, TpmMachines> Change)[] demands =
        [
            ("Tpm.AcceptedBuild", machines => machines with { Builds = [] }),
            ("Tpm.RegisterSelection", machines => machines with { Registers = [0, 4, 7, 11] }),
            ("Tpm.EventLogRules", machines => machines with { EventLog = machines.EventLog with { Rules = [new EventRule("absent", 4, EventDemand.Present, [new string('0', 64)])] } }),
            ("Tpm.KeySize", machines => machines with { MinimumRsaBits = 4096 }),
            ("Tpm.FirmwareVersion", machines => machines with { MinimumFirmwareVersion = ulong.MaxValue }),
        ];
        Assert.All(demands, demand => Assert.Contains(demand.Name, Failed(Bundle(carried: true), Bound with { Tpm = demand.Change(Machines) })));
    }

    [Fact]
    public void A_policy_for_TPMs_survives_being_written_and_read()
    {
        foreach (var policy in new[] { Bound, Beside, Alone })
        {
            Assert.True(AppraisalPolicy.TryParse(policy.ToBytes(), out var read, out string? fault), fault);
            Assert.Equal(policy.ToBytes(), read.ToBytes());
        }
        Func<TpmMachines, TpmMachines>[] wrong =
        [
            machines => machines with { Trust = TpmTrust.None }, machines => machines with { StandsAlone = true }, machines => machines with { Registers = [] }, machines => machines with { Registers = [24] },
            machines => machines with { Trust = TpmTrust.Pinned, Names = [] }, machines => machines with { Trust = TpmTrust.Certified, Roots = [] }, machines => machines with { Builds = [new TpmReference("none", [])] },
            machines => machines with { Names = ["00"] },
        ];
        Assert.All(wrong, change => Assert.False(AppraisalPolicy.TryParse((Bound with { Tpm = change(Machines) }).ToBytes(), out _, out _)));
    }

    [Fact]
    public void Evidence_that_cannot_be_read_is_named()
    {
        var parts = Machine.Parts();
        byte[] bundle = (parts with { Evidence = [.. parts.Evidence, (TpmPart.Of(Tpm.Evidence()) with { Quote = "?" }).ToPlatformEvidence()] }).ToBytes();
        Assert.Contains(nameof(BundleCheck.EvidenceForm), Failed(bundle, Beside));
    }
}
