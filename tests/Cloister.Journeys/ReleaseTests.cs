using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Journeys;

/// <summary>A build is published, shown, accepted, recalled and refused: with the real programs, as a publisher, an operator and a user work them.</summary>
public sealed partial class ReleaseTests(Everything everything)
{
    [Fact]
    public async Task The_chapter_of_the_README_from_keys_to_recall_does_what_it_says()
    {
        var shop = Directory.CreateTempSubdirectory("cloister-release-");
        string At(string name) => Path.Combine(shop.FullName, name);
        File.CreateSymbolicLink(At("cloister"), CloisterProgram.Path);
        await File.WriteAllTextAsync(At("enclave.img"), "an image");
        await File.WriteAllTextAsync(At("measured.json"), $$"""{ "snp": [ { "vcpus": 8, "vcpu_type": "EPYC-v4", "launch_digest": "{{Hex.Encode(SimulatedEnclave.Measurement.Span)}}" } ] }""");
        await File.WriteAllBytesAsync(At("development.json"), SimulatedEnclave.Policy(Parties.Authority).ToBytes());
        Directory.CreateDirectory(At("web"));
        await File.WriteAllTextAsync(At("web/index.html"), "<!doctype html>");

        string[] blocks = [.. Chapter().Select(block => Adapt(block))];
        using var servers = Bash(shop.FullName, $"{blocks[0]}\nwait");
        try
        {
            await WaitForAsync(At("log.json"), At("policy.json"));
            await RunAsync(shop.FullName, blocks[1]);
            Assert.True(Publication.TryParse(await File.ReadAllBytesAsync(At("publication.json")), out var publication));
            Assert.NotNull(publication.Fleet);
            Assert.Contains("Code revision: 0000000000000000000000000000000000000000 → 1111111111111111111111111111111111111111.", await RunAsync(shop.FullName, blocks[2]));

            Assert.Equal(0, await ChatAsync(shop.FullName));
            await RunAsync(shop.FullName, blocks[3]);
            Assert.Equal(1, await ChatAsync(shop.FullName));
        }
        finally
        {
            servers.Kill(entireProcessTree: true);
            await servers.WaitForExitAsync();
            shop.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_recall_locks_clients_out_as_soon_as_it_is_shown_and_a_log_that_goes_back_is_refused()
    {
        string data = everything.NewData("recalled");
        await using (var up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", data))
        {
            AssertAccepted(await ChatAsync(up, data));
            await PublishAsync(up, data, "policy", Path.Combine(data, "policy.json"), "--namespace", "localhost/development");
            Assert.Equal(0, await up.InterruptAsync());
        }
        CopyFolder(Path.Combine(data, "log"), Path.Combine(data, "log-before"));

        // The log has one entry more, and the client remembers that.
        await using (var up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", data))
        {
            await PublishAsync(up, data, "policy", Path.Combine(data, "authority.json"), "--namespace", "localhost/development");
            Assert.Equal(0, await up.InterruptAsync());
        }
        await using (var up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", data))
        {
            AssertAccepted(await ChatAsync(up, data));
            await PublishAsync(up, data, "recall", Path.Combine(data, "log", "published", "publication.json"), "--reason", "A hole in the parser");
            Assert.Equal(0, await up.InterruptAsync());
        }
        await using (var up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", data))
        {
            AssertRefused("The publishers recalled this build.", await ChatAsync(up, data));
            Assert.Equal(1, (await CloisterProgram.RunAsync(["verify", (string)up.Ready["operator"]!, "--data", data])).ExitCode);
            Assert.Equal(0, await up.InterruptAsync());
        }

        // The operator hides the recall: log, witnesses and all are as they were before.
        Directory.Move(Path.Combine(data, "log"), Path.Combine(data, "log-after"));
        Directory.Move(Path.Combine(data, "log-before"), Path.Combine(data, "log"));
        await using (var up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", data))
        {
            AssertRefused("The log shows this device something else than it did before.", await ChatAsync(up, data));
        }
    }

    public static TheoryData<string, string> Demanded => new()
    {
        { "log", "The build is not in the log" },
        { "witnesses", "Too few independent parties" },
        { "publisher", "The publishers of the policy did not make this build." },
        { "namespace", "The publishers of the policy did not make this build." },
        { "version", "The build has holes" },
        { "rebuilds", "Too few independent parties could build the same" },
    };

    [Theory, MemberData(nameof(Demanded))]
    public async Task What_a_policy_demands_and_the_build_does_not_have_is_refused(string demanded, string words)
    {
        Assert.True(AppraisalPolicy.TryParse(await File.ReadAllBytesAsync(everything.Policy), out var policy, out _));
        var demands = policy.Publication!;
        using var other = SignerKey.Generate("localhost/other", NoteKeyType.Ed25519);
        using var witness = SignerKey.Generate("localhost/far-away", NoteKeyType.Ed25519Cosignature);
        demands = demanded switch
        {
            "log" => demands with { Log = string.Join('\n', demands.Log.Split('\n').Select(line => line.StartsWith("log ", StringComparison.Ordinal) ? $"log {other.Verifier}" : line)) },
            "witnesses" => demands with { Log = $"{demands.Log.Replace("quorum enough", $"witness far-away {witness.Verifier}\ngroup all 2 enough far-away\nquorum all", StringComparison.Ordinal)}" },
            "publisher" => demands with { Publishers = [$"{other.Verifier}"] },
            "namespace" => demands with { Namespace = "localhost/production" },
            "version" => demands with { MinimumVersion = 1 },
            _ => demands with { Builders = [$"{other.Verifier}"], Rebuilds = 1 },
        };
        string file = Path.Combine(everything.Data, $"demands-{demanded}.json");
        await File.WriteAllBytesAsync(file, (policy with { Publication = demands }).ToBytes());
        AssertRefused(words, await CloisterProgram.RunAsync(["chat", "Hello!", "--operator", $"{everything.Operator}", "--policy", file, "--data", Path.Combine(everything.Data, "demands")]));
    }

    /// <summary>An operator that keeps a recall back can show what it has for no longer than the age limit, however often the enclave renews its statement.</summary>
    [Fact]
    public async Task What_is_withheld_ends_with_the_age_limit_and_the_release_with_its_validity()
    {
        using var http = new HttpClient();
        var listed = Assert.Single(await EnclaveDirectory.FetchAsync(http, everything.Operator, CancellationToken.None));
        Assert.True(EnclaveBundle.TryParse(listed.Bundle.Span, out var bundle));
        Assert.True(EnclaveStatement.TryParse(bundle.Statement.Span, out var statement));
        Assert.True(AppraisalPolicy.TryParse(await File.ReadAllBytesAsync(everything.Policy), out var policy, out _));
        using var authority = DevelopmentAuthority.Load(await File.ReadAllBytesAsync(Path.Combine(everything.Data, "authority.json")));
        var begun = DateTimeOffset.Parse(statement.IssuedAt, CultureInfo.InvariantCulture);

        string[] Failures(TimeSpan later)
        {
            var now = begun + later;
            byte[] renewed = (statement with { IssuedAt = EnclaveStatement.FormatTime(now), ExpiresAt = EnclaveStatement.FormatTime(now + EnclaveStatement.MaxValidity) }).ToBytes();
            byte[] shown = new EnclaveBundle(renewed, [SimulatedEnclave.Evidence(authority, renewed).ToPlatformEvidence()], bundle.Publication).ToBytes();
            return [.. Appraisal.Appraise(shown, policy, now).Checks.Where(check => check.Verdict is Verdict.Failed).Select(check => check.Name).Order(StringComparer.Ordinal)];
        }

        Assert.Empty(Failures(TimeSpan.FromHours(23)));
        Assert.Equal(["Fleet", "Release.Fleet", "Release.Recent", "Snp.Measurement"], Failures(TimeSpan.FromHours(25)));
        Assert.Contains("Release.Valid", Failures(TimeSpan.FromDays(7) + TimeSpan.FromMinutes(5)));
    }

    [Fact]
    public async Task A_web_app_is_compared_with_what_was_published()
    {
        string data = everything.NewData("web");
        string root = Directory.CreateDirectory(Path.Combine(data, "wwwroot")).FullName;
        await File.WriteAllTextAsync(Path.Combine(root, "index.html"), """<!doctype html><script src="app.js" type="module"></script>""");
        await File.WriteAllTextAsync(Path.Combine(root, "app.js"), "one();\n");
        await CompressAsync(Path.Combine(root, "app.js.br"), "one();\n");
        await using var up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", data, "--web", root);
        Task<Outcome> VerifyAsync() => CloisterProgram.RunAsync(["verify", "web", (string)up.Ready["operator"]!, "--data", data]);

        var same = await VerifyAsync();
        Assert.Equal((0, true), (same.ExitCode, same.Output.Contains("The same:", StringComparison.Ordinal)));

        // What a browser takes is the compressed one.
        await CompressAsync(Path.Combine(root, "app.js.br"), "steal();\n");
        var changed = await VerifyAsync();
        Assert.Equal(1, changed.ExitCode);
        Assert.Contains("✗ app.js is another file than the published one.", changed.Output);

        File.Delete(Path.Combine(root, "app.js.br"));
        File.Delete(Path.Combine(root, "app.js"));
        Assert.Contains("✗ app.js is missing.", (await VerifyAsync()).Output);

        File.Delete(Path.Combine(data, "log", "published", "web-client.json"));
        Assert.Equal(1, (await VerifyAsync()).ExitCode);
    }

    private static async Task CompressAsync(string file, string text)
    {
        await using var stream = new BrotliStream(File.Create(file), CompressionLevel.Fastest);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>An enclave and an operator that show the shop's publication, and a user with the shop's policy.</summary>
    private static async Task<int> ChatAsync(string shop)
    {
        string publication = Path.Combine(shop, "publication.json");
        await using var enclave = await Parties.StartEnclaveAsync(publication: async cancellation =>
            Publication.TryParse(await File.ReadAllBytesAsync(publication, cancellation), out var shown) ? shown : null);
        await using var program = await Parties.StartOperatorAsync(enclave.Endpoint, Parties.Anywhere with { Log = $"http://127.0.0.1:{Ports["8450"]}/" });
        var outcome = await CloisterProgram.RunAsync(["chat", "--fast", "Hello!", "--operator", program.Urls.Single(), "--policy", Path.Combine(shop, "policy.json"), "--data", Path.Combine(shop, "user")]);
        Assert.True(outcome.ExitCode != 1 || outcome.Error.Contains("The publishers recalled this build.", StringComparison.Ordinal), outcome.Error);
        return outcome.ExitCode;
    }

    private static Task<Outcome> ChatAsync(CloisterProgram up, string data) => CloisterProgram.RunAsync(["chat", "--fast", "Hello!", "--operator", (string)up.Ready["operator"]!, "--data", data]);

    private static async Task PublishAsync(CloisterProgram up, string data, string kind, string file, params string[] more)
    {
        string entry = Path.Combine(data, "new.entry");
        foreach (string[] step in (string[][])
        [
            ["release", kind, file, .. more, "--key", Path.Combine(data, "log", "publisher.key"), "--out", entry],
            ["release", "publish", entry, "--log", (string)up.Ready["log"]!, "--policy", Path.Combine(data, "policy.json"), "--out", kind == "recall" ? file : Path.Combine(data, "other.json")],
        ])
        {
            var outcome = await CloisterProgram.RunAsync(step);
            Assert.True(outcome.ExitCode == 0, outcome.Error);
        }
    }

    private static void AssertAccepted(Outcome outcome) => Assert.True(outcome is { ExitCode: 0, Output.Length: > 0 }, outcome.Error);

    private static void AssertRefused(string words, Outcome outcome)
    {
        Assert.Equal((1, ""), (outcome.ExitCode, outcome.Output));
        Assert.Contains(words, outcome.Error);
        Assert.Contains("Nothing was sent.", outcome.Error);
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    // The ports that the chapter names, each with the free one that stands for it here.
    private static Dictionary<string, int> Ports { get; } = new[] { "8450", "8461", "8462", "8463" }.ToDictionary(port => port, _ => FreePort());

    private static List<string> Chapter()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string chapter = readme.Split("\n## Publishing a release\n")[1].Split("\n## ")[0];
        var blocks = Blocks.Matches(chapter).Select(block => Prompts.Replace(block.Groups["text"].Value, "")).ToList();
        Assert.Equal(4, blocks.Count);
        return blocks;
    }

    // Free ports, a revision that is known, and the machines of a development root: all else is as it stands there.
    private static string Adapt(string block)
    {
        foreach (var (port, free) in Ports)
        {
            block = block.Replace(port, $"{free}", StringComparison.Ordinal);
        }
        return block.Replace("--out policy.json", "--from development.json --out policy.json", StringComparison.Ordinal)
            .Replace("$(git rev-parse HEAD~)", new string('0', 40), StringComparison.Ordinal)
            .Replace("$(git rev-parse HEAD)", new string('1', 40), StringComparison.Ordinal)
            .Replace("snp:CHIP", $"snp:{Hex.Encode(Parties.Authority.ChipId.Span)}", StringComparison.Ordinal)
            .Replace("models/demonstration", Path.Combine(Repository.Root, "models", "demonstration"), StringComparison.Ordinal);
    }

    private static async Task WaitForAsync(params string[] files)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var http = new HttpClient();
        while (!files.All(File.Exists) || !await AnswersAsync(http, patience.Token))
        {
            await Task.Delay(50, patience.Token);
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient http, CancellationToken cancellation)
    {
        try
        {
            return (await http.GetAsync(new Uri($"http://127.0.0.1:{Ports["8450"]}/checkpoint"), cancellation)).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<string> RunAsync(string folder, string script)
    {
        using var bash = Bash(folder, script);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var output = bash.StandardOutput.ReadToEndAsync(patience.Token);
        string error = await bash.StandardError.ReadToEndAsync(patience.Token);
        await bash.WaitForExitAsync(patience.Token);
        Assert.True(bash.ExitCode == 0, error);
        return await output;
    }

    private static Process Bash(string folder, string script) => Process.Start(new ProcessStartInfo("bash", ["-euc", script])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = folder,
    })!;

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    [GeneratedRegex("```console\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks { get; }

    [GeneratedRegex(@"^\$ ", RegexOptions.Multiline)]
    private static partial Regex Prompts { get; }
}
