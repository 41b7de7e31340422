using System.CommandLine;
using Cloister.Attestation;

namespace Cloister.Cli.Release;

/// <summary>Which log, and what clients demand of what stands in it: the options that publish, refresh and verify have in common.</summary>
internal sealed class LogPlace
{
    private readonly Option<string> _log = new("--log") { Description = "The log's address.", HelpName = "URL", Required = true };
    private readonly Option<string> _policy = PolicyOption();

    public static Option<string> PolicyOption() => new("--policy") { Description = "The policy that clients are given: its member publication names the log, the witnesses and the publishers.", HelpName = "FILE", Required = true };

    public void AddTo(Command command)
    {
        command.Add(_log);
        command.Add(_policy);
    }

    public PublishedLog Open(ParseResult parsed, HttpClient http) =>
        new(http, Destination.ReadAddress(parsed.GetRequiredValue(_log)), DemandsOf(parsed.GetRequiredValue(_policy)));

    public static PublicationDemands DemandsOf(string policyFile) =>
        Destination.ReadPolicy(policyFile).Publication ?? throw new CommandFault(ExitCode.Usage, $"{policyFile} names no log: its member publication is missing.");
}
