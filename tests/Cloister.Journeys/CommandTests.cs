using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Simulation;
using Cloister.Testing;

namespace Cloister.Journeys;

/// <summary>The command as somebody uses it.</summary>
public partial class CommandTests(Everything everything)
{
    private string[] There => ["--operator", $"{everything.Operator}", "--data", everything.Data];

    [Fact]
    public async Task A_question_is_answered_plainly_where_a_program_reads()
    {
        var outcome = await CloisterProgram.RunAsync(["chat", "Hello!", .. There]);
        Assert.Equal(0, outcome.ExitCode);
        Assert.NotEqual("", outcome.Output.Trim());
        Assert.DoesNotContain('\e', outcome.Output);
        Assert.Contains("Simulated evidence", outcome.Error);
    }

    [Fact]
    public async Task A_question_may_come_through_a_pipe()
    {
        var outcome = await CloisterProgram.RunAsync(["chat", "--fast", .. There], input: "Hello!\n");
        Assert.Equal(0, outcome.ExitCode);
        Assert.NotEqual("", outcome.Output.Trim());
    }

    // Of every bundle, of how the build was published, and of this machine's hardware.
    private static IEnumerable<string> Asked =>
        CheckCatalogue.All.Select(check => check.Name).Where(name => name.StartsWith("Snp.", StringComparison.Ordinal) || name.StartsWith("Release.", StringComparison.Ordinal) || (!name.Contains('.', StringComparison.Ordinal) && name != nameof(BundleCheck.Session)));

    [Fact]
    public async Task Verify_prints_every_check_and_says_that_the_evidence_is_simulated()
    {
        var outcome = await CloisterProgram.RunAsync(["verify", $"{everything.Operator}", "--data", everything.Data]);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(Asked.Count(), outcome.Output.Split('\n').Count(line => line.StartsWith('✓')));
        Assert.Contains("✓ Published: releases of localhost/development", outcome.Output);
        Assert.Contains("✓ Release: witnesses: ", outcome.Output);
        Assert.Contains("Simulated evidence", outcome.Output);
    }

    [Fact]
    public async Task Verify_gives_the_same_account_to_a_program()
    {
        var outcome = await CloisterProgram.RunAsync(["verify", $"{everything.Operator}", "--data", everything.Data, "--json"]);
        var account = JsonNode.Parse(outcome.Output)!;
        Assert.True((bool)account["accepted"]!);
        Assert.True((bool)account["enclaves"]![0]!["simulated"]!);
        Assert.Equal(Asked, account["enclaves"]![0]!["checks"]!.AsArray().Select(check => (string)check!["name"]!));
    }

    [Fact]
    public async Task Verify_proves_a_session()
    {
        var outcome = await CloisterProgram.RunAsync(["verify", "--session", "--data", everything.Data, $"{everything.Operator}"]);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(Asked.Count() + 1, outcome.Output.Split('\n').Count(line => line.StartsWith('✓')));
        Assert.Contains("✓ Session: ", outcome.Output);
    }

    [Fact]
    public async Task Another_policy_refuses_the_enclave_and_nothing_is_said_to_it()
    {
        using var other = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);
        string policy = Path.Combine(everything.Data, "other-policy.json");
        await File.WriteAllBytesAsync(policy, SimulatedEnclave.Policy(other).ToBytes());

        var verify = await CloisterProgram.RunAsync(["verify", $"{everything.Operator}", "--policy", policy]);
        var chat = await CloisterProgram.RunAsync(["chat", "Hello!", "--operator", $"{everything.Operator}", "--policy", policy]);

