using System.Text;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>A whole bundle whose machine is a Nitro enclave.</summary>
public class NitroAppraisalTests
{
    private static readonly NitroAuthority Aws = new(Machine.Now);

    private static readonly EnclaveStatement Statement = Machine.Statement with { Node = Hex.Encode(Encoding.ASCII.GetBytes(NitroAuthority.Instance)) };

    private static readonly AppraisalPolicy Policy = AppraisalPolicy.Strict([], Statement.Node) with
    {
        Waivers = Machine.Policy.Waivers,
        Nitro = NitroMachines.Strict([NitroAuthority.Build]) with { Roots = [Aws.RootFingerprint] },
    };

    private static byte[] Bundle(EnclaveStatement? statement = null, Func<NitroParts, NitroParts>? spoil = null, byte[]? reportData = null)
    {
        byte[] bytes = (statement ?? Statement).ToBytes();
        var parts = new NitroParts { UserData = reportData ?? EnclaveStatement.ReportData(bytes) };
        return new EnclaveBundle(bytes, [new NitroEvidence { Document = Base64.Encode(Aws.Document(spoil?.Invoke(parts) ?? parts)) }.ToPlatformEvidence()]).ToBytes();
    }

    private static AttestationResult Appraise(byte[] bundle, AppraisalPolicy? policy = null) => Appraisal.Appraise(bundle, policy ?? Policy, Machine.Now);

    private static AppraisalPolicy With(Func<NitroMachines, NitroMachines> change) => Policy with { Nitro = change(Policy.Nitro!) };

    [Fact]
    public void A_Nitro_enclave_as_it_should_be_is_accepted()
    {
        var result = Appraise(Bundle());
        Assert.Empty(Machine.Failures(result));
        Assert.True(result.TryAccept(out _));
        Assert.Equal("AWS Nitro Enclaves", result.Machine);
        Assert.False(result.IsSimulated);
        Assert.DoesNotContain(result.Checks, check => check.Name.StartsWith("Snp.", StringComparison.Ordinal) || check.Name.StartsWith("Tdx.", StringComparison.Ordinal));
        Assert.All(Enum.GetNames<NitroCheck>(), name => Assert.Contains(result.Checks, check => check.Name == $"Nitro.{name}"));
    }

    public static TheoryData<string, Func<AttestationResult>> Spoiled => new()
    {
        { "Nitro.ReportData", () => Appraise(Bundle(spoil: parts => parts with { UserData = new byte[64] })) },
        { "Nitro.Measurement", () => Appraise(Bundle(), With(machines => machines with { Builds = [] })) },
        { "Nitro.ImageSigner", () => Appraise(Bundle(), With(machines => machines with { ImageSigners = [] })) },
        { "Nitro.Root", () => Appraise(Bundle(), With(machines => machines with { Roots = [NitroRoot.Aws] })) },
        { "Nitro.Age", () => Appraise(Bundle(spoil: parts => parts with { Age = TimeSpan.FromMinutes(10) }), Policy with { MaximumAgeSeconds = 599 }) },
        { "Nitro.Nonce", () => Appraise(Bundle(spoil: parts => parts with { Nonce = [1] })) },
        { "Nitro.PublicKey", () => Appraise(Bundle(spoil: parts => parts with { PublicKey = [1] })) },
        { "Nitro.Signature", () => Appraise(Bundle(spoil: parts => parts with { Finished = document => document[^1] ^= 1 })) },
        { nameof(BundleCheck.Node), () => Appraise(Bundle(Statement with { Node = new string('0', 38) })) },
        { nameof(BundleCheck.Fleet), () => Appraise(Bundle(), Policy with { Fleet = [] }) },
    };

    [Theory, MemberData(nameof(Spoiled))]
    public void What_is_spoiled_fails_its_check_and_no_other(string name, Func<AttestationResult> appraise) =>
        Assert.Equal([name], Machine.Failures(appraise()));

