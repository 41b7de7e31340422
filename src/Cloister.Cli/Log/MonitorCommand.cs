using System.Collections.Immutable;
using System.CommandLine;
using Cloister.Log.Monitor;
using Cloister.Transparency;

namespace Cloister.Cli.Log;

/// <summary><c>cloister monitor URL</c>: follows a log and says, line by line in JSON, what was published and what is wrong.</summary>
internal static class MonitorCommand
{
    private static readonly TimeSpan HttpPatience = TimeSpan.FromSeconds(30);

    public static Command Make()
    {
        var log = new Argument<string>("url") { Description = "The log's address." };
        var policy = new Option<string>("--policy") { Description = "The log's key and the witnesses that must have seen it (C2SP tlog-policy).", HelpName = "FILE", Required = true };
        var state = new Option<string>("--state") { Description = "The folder of what the monitor remembers, and of evidence.", HelpName = "DIR", Required = true };
        var also = new Option<string[]>("--also") { Description = "Another address of the same log, whose checkpoints are compared.", HelpName = "URL" };
        var cadence = new Option<string?>("--cadence") { Description = "How often the log promised a freshly cosigned checkpoint, such as 24h.", HelpName = "TIME" };
        var growth = new Option<string?>("--growth") { Description = "How often the log promised a new entry, such as 7d.", HelpName = "TIME" };
        var publishers = new Option<string[]>("--publisher") { Description = "Who may publish in a namespace: an entry there that none of its publishers signed is an alarm.", HelpName = "NAMESPACE=KEY" };
        var artifacts = new Option<string?>("--artifacts") { Description = "Where released artifacts are public, with {name}, {version} and {sha256} in it.", HelpName = "URL" };
        var every = new Option<string>("--every") { Description = "How often to look.", HelpName = "TIME", DefaultValueFactory = _ => "60s" };
        var once = new Option<bool>("--once") { Description = "Look once. The exit code is 1 if there was an alarm." };

        var monitor = new TaughtCommand("monitor", "Follow a log as a stranger: check that it only grows, list what it publishes, raise alarms. One line of JSON for each.", """
            cloister monitor https://log.example/ --policy log.policy --state monitor --cadence 24h
            cloister monitor https://log.example/ --policy log.policy --state monitor --also https://mirror.example/ --once
            cloister monitor https://log.example/ --policy log.policy --state monitor --artifacts 'https://releases.example/{version}/{name}'
            """)
        { log, policy, state, also, cadence, growth, publishers, artifacts, every, once };
        monitor.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            var options = new MonitorOptions
            {
                Log = Destination.ReadAddress(parsed.GetRequiredValue(log)),
                Also = [.. (parsed.GetValue(also) ?? []).Select(Destination.ReadAddress)],
                Policy = LogPolicyFile.Read(parsed.GetRequiredValue(policy)),
                Folder = parsed.GetRequiredValue(state),
                Cadence = parsed.GetValue(cadence) is { } often ? Period.Read(often) : null,
                Growth = parsed.GetValue(growth) is { } grows ? Period.Read(grows) : null,
                Watched = ReadPublishers(parsed.GetValue(publishers) ?? []),
                Artifacts = parsed.GetValue(artifacts),
            };
            return await RunAsync(options, parsed.GetValue(once) ? null : Period.Read(parsed.GetRequiredValue(every)), interruption.Token);
        });
        return monitor;
    }

    private static async Task<int> RunAsync(MonitorOptions options, TimeSpan? every, CancellationToken cancellation)
    {
        if (options.Faults() is { IsEmpty: false } faults)
        {
            throw new CommandFault(ExitCode.Usage, string.Join(' ', faults));
        }
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = HttpPatience };
        using var monitor = new LogMonitor(options, http, TimeProvider.System);
        while (true)
        {
            bool alarmed = false;
            await foreach (var one in monitor.LookAsync(cancellation))
            {
                Console.Out.WriteLine(one.ToJson());
                alarmed |= one.Alarm is not null;
            }
            if (every is not { } pause)
            {
                return alarmed ? ExitCode.Refused : ExitCode.Done;
            }
            await Task.Delay(pause, cancellation);
        }
    }

    private static ImmutableDictionary<string, PublisherKeys> ReadPublishers(string[] pairs) => pairs
        .Select(pair => (Namespace: pair.Split('=')[0], Key: pair.IndexOf('=', StringComparison.Ordinal) is > 0 and var at && VerifierKey.TryParse(pair.AsSpan(at + 1), out var key) && key.Type is NoteKeyType.Ed25519
            ? key : throw new CommandFault(ExitCode.Usage, $"'{pair}' is not NAMESPACE=KEY with a publisher's public key.")))
        .GroupBy(pair => pair.Namespace, StringComparer.Ordinal)
        .ToImmutableDictionary(group => group.Key, group => new PublisherKeys(1, [.. group.Select(pair => pair.Key).Distinct()]));
}