        Assert.Equal((1, 1), (verify.ExitCode, chat.ExitCode));
        Assert.Contains("✗ SNP: root trust", verify.Output);
        Assert.Contains("Nobody that the policy trusts vouches for the processor.", verify.Output);
        Assert.Equal("", chat.Output);
        Assert.Contains("Nothing was sent.", chat.Error);
    }

    [Fact]
    public async Task A_strange_deployment_is_judged_by_the_strict_profile_and_not_spoken_to()
    {
        string strict = Path.Combine(everything.Data, "strict-policy.json");
        await File.WriteAllBytesAsync(strict, AppraisalPolicy.Strict([]).ToBytes());
        Assert.Equal(1, (await CloisterProgram.RunAsync(["verify", $"{everything.Operator}", "--policy", strict])).ExitCode);

        var chat = await CloisterProgram.RunAsync(["chat", "Hello!", "--operator", "http://192.0.2.1", "--data", everything.Data]);
        Assert.Equal(2, chat.ExitCode);
        Assert.Contains("--policy", chat.Error);
    }

    [Fact]
    public async Task An_occupied_port_is_one_sentence()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        string port = $"{((IPEndPoint)taken.LocalEndPoint!).Port}";
        AssertSentence(4, "port is taken", await CloisterProgram.RunAsync(["up", "--port", port, "--data", everything.NewData("taken")]));
        AssertSentence(4, "port is taken", await CloisterProgram.RunAsync(["proxy", "--port", port, .. There]));
    }

    [Fact]
    public async Task A_missing_model_is_one_sentence() =>
        AssertSentence(2, "There is no model 'owner/none'", await CloisterProgram.RunAsync(["up", "--model", "owner/none", "--port", "0", "--data", everything.Data]));

    [Fact]
    public async Task A_folder_that_holds_no_model_is_one_sentence() =>
        AssertSentence(2, "config.json", await CloisterProgram.RunAsync(["up", "--model", Path.Combine(Repository.Root, "docs"), "--port", "0", "--data", everything.Data]));

    [Fact]
    public async Task An_unreachable_operator_is_one_sentence() =>
        AssertSentence(3, "Nobody answers", await CloisterProgram.RunAsync(["chat", "Hello!", "--operator", $"http://{FreeEndpoint()}", "--data", everything.Data]));

    [Fact]
    public async Task An_upstream_that_is_not_there_is_one_sentence() =>
        AssertSentence(3, "No OpenAI-compatible server", await CloisterProgram.RunAsync(["up", "--upstream", $"http://{FreeEndpoint()}", "--port", "0", "--data", everything.Data]));

    [Theory]
    [InlineData("http://192.0.2.1:8000")]
    [InlineData("https://127.0.0.1:8000")]
    public async Task An_upstream_elsewhere_is_refused(string address) =>
        AssertSentence(2, "loopback", await CloisterProgram.RunAsync(["up", "--upstream", address, "--port", "0", "--data", everything.Data]));

    [Fact]
    public async Task A_proxy_for_other_machines_is_refused() =>
        AssertSentence(2, "is not a loopback address", await CloisterProgram.RunAsync(["proxy", "--listen", "0.0.0.0:0", .. There]));

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("chat", "--frobnicate")]
    [InlineData("up", "--model", "a", "--upstream", "b")]
    public async Task A_mistake_is_named_and_points_to_the_help(params string[] arguments)
    {
        var outcome = await CloisterProgram.RunAsync(arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("See: cloister", outcome.Error);
        Assert.Equal("", outcome.Output);
    }

    [Fact]
    public async Task Ctrl_C_ends_what_runs_in_good_order()
    {
        string data = everything.NewData("interrupted");
        await using var up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", data);
        await using var proxy = await CloisterProgram.StartAsync("proxy", "--port", "0", "--operator", (string)up.Ready["operator"]!, "--data", data);
        Assert.Equal((0, 0), (await proxy.InterruptAsync(), await up.InterruptAsync()));
    }

    [Fact]
    public async Task The_authority_is_made_once_and_is_for_its_user_only()
    {
        string data = everything.NewData("once"), file = Path.Combine(data, "authority.json");
        byte[] before = await File.ReadAllBytesAsync(Path.Combine(everything.Data, "authority.json"));
        await using (await CloisterProgram.StartAsync("up", "--port", "0", "--data", data))
        {
            Assert.Equal(before, await File.ReadAllBytesAsync(file));
        }
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(Path.Combine(everything.Data, "authority.json")));
    }

    [Fact]
    public async Task Two_of_them_do_not_write_to_one_log() =>
        AssertSentence(2, "runs already", await CloisterProgram.RunAsync(["up", "--port", "0", "--data", everything.Data]));

    [Fact]
    public async Task Every_command_in_the_README_is_understood()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"));
        var lines = Command.Matches(readme).Select(match => match.Groups["line"].Value).ToList();
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            string program = line.Split(' ')[0];
            Assert.True(File.Exists(Path.Combine(Repository.Root, program)), $"README names {program}, which is not there.");
            if (program == "./cloister")
            {
                string[] words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                Assert.Equal(0, (await CloisterProgram.RunAsync([.. words[1..2], "--help"])).ExitCode);
            }
        }
    }

    [Fact]
    public async Task Help_teaches_with_examples()
    {
        var help = await CloisterProgram.RunAsync(["--help"]);
        Assert.Contains("Examples:", help.Output);
        foreach (string command in new[] { "up", "chat", "proxy", "verify", "release", "monitor", "collateral" })
        {
            Assert.Contains($"cloister {command}", help.Output);
            Assert.Contains("Examples:", (await CloisterProgram.RunAsync([command, "--help"])).Output);
        }
    }

    private static void AssertSentence(int exitCode, string words, Outcome outcome)
    {
        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.Contains(words, outcome.Error);
        Assert.Single(outcome.Error.Trim().Split('\n'));
        Assert.Equal("", outcome.Output);
    }

    private static EndPoint FreeEndpoint()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket.LocalEndPoint!;
    }

    [GeneratedRegex(@"^\$ (?<line>\./.*)$", RegexOptions.Multiline)]
    private static partial Regex Command { get; }
}
