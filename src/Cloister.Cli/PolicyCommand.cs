using System.CommandLine;
using System.Text;
using Cloister.Attestation;
using Cloister.Cli.Log;
using Cloister.Log.Storage;

namespace Cloister.Cli;

/// <summary><c>cloister policy</c>: what clients of a deployment demand of it, as the file that they are given.</summary>
internal static class PolicyCommand
{
    public static Command Make()
    {
        var log = new Option<string>("--log-policy") { Description = "The log's key, its witnesses, and how many of them must have seen it (C2SP tlog-policy).", HelpName = "FILE", Required = true };
        var @namespace = new Option<string>("--namespace") { Description = "Whose releases count.", HelpName = "NAME", Required = true };
        var publishers = new Option<string[]>("--publisher") { Description = "A publisher's public key, as 'cloister release key' prints it.", HelpName = "KEY", Required = true };
        var threshold = new Option<int?>("--threshold") { Description = "How many publishers must have signed. Left out: all.", HelpName = "N" };
        var builders = new Option<string[]>("--builder") { Description = "An independent builder's public key.", HelpName = "KEY" };
        var rebuilds = new Option<int?>("--rebuilds") { Description = "How many builders must have got the same files. Left out: all.", HelpName = "N" };
        var minimum = new Option<int>("--minimum-version") { Description = "The smallest security version of a release.", HelpName = "N" };
        var age = new Option<int>("--maximum-age") { Description = "How many hours old the witnesses' signatures may be, 1 to 168: for so long a recall can be withheld.", HelpName = "HOURS", DefaultValueFactory = _ => 24 };
        var from = new Option<string?>("--from") { Description = "A policy whose other demands are taken: machines, floors, waivers. Left out: the strict profile.", HelpName = "FILE" };
        var file = new Option<string>("--out") { Description = "The file of the policy.", HelpName = "FILE", Required = true };

        var policy = new TaughtCommand("policy", "Write the policy that clients are given: every build must be published. Builds and machines are those that the log names.", """
            cloister policy --log-policy log.policy --namespace example.com/assistant --publisher example.com/publisher+… --out policy.json
            """)
        { log, @namespace, publishers, threshold, builders, rebuilds, minimum, age, from, file };
        policy.SetAction(parsed =>
        {
            string logPolicy = parsed.GetRequiredValue(log);
            LogPolicyFile.Read(logPolicy);
            string[] keys = parsed.GetRequiredValue(publishers), independent = parsed.GetValue(builders) ?? [];
            var demands = new PublicationDemands
            {
                Log = File.ReadAllText(logPolicy, Encoding.UTF8),
                Namespace = parsed.GetRequiredValue(@namespace),
                Publishers = [.. keys],
                Threshold = parsed.GetValue(threshold) ?? keys.Length,
                Builders = [.. independent],
                Rebuilds = parsed.GetValue(rebuilds) ?? independent.Length,
                MinimumVersion = parsed.GetValue(minimum),
                MaximumAgeHours = parsed.GetValue(age),
            };
            Write(parsed.GetRequiredValue(file), Demanding(parsed.GetValue(from) is { } other ? Destination.ReadPolicy(other) : AppraisalPolicy.Strict([]), demands));
            return ExitCode.Done;
        });
        return policy;
    }

    /// <summary>The same policy, but that builds and machines are those that were published, and no others.</summary>
    public static AppraisalPolicy Demanding(AppraisalPolicy policy, PublicationDemands demands) => policy with
    {
        Fleet = [],
        Waivers = policy.Waivers.Remove(nameof(BundleCheck.Published)),
        Publication = demands,
        Snp = policy.Snp is { } snp ? snp with { Measurements = [] } : null,
        Tdx = policy.Tdx is { } tdx ? tdx with { Builds = [] } : null,
    };

    private static void Write(string file, AppraisalPolicy policy)
    {
        byte[] bytes = policy.ToBytes();
        if (!AppraisalPolicy.TryParse(bytes, out _, out string? fault))
        {
            throw new CommandFault(ExitCode.Usage, fault);
        }
        Disk.Real.Replace(Path.GetFullPath(file), bytes);
    }
}
