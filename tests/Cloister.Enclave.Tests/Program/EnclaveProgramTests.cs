using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Inference;

namespace Cloister.Enclave.Tests.Program;

/// <summary>The program as an operator meets it: it answers, or it says in one sentence why not.</summary>
public sealed class EnclaveProgramTests : IDisposable
{
    private static readonly Uri Nobody = FreeAddress();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-program-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_demonstration_model_answers_and_the_statement_names_it()
    {
        await using var enclave = await EnclaveProcess.StartAsync(Configurations.Embedded());
        AttestationResult? result = null;
        using var client = enclave.Client(found => result = found);
        using var response = await client.PostAsync("v1/chat/completions", Json("""{"model":"demonstration","temperature":0,"max_tokens":24,"messages":[{"role":"user","content":"Hello!"}]}"""));

        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.NotEqual("", (string?)answer["choices"]![0]!["message"]!["content"]);
        Assert.True(result!.TryAccept(out var appraised));
        var digest = ModelFolder.Open(Configurations.DemonstrationModel).Digest();
        Assert.Equal(new ServedModel { Name = "demonstration", Weights = digest.Weights, Tokenizer = digest.Tokenizer, Template = digest.Template }, appraised.Statement.Models.Single());

        using var tooLong = await client.PostAsync("v1/chat/completions", Json(new string(' ', 1001)));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLong.StatusCode);
        Assert.Equal(0, await enclave.StopAsync());
    }

    [Fact]
    public async Task An_upstream_that_is_not_there_is_an_error_of_the_apis_shape()
    {
        await using var enclave = await EnclaveProcess.StartAsync(Configurations.Upstream(Nobody));
        using var client = enclave.Client();
        using var response = await client.PostAsync("v1/chat/completions", Json("{}"));

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("upstream_unreachable", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--configuration")]
    [InlineData("--configuration a --urls=http://127.0.0.1:1")]
    [InlineData("-c a")]
    public async Task Any_other_argument_is_refused(string arguments)
    {
        var (exitCode, said) = await EnclaveProcess.RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((2, "usage: Cloister.Enclave --configuration FILE\n"), (exitCode, said));
    }

    [Fact]
    public async Task A_machine_that_is_not_confidential() =>
        AssertNotStarted("no confidential virtual machine", await EnclaveProcess.FailAsync(Configurations.Upstream(Nobody).Replace("REPORTS", "/nonexistent", StringComparison.Ordinal)));

    [Fact]
    public async Task An_occupied_port()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        AssertNotStarted($"cannot listen at {taken.LocalEndpoint}", await EnclaveProcess.FailAsync(Configurations.Upstream(Nobody, taken.LocalEndpoint.ToString()!)));
    }

    [Fact]
    public async Task A_folder_without_a_model() =>
        AssertNotStarted("config.json", await EnclaveProcess.FailAsync(Configurations.Embedded(_folder.FullName)));

    [Fact]
    public async Task A_file_that_is_no_model()
    {
        foreach (string name in new[] { "config.json", "tokenizer.json", "tokenizer_config.json" })
        {
            File.Copy(Path.Combine(Configurations.DemonstrationModel, name), Path.Combine(_folder.FullName, name));
        }
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "model.onnx"), "These are no weights.");
        AssertNotStarted("model.onnx", await EnclaveProcess.FailAsync(Configurations.Embedded(_folder.FullName)));
    }

    [Fact]
    public async Task A_file_that_is_not_there() =>
        AssertNotStarted("none.json", await EnclaveProcess.RunAsync("--configuration", Path.Combine(_folder.FullName, "none.json")));

    [Fact]
    public async Task A_configuration_with_a_member_that_nobody_knows() =>
        AssertNotStarted("line 9: at $.turbo", await EnclaveProcess.FailAsync(Configurations.Upstream(Nobody).Replace("\"models\"", "\"turbo\": 1, \"models\"", StringComparison.Ordinal)));

    private static void AssertNotStarted(string words, (int ExitCode, string Said) outcome)
    {
        Assert.Equal(3, outcome.ExitCode);
        Assert.Contains(words, outcome.Said);
        Assert.EndsWith(".", Assert.Single(outcome.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static Uri FreeAddress()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return new Uri($"http://{socket.LocalEndPoint}");
    }
}