    [Fact]
    public void No_profile_names_it()
    {
        Assert.Null(AppraisalPolicy.Strict([]).Nitro);
        Assert.Null(AppraisalPolicy.Base([]).Nitro);
        Assert.Null(Machine.Policy.Nitro);
        Assert.Contains(nameof(BundleCheck.Machine), Machine.Failures(Appraise(Bundle(), AppraisalPolicy.Strict([], Statement.Node))));
    }

    [Fact]
    public void A_debug_enclave_is_refused() => Assert.Equal(
        ["Nitro.Debug", "Nitro.Measurement"],
        Machine.Failures(Appraise(Bundle(spoil: parts => parts with { Registers = registers => registers[0] = registers[1] = registers[2] = new byte[48] }))));

    [Fact]
    public void A_session_is_proved_by_a_document_that_is_bound_to_it()
    {
        var session = Machine.Session with { StatementHash = EnclaveStatement.Hash(Statement.ToBytes()) };
        byte[] proof = Bundle(reportData: session.ReportData());
        Assert.Empty(Machine.Failures(Appraisal.AppraiseSession(proof, session, Policy, Machine.Now)));
        Assert.Equal(["Nitro.ReportData"], Machine.Failures(Appraisal.AppraiseSession(proof, session with { Nonce = new byte[32] }, Policy, Machine.Now)));
        Assert.Equal(["Nitro.ReportData"], Machine.Failures(Appraisal.AppraiseSession(Bundle(), session, Policy, Machine.Now)));
    }

    [Fact]
    public void Evidence_that_cannot_be_read_is_named()
    {
        foreach (string json in (string[])["", "{}", "{\"document\":\"?\"}", "{\"document\":null}", "{\"document\":\"\",\"more\":1}"])
        {
            var bundle = new EnclaveBundle(Statement.ToBytes(), [new PlatformEvidence(NitroEvidence.Platform, Encoding.UTF8.GetBytes(json))]);
            Assert.Contains(nameof(BundleCheck.EvidenceForm), Machine.Failures(Appraise(bundle.ToBytes())));
        }
        Assert.Contains("Nitro.Envelope", Machine.Failures(Appraise(new EnclaveBundle(Statement.ToBytes(), [new NitroEvidence { Document = "" }.ToPlatformEvidence()]).ToBytes())));
    }

    [Fact]
    public void A_policy_survives_being_written_and_read()
    {
        Assert.True(AppraisalPolicy.TryParse(Policy.ToBytes(), out var read, out string? fault), fault);
        Assert.Equal(Policy.ToBytes(), read.ToBytes());
    }

    public static TheoryData<string, Func<NitroMachines, NitroMachines>> SpoiledPolicies => new()
    {
        { "no root", machines => machines with { Roots = [] } },
        { "a root that is null", machines => machines with { Roots = [null!] } },
        { "a root of another length", machines => machines with { Roots = ["00"] } },
        { "a root in upper case", machines => machines with { Roots = [NitroRoot.Aws.ToUpperInvariant()] } },
        { "a build that is null", machines => machines with { Builds = [null!] } },
        { "a register of another length", machines => machines with { Builds = [NitroAuthority.Build with { Pcr1 = "00" }] } },
        { "a build of any enclave in debug mode", machines => machines with { Builds = [NitroAuthority.Build with { Pcr0 = new string('0', 96) }] } },
        { "a signer that is null", machines => machines with { ImageSigners = [null!] } },
        { "a signer of another length", machines => machines with { ImageSigners = ["00"] } },
    };

    [Theory, MemberData(nameof(SpoiledPolicies))]
    public void A_policy_that_is_not_well_formed_is_refused_in_a_sentence(string what, Func<NitroMachines, NitroMachines> spoil)
    {
        Assert.False(AppraisalPolicy.TryParse(With(spoil).ToBytes(), out _, out string? fault), what);
        Assert.EndsWith(".", fault);
    }
}
