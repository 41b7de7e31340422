using System.Text.Json.Nodes;

namespace Cloister.Journeys;

/// <summary>A log, its witness and its monitor, as somebody runs them.</summary>
public sealed class LogCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    [Fact]
    public async Task An_entry_goes_in_and_comes_out_proved_and_the_monitor_tells_it()
    {
        string logKey = await MakeKeyAsync("log", "example.com/log"), witnessKey = await MakeKeyAsync("witness", "witness.example/1");
        await File.WriteAllTextAsync(At("witness.json"), $$"""{"listen":"127.0.0.1:0","keys":["{{At("witness.key")}}"],"folder":"{{At("w")}}","logs":["{{logKey}}"]}""");
        await using var witness = await CloisterProgram.StartAsync("witness", "--configuration", At("witness.json"));
        await File.WriteAllTextAsync(At("policy"), $"log {logKey}\nwitness w {witnessKey} {(string)witness.Ready["address"]!}\nquorum w\n");
        await File.WriteAllTextAsync(At("log.json"), $$"""{"listen":"127.0.0.1:0","key":"{{At("log.key")}}","folder":"{{At("l")}}","witnesses":"{{At("policy")}}","open":true}""");
        await File.WriteAllTextAsync(At("entry"), "words");

        await using (var log = await CloisterProgram.StartAsync("log", "--configuration", At("log.json")))
        {
            string address = (string)log.Ready["address"]!;
            var added = await CloisterProgram.RunAsync(["log", "add", At("entry"), "--log", address, "--policy", At("policy")]);
            Assert.Equal((0, ""), (added.ExitCode, added.Error));
            Assert.StartsWith("c2sp.org/tlog-proof@v1\nindex 0\n", added.Output, StringComparison.Ordinal);

            var second = await CloisterProgram.RunAsync(["log", "--configuration", At("log.json")]);
            Assert.Equal(6, second.ExitCode);
            Assert.Contains("Another process", second.Error, StringComparison.Ordinal);

            var monitor = await CloisterProgram.RunAsync(["monitor", address, "--policy", At("policy"), "--state", At("m"), "--cadence", "24h", "--once"]);
            Assert.Equal((1, ""), (monitor.ExitCode, monitor.Error));
            Assert.Equal(["checkpoint", "alarm"], monitor.Output.Trim().Split('\n').Select(line => (string)JsonNode.Parse(line)!["event"]!));
            Assert.Contains("\"alarm\":\"MalformedEntry\"", monitor.Output, StringComparison.Ordinal);

            var again = await CloisterProgram.RunAsync(["monitor", address, "--policy", At("policy"), "--state", At("m"), "--cadence", "24h", "--once"]);
            Assert.Equal((0, "", ""), (again.ExitCode, again.Output, again.Error));
            Assert.Equal(0, await log.InterruptAsync());
        }
        Assert.Equal(0, await witness.InterruptAsync());
    }

    [Fact]
    public async Task What_is_wrong_is_a_sentence()
    {
        Assert.Equal(2, (await CloisterProgram.RunAsync(["log"])).ExitCode);
        await File.WriteAllTextAsync(At("log.json"), """{"listen":"here","key":"nowhere","folder":"","witnesses":"nowhere"}""");
        var outcome = await CloisterProgram.RunAsync(["log", "--configuration", At("log.json")]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.All((string[])["listen:", "key:", "folder:", "witnesses:", "submitters:"], word => Assert.Contains(word, outcome.Error, StringComparison.Ordinal));
        Assert.Equal(2, (await CloisterProgram.RunAsync(["log", "key", "a name", "--out", At("key")])).ExitCode);
        Assert.Equal(2, (await CloisterProgram.RunAsync(["monitor", "http://127.0.0.1:1", "--policy", At("log.json"), "--state", At("m")])).ExitCode);
    }

    private async Task<string> MakeKeyAsync(string program, string name)
    {
        var outcome = await CloisterProgram.RunAsync([program, "key", name, "--out", At($"{program}.key")]);
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        return outcome.Output.Trim();
    }
}
