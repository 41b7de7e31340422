using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
using Cloister.Enclave.Tests.Host;
using Cloister.Wire;

namespace Cloister.Enclave.Tests.Program;

/// <summary>The kernel's interface, and a machine behind it that does not do what it should.</summary>
public class ConfigfsTsmTests
{
    private static readonly byte[] Question = SHA512.HashData("a statement"u8);

    [Fact]
    public async Task A_report_is_over_what_was_asked_and_comes_with_the_hosts_certificates()
    {
        using var machine = await Machine.StartAsync();
        var source = await ConfigfsTsm.OpenAsync(null, machine.Reports, Patience);
        var evidence = await source.AttestAsync(Question, Patience);

        Assert.Equal(Hex.Encode(RunningEnclave.Authority.ChipId.Span), source.Node);
        Assert.True(Base64.TryDecode(evidence.Report, out byte[]? report));
        Assert.True(SnpReport.TryParse(report, out var parsed, out _));
        Assert.Equal(Question, parsed.ReportData);
        Assert.Equal(3, evidence.Certificates.Length);
        Assert.NotNull(evidence.RevocationList);
    }

    [Fact]
    public async Task Certificates_come_from_the_folder_where_one_is_named()
    {
        using var machine = await Machine.StartAsync(table: []);
        foreach (string name in new[] { "vcek", "ask", "ark" })
        {
            await File.WriteAllTextAsync(Path.Combine(machine.Reports, $"{name}.der"), name, Patience);
        }
        var source = await ConfigfsTsm.OpenAsync(machine.Reports, machine.Reports, Patience);
        var evidence = await source.AttestAsync(Question, Patience);

        Assert.Equal([.. new[] { "vcek", "ask", "ark" }.Select(name => Base64.Encode(System.Text.Encoding.ASCII.GetBytes(name)))], evidence.Certificates);
        Assert.Null(evidence.RevocationList);
    }

    [Fact]
    public async Task Without_certificates_there_is_no_evidence()
    {
        using var machine = await Machine.StartAsync(table: []);
        var source = await ConfigfsTsm.OpenAsync(null, machine.Reports, Patience);
        Assert.Contains("hands out no certificates", (await Assert.ThrowsAsync<IOException>(() => source.AttestAsync(Question, Patience))).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_count_of_writes_that_is_not_ours_alone_is_refused(int writes)
    {
        using var machine = await Machine.StartAsync(writes: writes);
        Assert.Contains("something else meanwhile", await RefusalAsync(machine));
    }

    [Fact]
    public async Task A_report_over_another_question_is_refused()
    {
        using var machine = await Machine.StartAsync(asked: question => [.. question.Reverse().Select(value => (byte)(value ^ 1))]);
        Assert.Contains("not an SEV-SNP report over what it was asked", await RefusalAsync(machine));
    }

    [Fact]
    public async Task Another_platform_is_refused_by_its_name()
    {
        using var machine = await Machine.StartAsync(provider: "tdx_guest");
        Assert.Contains("'tdx_guest'", await RefusalAsync(machine));
    }

    [Fact]
    public async Task A_kernel_that_makes_no_entry_is_one_sentence()
    {
        var reports = Directory.CreateTempSubdirectory("cloister-tsm-");
        await File.WriteAllTextAsync(Path.Combine(reports.FullName, "cloister"), "", Patience);
        Assert.Contains("makes no entry", (await Assert.ThrowsAsync<IOException>(() => ConfigfsTsm.OpenAsync(null, reports.FullName, Patience))).Message);
        reports.Delete(recursive: true);
    }

    private static CancellationToken Patience => TestContext.Current.CancellationToken;

    private static async Task<string> RefusalAsync(Machine machine) =>
        (await Assert.ThrowsAsync<IOException>(() => ConfigfsTsm.OpenAsync(null, machine.Reports, Patience))).Message;
}
