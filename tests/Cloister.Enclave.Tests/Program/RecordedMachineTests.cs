using System.Text;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
using Cloister.Enclave.Tests.Host;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Enclave.Tests.Program;

/// <summary>The enclave's program on a recorded tree of files, from the kernel's entry and the host's folder to a bundle that clients accept.</summary>
public class RecordedMachineTests
{
    private static readonly Uri Nobody = new("http://127.0.0.1:9/");

    private static readonly TdxAuthority Intel = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task A_trust_domain_makes_a_bundle_that_is_accepted()
    {
        var machine = await Machine.StartAsync("tdx_guest", table: [], answer: Quote);
        await File.WriteAllBytesAsync(Path.Combine(machine.Endorsements, TdxSet.FileName), Set().ToBytes(), Patience);
        await using var enclave = await EnclaveProcess.StartAsync(Options(machine), machine: machine);
        var result = Appraisal.Appraise(await enclave.BundleAsync(), TdxPolicy(), DateTimeOffset.UtcNow);

        Assert.Empty(result.Checks.Where(check => check.Verdict is Verdict.Failed));
        Assert.True(result.TryAccept(out _));
        Assert.Equal("Intel TDX", result.Machine);
        Assert.Equal(new WantedCollateral { Tdx = Set().For }, Wanted(machine));
    }

    [Fact]
    public async Task A_machine_of_sev_snp_makes_a_bundle_that_is_accepted()
    {
        var machine = await Machine.StartAsync(table: []);
        await File.WriteAllBytesAsync(Path.Combine(machine.Endorsements, SnpSet.FileName), SnpSetOf().ToBytes(), Patience);
        await using var enclave = await EnclaveProcess.StartAsync(Options(machine), machine: machine);
        var result = Appraisal.Appraise(await enclave.BundleAsync(), SimulatedEnclave.Policy(Machine.Authority), DateTimeOffset.UtcNow);

        Assert.Empty(result.Checks.Where(check => check.Verdict is Verdict.Failed));
        Assert.True(result.TryAccept(out _));
        Assert.Equal(new WantedCollateral { Snp = SnpSetOf().For }, Wanted(machine));
    }

    [Fact]
    public async Task A_quote_may_be_padded_with_zeros_and_names_the_machine_by_its_PPID()
    {
        using var machine = await Machine.StartAsync("tdx_guest", table: [], answer: question => [.. Quote(question), .. new byte[100]]);
        await File.WriteAllBytesAsync(Path.Combine(machine.Endorsements, TdxSet.FileName), Set().ToBytes(), Patience);
        var source = await ConfidentialMachine.OpenAsync(machine.Reports, Host(machine), Patience);
        Assert.Equal(string.Concat(Enumerable.Repeat("07", 16)), source.Node);
        Assert.Equal("tdx", (await source.AttestAsync(new byte[64], Patience)).Single().Platform);
    }

    public static TheoryData<string, Func<byte[], byte[]>> Misfits => new()
    {
        { "over what it was asked", question => Quote([.. question[1..], 1]) },
        { "over what it was asked", question => [.. Quote(question), 1] },
        { "over what it was asked", _ => [0] },
        { "no chain of a PCK certificate", question => Intel.Quote(new TdxQuoteParts { Chain = [], Body = body => question.CopyTo(body, 520) }) },
        { "no chain of a PCK certificate", question => Intel.Quote(new TdxQuoteParts { CertificationDataType = 3, Body = body => question.CopyTo(body, 520) }) },
        { "neither of Intel's two authorities", question => Intel.Quote(new TdxQuoteParts { Chain = Encoding.ASCII.GetBytes(TdxAuthority.Pem(Intel.PckCertificate, Intel.RootCertificate, Intel.RootCertificate)), Body = body => question.CopyTo(body, 520) }) },
    };

    [Theory, MemberData(nameof(Misfits))]
    public async Task A_quote_that_is_not_over_the_question_or_cannot_be_endorsed_is_refused(string words, Func<byte[], byte[]> answer)
    {
        using var machine = await Machine.StartAsync("tdx_guest", table: [], answer: answer);
        Assert.Contains(words, (await Assert.ThrowsAsync<IOException>(() => ConfidentialMachine.OpenAsync(machine.Reports, Host(machine), Patience))).Message);
    }

    [Fact]
    public async Task A_trust_domain_without_a_folder_of_endorsements_is_one_sentence()
    {
        using var machine = await Machine.StartAsync("tdx_guest", table: [], answer: Quote);
        Assert.Contains("names no folder of endorsements", (await Assert.ThrowsAsync<IOException>(() => ConfidentialMachine.OpenAsync(machine.Reports, null, Patience))).Message);
    }

