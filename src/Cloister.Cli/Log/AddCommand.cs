using System.CommandLine;
using Cloister.Log.Client;
using Cloister.Transparency;

namespace Cloister.Cli.Log;

/// <summary><c>cloister log add FILE</c>: hands an entry to a log, and keeps no receipt that the policy does not accept.</summary>
internal static class AddCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static Command Make()
    {
        var file = new Argument<string>("file") { Description = "The entry's exact bytes: a signed statement." };
        var log = new Option<string>("--log") { Description = "The log's address.", HelpName = "URL", Required = true };
        var policy = new Option<string>("--policy") { Description = "The log's key and the witnesses that must have seen it (C2SP tlog-policy).", HelpName = "FILE", Required = true };
        var proof = new Option<string?>("--out") { Description = "The file of the proof. Left out: standard output.", HelpName = "FILE" };
        var add = new Command("add", "Hand an entry to a log and wait for its proof.") { file, log, policy, proof };
        add.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            return await RunAsync(parsed.GetRequiredValue(file), Destination.ReadAddress(parsed.GetRequiredValue(log)), LogPolicyFile.Read(parsed.GetRequiredValue(policy)), parsed.GetValue(proof), interruption.Token);
        });
        return add;
    }

    private static async Task<int> RunAsync(string file, Uri log, LogPolicy policy, string? proof, CancellationToken cancellation)
    {
        byte[] entry = File.Exists(file) ? await File.ReadAllBytesAsync(file, cancellation) : throw new CommandFault(ExitCode.Usage, $"There is no file '{file}'.");
        using var http = new HttpClient { Timeout = Patience };
        var bytes = await Speech.WaitAsync($"Waiting for {log.Authority} and its witnesses …", () => SubmitAsync(http, log, entry, policy, cancellation));

        await using var destination = proof is null ? Console.OpenStandardOutput() : File.Create(proof);
        await destination.WriteAsync(bytes, cancellation);
        return ExitCode.Done;
    }

    /// <summary>The receipt: a proof that the policy accepts.</summary>
    /// <exception cref="CommandFault">There is none.</exception>
    public static async Task<ReadOnlyMemory<byte>> SubmitAsync(HttpClient http, Uri log, ReadOnlyMemory<byte> entry, LogPolicy policy, CancellationToken cancellation)
    {
        try
        {
            var result = await LogSubmission.AddAsync(http, log, entry, policy, TimeProvider.System, Patience, cancellation);
            return result.Proof ?? throw new CommandFault(result.Fault is SubmissionFault.Busy ? ExitCode.Unreachable : ExitCode.Refused, $"There is no proof: {result.Fault}. {result.Reason}".TrimEnd());
        }
        catch (HttpRequestException fault)
        {
            throw new CommandFault(ExitCode.Unreachable, $"{log.Authority} does not answer: {fault.Message}", fault);
        }
    }
}

/// <summary>A policy in a file.</summary>
internal static class LogPolicyFile
{
    public static LogPolicy Read(string file)
    {
        if (!File.Exists(file))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no policy file '{file}'.");
        }
        return LogPolicy.TryParse(File.ReadAllBytes(file), out var policy, out var fault) ? policy : throw new CommandFault(ExitCode.Usage, $"{file} is no policy: {fault}.");
    }
}
