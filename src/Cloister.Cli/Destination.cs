using System.CommandLine;
using Cloister.Attestation;
using Cloister.Client;

namespace Cloister.Cli;

/// <summary>Which deployment a command speaks to, and what it demands of it: the options that chat, proxy and verify have in common.</summary>
internal sealed record Destination(Uri Operator, AppraisalPolicy Policy, CheckpointMemory Memory)
{
    public static readonly Uri Usual = new("http://localhost:7000/");

    /// <param name="address">Null: where <c>up</c> runs.</param>
    /// <param name="policyFile">Null: for a loopback address the policy that <c>up</c> wrote; otherwise there must be one.</param>
    public static Destination Choose(string? address, string? policyFile, DataFolder data)
    {
        var uri = address is null ? data.Address ?? Usual : ReadAddress(address);
        var policy = policyFile is not null ? ReadPolicy(policyFile) : FindPolicy(uri, data);
        return new Destination(uri, policy, CheckpointFile.For(policy, data));
    }

    /// <summary>What a client of it starts with.</summary>
    public ClientOptions Options => new() { Operator = Operator, Policy = Policy, Memory = Memory };

    public static Uri ReadAddress(string text) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}", UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? new Uri(uri.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/")
            : throw new CommandFault(ExitCode.Usage, $"'{text}' is not an address, such as {Usual}.");

    public static AppraisalPolicy ReadPolicy(string file)
    {
        if (!File.Exists(file))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no policy file '{file}'.");
        }
        return AppraisalPolicy.TryParse(File.ReadAllBytes(file), out var policy, out string? fault) ? policy : throw new CommandFault(ExitCode.Usage, $"{file}: {fault}");
    }

    // A development policy accepts evidence that protects nothing, so it is never taken up unasked for a machine that is not this one.
    private static AppraisalPolicy FindPolicy(Uri address, DataFolder data)
    {
        if (!address.IsLoopback)
        {
            throw new CommandFault(ExitCode.Usage, $"Which builds are good at {address.Authority}? Name the publisher's policy with --policy FILE.");
        }
        return File.Exists(data.PolicyPath)
            ? ReadPolicy(data.PolicyPath)
            : throw new CommandFault(ExitCode.Usage, "There is no policy yet: start 'cloister up' on this machine first, or name one with --policy FILE.");
    }
}

/// <summary>The same three options wherever a command has a destination.</summary>
internal sealed class DestinationOptions
{
    public Option<string?> Operator { get; } = new("--operator") { Description = "The operator's address. Left out: where 'cloister up' runs on this machine.", HelpName = "URL" };

    public Option<string?> Policy { get; } = new("--policy") { Description = "What is demanded of the enclave, as JSON. Left out: the policy that 'cloister up' wrote, and only for a loopback address.", HelpName = "FILE" };

    public Option<string?> Data { get; } = DataOption();

    public static Option<string?> DataOption() => new("--data") { Description = "Where this machine's authority, policy and models are kept. Left out: ~/.local/share/cloister.", HelpName = "DIR" };

    public void AddTo(Command command)
    {
        command.Add(Operator);
        command.Add(Policy);
        command.Add(Data);
    }

    public Destination Choose(ParseResult parsed) => Destination.Choose(parsed.GetValue(Operator), parsed.GetValue(Policy), FolderOf(parsed.GetValue(Data)));

    public static DataFolder FolderOf(string? data) => data is null ? DataFolder.Default : new DataFolder(Path.GetFullPath(data));
}
