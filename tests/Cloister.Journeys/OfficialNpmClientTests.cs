using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Testing;

namespace Cloister.Journeys;

/// <summary>The official <c>openai</c> package, unmodified, through <c>cloister proxy</c>. What it does is in npm/journeys.mjs.</summary>
public class OfficialNpmClientTests(Everything everything)
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Cloister.Journeys", "npm");

    [Fact]
    public async Task Models_are_listed_and_described()
    {
        var seen = await TravelAsync(everything.Proxy, "models");
        Assert.Equal(["demonstration"], seen["models"]!.AsArray().Select(model => (string)model!));
        Assert.Equal("demonstration", (string)seen["described"]!);
    }

    [Fact]
    public async Task Chat_whole_and_streamed_say_the_same()
    {
        var whole = await TravelAsync(everything.Proxy, "chat");
        var streamed = await TravelAsync(everything.Proxy, "stream");
        Assert.NotEqual("", (string)whole["text"]!);
        Assert.Equal((string)whole["text"]!, (string)streamed["text"]!);
        Assert.Equal((int)whole["tokens"]!, (int)streamed["tokens"]!);
        Assert.True((int)streamed["pieces"]! > 2);
    }

    [Fact]
    public async Task Tools_and_unheard_of_fields_are_passed_through()
    {
        var seen = await TravelAsync(everything.ProxyToStandIn, "tools");
        Assert.Equal("weather", (string)seen["name"]!);
        Assert.Equal("required", (string)seen["sent"]!["tool_choice"]!);
        Assert.True((bool)seen["sent"]!["logprobs"]!);
        Assert.Equal("""[1.5,"é"]""", string.Concat("[", string.Join(',', seen["sent"]!["unheard_of"]!["deep"]!.AsArray().Select(item => item!.ToJsonString(Readable))), "]"));
    }

    [Fact]
    public async Task Abort_stops_the_server_in_the_enclave()
    {
        var seen = await TravelAsync(everything.ProxyToStandIn, "abort");
        Assert.True((bool)seen["aborted"]!);
        await everything.StandIn.ReaderGone.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_refusal_has_its_status_and_its_code()
    {
        var seen = await TravelAsync(everything.Proxy, "refused");
        Assert.Equal((404, "model_not_found"), ((int)seen["status"]!, (string)seen["code"]!));
    }

    private static readonly System.Text.Json.JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static async Task<JsonNode> TravelAsync(Uri proxy, string journey)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Folder, "node_modules", "openai")), "The openai package is not installed: ./test does it.");
        using var node = Process.Start(new ProcessStartInfo("node", ["journeys.mjs", $"{proxy}", journey]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var output = node.StandardOutput.ReadToEndAsync(patience.Token);
        string error = await node.StandardError.ReadToEndAsync(patience.Token);
        await node.WaitForExitAsync(patience.Token);
        Assert.True(node.ExitCode == 0, error);
        return JsonNode.Parse(await output)!;
    }
}
