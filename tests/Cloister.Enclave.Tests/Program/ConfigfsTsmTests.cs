using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
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
        var source = await ConfidentialMachine.OpenAsync(machine.Reports, null, Patience);
        Assert.True(SnpEvidence.TryParse((await source.AttestAsync(Question, Patience)).Single().Content.Span, out var evidence));

        Assert.Equal(Hex.Encode(Machine.Authority.ChipId.Span), source.Node);
        Assert.True(Base64.TryDecode(evidence.Report, out byte[]? report));
        Assert.True(SnpReport.TryParse(report, out var parsed, out _));
        Assert.Equal(Question, parsed.ReportData);
        Assert.Equal(3, evidence.Certificates.Length);
        Assert.NotNull(evidence.RevocationList);
    }

    [Fact]
    public async Task Questions_at_the_same_time_each_get_their_own_answer()
    {
        using var machine = await Machine.StartAsync();
        var kernel = await ConfigfsTsm.OpenAsync(machine.Reports, Patience);
        var questions = Enumerable.Range(0, 8).Select(i => Enumerable.Repeat((byte)i, 64).ToArray()).ToList();
        var answers = await Task.WhenAll(questions.Select(question => kernel.AskAsync(question, Patience)));
        Assert.All(questions.Zip(answers), pair => Assert.True(SnpReport.TryParse(pair.Second.Report, out var report, out _) && report.ReportData.SequenceEqual(pair.First)));
    }

    [Fact]
    public async Task Without_certificates_there_is_no_evidence()
    {
        using var machine = await Machine.StartAsync(table: []);
        Assert.Contains("hands out no certificates", await RefusalAsync(machine));
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
        using var machine = await Machine.StartAsync(answer: question => Machine.Report([.. question.Select(value => (byte)(value ^ 1))]));
        Assert.Contains("not an SEV-SNP report over what it was asked", await RefusalAsync(machine));
    }

    [Theory]
    [InlineData("arm_cca_guest")]
    [InlineData("azure_hcl")]
    [InlineData("")]
    public async Task Another_platform_is_refused_by_its_name(string provider)
    {
        using var machine = await Machine.StartAsync(provider);
        Assert.Contains($"'{provider}'", await RefusalAsync(machine));
    }

    [Fact]
    public async Task A_kernel_that_makes_no_entry_is_one_sentence()
    {
        var reports = Directory.CreateTempSubdirectory("cloister-tsm-");
        await File.WriteAllTextAsync(Path.Combine(reports.FullName, "cloister"), "", Patience);
        Assert.Contains("makes no entry", (await Assert.ThrowsAsync<IOException>(() => ConfigfsTsm.OpenAsync(reports.FullName, Patience))).Message);
        reports.Delete(recursive: true);
    }

    private static CancellationToken Patience => TestContext.Current.CancellationToken;

    private static async Task<string> RefusalAsync(Machine machine) =>
        (await Assert.ThrowsAsync<IOException>(() => ConfidentialMachine.OpenAsync(machine.Reports, null, Patience))).Message;
}
