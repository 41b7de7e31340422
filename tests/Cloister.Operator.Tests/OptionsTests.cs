using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Cloister.Operator.Tests;

public sealed class OptionsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Every_fault_is_reported_at_once()
    {
        var options = RunningOperator.Options(("a name", "127.0.0.1:9"), ("two", "nowhere")) with { Listen = "here", WebRoot = "/does/not/exist", SessionsPerEnclave = 0 };
        Assert.Equal(5, options.Faults().Length);
        var refused = Assert.Throws<ArgumentException>(() => OperatorProgram.Build(options));
        Assert.All(options.Faults(), fault => Assert.Contains(fault, refused.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1:9440", true)]
    [InlineData("enclave.internal:9440", true)]
    [InlineData("[::1]:9440", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.0.0.1:0", false)]
    [InlineData("127.0.0.1:65536", false)]
    [InlineData(":9440", false)]
    [InlineData("a b:9440", false)]
    [InlineData("host: 1", false)]
    public void An_enclaves_address_is_a_host_and_a_port(string address, bool accepted) =>
        Assert.Equal(accepted, RunningOperator.Options(("one", address)).Faults().IsEmpty);

    [Theory]
    [InlineData("""{"listen":"127.0.0.1:0","enclaves":{"one":"127.0.0.1:1"}}""", true)]
    [InlineData("""{"listen":"127.0.0.1:0","enclaves":{"one":"127.0.0.1:1"},"sessions_per_enclave":5}""", true)]
    [InlineData("""{"listen":"127.0.0.1:0","enclaves":{"one":"127.0.0.1:1"},"verbose":true}""", false)]
    [InlineData("""{"listen":"127.0.0.1:0","listen":"127.0.0.1:0","enclaves":{"one":"127.0.0.1:1"}}""", false)]
    [InlineData("""{"listen":"127.0.0.1:0"}""", false)]
    [InlineData("""{"listen":null,"enclaves":{"one":"127.0.0.1:1"}}""", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public void A_file_is_read_strictly(string json, bool accepted)
    {
        File.WriteAllText(_file, json);
        Assert.Equal(accepted, OperatorOptions.TryRead(_file, out var options, out var faults));
        Assert.Equal(accepted, options is not null);
        Assert.Equal(accepted, faults.IsEmpty);
    }

    [Fact]
    public async Task An_occupied_port_is_one_sentence_and_an_exit_code()
    {
        using var occupant = new TcpListener(IPAddress.Loopback, 0);
        occupant.Start();
        File.WriteAllText(_file, $$$"""{"listen":"{{{occupant.LocalEndpoint}}}","enclaves":{"one":"127.0.0.1:1"}}""");

        string program = Path.Combine(AppContext.BaseDirectory, "Cloister.Operator.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, "--configuration", _file]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        string[] lines = (await process.StandardError.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        Assert.Equal(3, process.ExitCode);
        Assert.Contains("address already in use", Assert.Single(lines), StringComparison.Ordinal);
    }
}
