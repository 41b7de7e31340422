using System.Collections.Immutable;
using Cloister.Log.Monitor;
using Cloister.Log.Witnesses;
using Cloister.Transparency;

namespace Cloister.Log.Tests;

public class OptionsTests
{
    [Fact]
    public async Task Every_fault_of_a_log_is_reported_at_once()
    {
        await using var town = await Town.BuildAsync(1);
        var options = town.Options() with
        {
            Listen = "here",
            Folder = "",
            Key = town.WitnessKeyFile(0),
            Witnesses = town.KeyFile,
            Open = true,
            Submitters = ImmutableDictionary<string, ImmutableArray<string>>.Empty.Add("ns", ["no key"]),
            Bucket = new() { Endpoint = "ftp://x", Region = "", Name = "a/b", Prefix = "../", Credentials = "/nowhere" },
            MaxPending = 0,
            AddSeconds = 0,
            WitnessSeconds = 0,
            PaceMilliseconds = -1,
            RefreshMinutes = 0,
        };
        Assert.Equal(16, options.Faults().Length);
        Assert.All(options.Faults(), fault => Assert.Contains(fault, Assert.Throws<ArgumentException>(() => LogProgram.Build(options)).Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_fault_alone_is_one()
    {
        await using var town = await Town.BuildAsync(2);
        var good = town.Options();
        Assert.Empty(good.Faults());
        using var other = SignerKey.Generate("example.com/other", NoteKeyType.Ed25519);
        string text = await File.ReadAllTextAsync(town.PolicyFile);
        Assert.Single((good with { Open = false }).Faults());
        foreach (string policy in (string[])
            [text.Replace($"{town.LogKey}", $"{other.Verifier}", StringComparison.Ordinal),
            text.Replace($"{town.WitnessAddress(1)}", "ftp://witness", StringComparison.Ordinal),
            text.Replace($" {town.WitnessAddress(1)}", "", StringComparison.Ordinal),
            "quorum nobody\n"])
        {
            await File.WriteAllTextAsync(town.PolicyFile, policy);
            Assert.Single(good.Faults());
        }
    }

    [Fact]
    public async Task Every_fault_of_a_witness_is_reported_at_once()
    {
        await using var town = await Town.BuildAsync(1);
        var good = town.WitnessOptions(0);
        Assert.Empty(good.Faults());
        var options = new WitnessOptions { Listen = "here", Folder = "", Keys = [town.KeyFile, "/nowhere"], Logs = ["no key", $"{town.WitnessKey(0).Verifier}"] };
        Assert.Equal(6, options.Faults().Length);
        Assert.Equal(2, (good with { Keys = [], Logs = [] }).Faults().Length);
        Assert.Throws<ArgumentException>(() => WitnessProgram.Build(options));
    }

    [Theory]
    [InlineData("""{"listen":"127.0.0.1:0","keys":["KEY"],"folder":"F","logs":["LOG"]}""", true)]
    [InlineData("""{"listen":"127.0.0.1:0","keys":["KEY"],"folder":"F","logs":["LOG"],"more":1}""", false)]
    [InlineData("""{"listen":"127.0.0.1:0","keys":["KEY"],"keys":["KEY"],"folder":"F","logs":["LOG"]}""", false)]
    [InlineData("""{"listen":"127.0.0.1:0","keys":["KEY"],"folder":"F"}""", false)]
    [InlineData("""{"listen":null,"keys":["KEY"],"folder":"F","logs":["LOG"]}""", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public async Task A_file_is_read_strictly(string json, bool accepted)
    {
        await using var town = await Town.BuildAsync(1);
        string file = Path.Combine(town.Folder, "witness.json");
        await File.WriteAllTextAsync(file, json.Replace("KEY", town.WitnessKeyFile(0), StringComparison.Ordinal).Replace("LOG", $"{town.LogKey}", StringComparison.Ordinal));
        Assert.Equal(accepted, WitnessOptions.TryRead(file, out var options, out var faults));
        Assert.Equal((accepted, accepted), (options is not null, faults.IsEmpty));
    }

    [Fact]
    public async Task A_logs_file_may_say_everything()
    {
        await using var town = await Town.BuildAsync(1);
        string file = Path.Combine(town.Folder, "log.json"), secret = Path.Combine(town.Folder, "s3");
        await File.WriteAllTextAsync(secret, "id\nsecret\n");
        await File.WriteAllTextAsync(file, $$"""
            {"listen":"127.0.0.1:0","key":"{{town.KeyFile}}","folder":"{{town.Folder}}/log","witnesses":"{{town.PolicyFile}}",
            "submitters":{"{{Town.Namespace}}":["{{town.Publisher.Verifier}}"]},"postgres":"Host=db",
            "bucket":{"endpoint":"https://s3.example","region":"here-1","name":"tiles","prefix":"log/","credentials":"{{secret}}"},
            "max_pending":10,"add_seconds":1,"witness_seconds":2,"pace_milliseconds":3,"refresh_minutes":4}
            """);
        Assert.True(LogOptions.TryRead(file, out var options, out _));
        Assert.Equal((Town.Namespace, "log/", 4), (options.Submitters!.Single().Key, options.Bucket!.Prefix, options.RefreshMinutes));
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("\"prefix\"", "\"folder\"", StringComparison.Ordinal));
        Assert.False(LogOptions.TryRead(file, out _, out var faults));
        Assert.Single(faults);
    }

    [Fact]
    public void A_monitor_is_asked_for_what_it_can_do()
    {
        var options = new MonitorOptions { Log = new("http://log/"), Policy = PaintedLog.Policy, Folder = "f" };
        Assert.Empty(options.Faults());
        var none = PaintedLog.Parse($"log {PaintedLog.Key.Verifier}\nquorum none\n");
        Assert.Equal(6, (options with { Log = new("ftp://log/"), Also = [new("ftp://log/")], Folder = "", Cadence = TimeSpan.Zero, Policy = none, Growth = TimeSpan.Zero, Artifacts = "{name}" }).Faults().Distinct().Count() - 1);
    }

    [Fact]
    public async Task A_key_is_made_for_one_user_and_never_overwritten()
    {
        await using var town = await Town.BuildAsync(0);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(town.KeyFile));
        Assert.True(KeyFiles.TryRead(town.KeyFile, out var key));
        Assert.Equal(town.LogKey, key.Verifier);
        Assert.Throws<IOException>(() => KeyFiles.Create(town.KeyFile, Town.Origin, NoteKeyType.Ed25519));
        Assert.True(KeyFiles.TryRead(town.KeyFile, out var same));
        Assert.Equal(key.Verifier, same.Verifier);
        Assert.Throws<ArgumentException>(() => KeyFiles.Create(Path.Combine(town.Folder, "b"), "a name", NoteKeyType.Ed25519));
    }
}