    [Fact]
    public async Task A_lent_key_comes_with_the_hosts_table_and_the_rest_from_the_helper()
    {
        using var machine = await Machine.StartAsync(table: Machine.CertificateTable(signer: "a8074bc2-a25a-483e-aae6-39c045a0b8a1"), answer: question => Machine.Report(question, report => report with { Signer = 1 << 2 }));
        var set = SnpSetOf() with { For = new SnpWant { Key = SigningKey.Vlek, Product = SnpProduct.Genoa } };
        await File.WriteAllBytesAsync(Path.Combine(machine.Endorsements, SnpSet.FileName), (set with { Certificates = set.Certificates[1..] }).ToBytes(), Patience);
        var source = await ConfidentialMachine.OpenAsync(machine.Reports, Host(machine), Patience);
        Assert.True(SnpEvidence.TryParse((await source.AttestAsync(new byte[64], Patience)).Single().Content.Span, out var evidence));
        Assert.Equal(SnpSetOf().Certificates, evidence.Certificates);
    }

    [Fact]
    public async Task A_report_that_names_no_product_is_one_sentence()
    {
        using var machine = await Machine.StartAsync(answer: question => Machine.Report(question, report => report with { Version = 2, Family = 0, Model = 0, Stepping = 0 }));
        Assert.Contains("names no product", (await Assert.ThrowsAsync<IOException>(() => ConfidentialMachine.OpenAsync(machine.Reports, Host(machine), Patience))).Message);
    }

    private static byte[] Quote(byte[] question) => Intel.Quote(new TdxQuoteParts
    {
        Body = body =>
        {
            question.CopyTo(body, 520);
            foreach (int owner in (int[])[184, 232, 280])
            {
                body.AsSpan(owner, 48).Clear();
            }
        },
    });

    private static TdxSet Set()
    {
        var collateral = Intel.Collateral();
        return new TdxSet
        {
            For = new TdxWant { Fmspc = TdxAuthority.Fmspc.ToLowerInvariant(), Authority = PckAuthority.Platform },
            TcbInfo = Encoding.UTF8.GetString(collateral.TcbInfo.Span),
            TcbInfoIssuers = Encoding.UTF8.GetString(collateral.TcbInfoIssuers.Span),
            QeIdentity = Encoding.UTF8.GetString(collateral.QeIdentity.Span),
            QeIdentityIssuers = Encoding.UTF8.GetString(collateral.QeIdentityIssuers.Span),
            PckRevocationList = Base64.Encode(collateral.PckRevocationList.Span),
            PckRevocationListIssuers = TdxAuthority.Pem(Intel.AuthorityCertificate, Intel.RootCertificate),
            RootRevocationList = Base64.Encode(collateral.RootRevocationList.Span),
        };
    }

    private static AppraisalPolicy TdxPolicy()
    {
        Assert.True(TdxQuote.TryParse(Quote(new byte[64]), out var quote, out _));
        var build = new TdxBuild(Hex.Encode(quote.Report.MrTd), [Hex.Encode(quote.Report.RtMr(0)), Hex.Encode(quote.Report.RtMr(1)), Hex.Encode(quote.Report.RtMr(2)), Hex.Encode(quote.Report.RtMr(3))]);
        return AppraisalPolicy.Strict([], string.Concat(Enumerable.Repeat("07", 16))) with { Waivers = SimulatedEnclave.Policy(RunningEnclave.Authority).Waivers, Tdx = TdxMachines.Strict([build]) with { Roots = [Intel.RootFingerprint] } };
    }

    private static SnpSet SnpSetOf()
    {
        byte[] report = Machine.Report(new byte[64]);
        Assert.True(SnpReport.TryParse(report, out var parsed, out _));
        var evidence = Machine.Authority.Attest(new SimulatedReport { ReportData = new byte[64], Measurement = SimulatedEnclave.Measurement });
        return new SnpSet { For = SnpWant.Of(parsed), Certificates = evidence.Certificates, RevocationList = evidence.RevocationList! };
    }

    private static HostCollateral Host(Machine machine) => new(new SharedFolder(machine.Endorsements), new SharedFolder(machine.Wanted));

    private static WantedCollateral Wanted(Machine machine) =>
        WantedCollateral.TryParse(File.ReadAllBytes(Path.Combine(machine.Wanted, WantedCollateral.FileName)), out var wanted) ? wanted : throw new InvalidDataException();

    private static string Options(Machine machine) =>
        Configurations.Upstream(Nobody).Replace("\"reports\"", $"\"endorsements\": \"{machine.Endorsements}\", \"wanted\": \"{machine.Wanted}\", \"reports\"", StringComparison.Ordinal);

    private static CancellationToken Patience => TestContext.Current.CancellationToken;
}
