using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Attestation;
using Cloister.Client;
using Spectre.Console;

namespace Cloister.Cli.Verify;

/// <summary><c>cloister verify URL</c>: the whole account of every enclave of a deployment.</summary>
internal static class VerifyCommand
{
    public static Command Make()
    {
        var address = new Argument<string?>("url") { Description = "The operator's address. Left out: where 'cloister up' runs on this machine.", Arity = ArgumentArity.ZeroOrOne };
        var policy = new Option<string?>("--policy") { Description = "What is demanded, as JSON. Left out: for a loopback address the policy that 'cloister up' wrote, otherwise the strict profile, which accepts no build that it was not told of.", HelpName = "FILE" };
        var data = DestinationOptions.DataOption();
        var session = new Option<bool>("--session") { Description = "Open a session and ask for proof that it ends in the machine that signs, now, instead of looking at the bundles that the operator hands out." };
        var json = new Option<bool>("--json") { Description = "The same account for a program." };

        var verify = new TaughtCommand("verify", "Appraise every enclave of a deployment and print each check. Nothing is sent to them, but with --session a number by chance. The exit code is 0 only if there is one and every one is accepted.", """
            cloister verify http://localhost:7000
            cloister verify --session
            cloister verify web http://localhost:7000
            cloister verify https://example.org --policy publisher.json --json
            """)
        { address, policy, data, session, json, VerifyWebCommand.Make() };
        verify.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            var destination = Choose(parsed.GetValue(address), parsed.GetValue(policy), DestinationOptions.FolderOf(parsed.GetValue(data)));
            return await RunAsync(destination, parsed.GetValue(session), parsed.GetValue(json), interruption.Token);
        });
        return verify;
    }

    // Looking is harmless, so an unknown deployment is shown under the strictest demands instead of being turned away.
    private static Destination Choose(string? address, string? policy, DataFolder data)
    {
        bool elsewhere = address is not null && policy is null && !Destination.ReadAddress(address).IsLoopback;
        return elsewhere ? new Destination(Destination.ReadAddress(address!), AppraisalPolicy.Strict([]), CheckpointMemory.ForThisRun()) : Destination.Choose(address, policy, data);
    }

    private static async Task<int> RunAsync(Destination destination, bool session, bool json, CancellationToken cancellation)
    {
        var accounts = await Speech.WaitAsync($"Asking {destination.Operator.Authority} …", () => session ? AppraiseSessionAsync(destination, cancellation) : AppraiseAllAsync(destination, cancellation));
        bool accepted = accounts.Count > 0 && accounts.TrueForAll(account => account.Result.IsAccepted);

        if (json)
        {
            var account = new Account($"{destination.Operator}", destination.Policy.Profile, accepted, [.. accounts.Select(entry => new EnclaveAccount(entry.Name, entry.Result.IsAccepted, entry.Result.IsSimulated, entry.Result.Checks))]);
            Console.Out.WriteLine(JsonSerializer.Serialize(account, VerifyJson.Default.Account));
        }
        else
        {
            Describe(destination, accounts);
        }
        return accepted ? ExitCode.Done : ExitCode.Refused;
    }

    private static async Task<List<(string Name, AttestationResult Result)>> AppraiseAllAsync(Destination destination, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        return [.. await EnclaveDirectory.AppraiseAllAsync(http, destination.Options, cancellation)];
    }

    // Before a session there is the bundle: where that is refused, no session is opened, and its account is the one to show.
    private static async Task<List<(string Name, AttestationResult Result)>> AppraiseSessionAsync(Destination destination, CancellationToken cancellation)
    {
        try
        {
            using var handler = new SealedHttpHandler(destination.Options);
            return [("of this session", await handler.AppraiseSessionAsync(cancellation))];
        }
        catch (EnclaveRefusedException refusal)
        {
            return [.. refusal.Results.Select((result, index) => ($"{index + 1}", result))];
        }
    }

    private static void Describe(Destination destination, List<(string Name, AttestationResult Result)> accounts)
    {
        if (accounts.Count == 0)
        {
            Speech.Out.WriteSentence($"{destination.Operator.Authority} lists no enclave.");
        }
        foreach (var (name, result) in accounts)
        {
            Speech.Out.MarkupLineInterpolated($"[bold]Enclave {name}[/] at {destination.Operator.Authority}");
            CheckTable.Write(Speech.Out, result.Checks);
            CheckTable.WriteVerdict(Speech.Out, result);
        }
    }
}

internal sealed record Account(string Operator, AppraisalProfile Profile, bool Accepted, IReadOnlyList<EnclaveAccount> Enclaves);

internal sealed record EnclaveAccount(string Name, bool Accepted, bool Simulated, IReadOnlyList<Check> Checks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Account))]
internal sealed partial class VerifyJson : JsonSerializerContext;
