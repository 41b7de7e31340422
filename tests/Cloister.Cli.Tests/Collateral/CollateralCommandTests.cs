using System.Diagnostics;
using Cloister.Enclave.Evidence;
using Cloister.Enclave.Tests.Program;
using Cloister.Testing;

namespace Cloister.Cli.Tests.Collateral;

/// <summary>The real command in a process of its own.</summary>
public sealed class CollateralCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-host-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string Enclave => Path.Combine(_folder.FullName, "one");

    private string Kept => Path.Combine(_folder.FullName, "kept");

    [Fact]
    public async Task A_report_is_enough_for_one_look()
    {
        await using var makers = await VendorServer.StartAsync();
        makers.ServeAmd();
        string report = Path.Combine(_folder.FullName, "report.bin");
        await File.WriteAllBytesAsync(report, Machine.Report(new byte[64]), Patience);

        var (code, output, error) = await RunAsync(Enclave, "--report", report, "--once", "--kept", Kept, "--amd", $"{makers.Vendors.Amd}");
        Assert.Equal((0, $"{Enclave}/endorsements/snp.json\n", ""), (code, output, error));
        Assert.True(SnpSet.TryParse(await File.ReadAllBytesAsync($"{Enclave}/endorsements/snp.json", Patience), out var set));
        Assert.Equal(Helper.SnpWant, set.For);

        // Nothing new, nobody asked: as a timer has it every hour.
        makers.Asked.Clear();
        Assert.Equal((0, "", ""), await RunAsync(Enclave, "--once", "--kept", Kept, "--amd", $"{makers.Vendors.Amd}"));
        Assert.Empty(makers.Asked);

        makers.Things.Clear();
        (code, _, error) = await RunAsync(Enclave, "--once", "--kept", $"{Kept}-other", "--amd", $"{makers.Vendors.Amd}");
        Assert.Equal((3, "127.0.0.1 answered 404 when asked for Genoa's authorities.\n"), (code, error));
    }

    [Fact]
    public async Task A_trust_domains_quote_is_as_good()
    {
        await using var makers = await VendorServer.StartAsync();
        makers.ServeIntel(Helper.Intel);
        string quote = Path.Combine(_folder.FullName, "quote.bin");
        await File.WriteAllBytesAsync(quote, Helper.Intel.Quote(), Patience);
        var (code, output, _) = await RunAsync(Enclave, "--report", quote, "--once", "--kept", Kept, "--intel", $"{makers.Vendors.Intel}", "--intel-root-list", $"{makers.Vendors.IntelRootList}");
        Assert.Equal((0, $"{Enclave}/endorsements/tdx.json\n"), (code, output));
    }

    [Fact]
    public async Task It_stays_and_ends_when_it_is_asked_to()
    {
        using var process = Start(Enclave, "--kept", Kept);
        Assert.Contains("has not said yet", await process.StandardError.ReadLineAsync(Patience));
        var second = await RunAsync(Enclave, "--once", "--kept", Kept);
        Assert.Equal(2, second.Code);
        Assert.Contains("Another 'cloister collateral'", second.Error);
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await process.WaitForExitAsync(Patience);
        Assert.Equal(0, process.ExitCode);
    }

    [Theory]
    [InlineData("is no https address", "--amd", "http://192.0.2.1/")]
    [InlineData("is no https address", "--nvidia-ocsp", "ftp://127.0.0.1/")]
    [InlineData("is no https address", "--intel", "https://user@example.org/")]
    [InlineData("There is no report", "--report", "/nonexistent")]
    [InlineData("is neither an SEV-SNP report nor a TDX quote", "--report", "/etc/hostname")]
    [InlineData("is about one enclave", "another", "--report", "/etc/hostname")]
    public async Task A_wrong_use_is_one_sentence(string words, params string[] arguments)
    {
        var (code, _, error) = await RunAsync([Enclave, "--once", "--kept", Kept, .. arguments.Select(argument => argument == "another" ? Enclave + "-two" : argument)]);
        Assert.Equal(2, code);
        Assert.Contains(words, Assert.Single(error.TrimEnd().Split('\n')));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Patience), process.StandardError.ReadToEndAsync(Patience));
        await process.WaitForExitAsync(Patience);
        return (process.ExitCode, await output, await error);
    }

    private static Process Start(params string[] arguments)
    {
        string program = Path.Combine(Repository.Root, "src", "Cloister.Cli", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "cloister");
        return Process.Start(new ProcessStartInfo(program, ["collateral", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private static CancellationToken Patience => TestContext.Current.CancellationToken;
}
