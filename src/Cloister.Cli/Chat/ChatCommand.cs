using System.CommandLine;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Cli.Account;
using Cloister.Cli.History;
using Cloister.Cli.Verify;
using Cloister.Client;

namespace Cloister.Cli.Chat;

/// <summary><c>cloister chat</c>: a conversation in the terminal, or one question and its answer.</summary>
internal static class ChatCommand
{
    public static Command Make()
    {
        var destination = new DestinationOptions();
        var question = new Argument<string[]>("question") { Description = "One question, answered on standard output. With text on standard input: both together.", Arity = ArgumentArity.ZeroOrMore };
        var model = new Option<string?>("--model") { Description = "One of the models that the enclave serves. Left out: the first.", HelpName = "NAME" };
        var goOn = new Option<string?>("--continue") { Description = "Go on with a conversation of your history: the beginning of its ID. Without one: the newest.", HelpName = "ID", Arity = ArgumentArity.ZeroOrOne };
        var forget = new Option<bool>("--forget") { Description = "Write nothing of this conversation anywhere, though this machine is logged in." };
        var padded = new Option<bool>("--fast") { Description = "Let records leave at once instead of at a steady pace. Faster, and who watches sees when each word was made." };

        var chat = new TaughtCommand("chat", "Talk to an enclave that passed every check. Without a question: a conversation, in which Ctrl-C stops an answer. Where 'cloister login' gave this machine an account, what is said is kept in it, sealed.", """
            cloister chat
            cloister chat "Why does attestation matter?"
            git diff | cloister chat "Write a commit message"
            cloister chat --continue          with the newest of your history, once you have logged in
            """)
        { question, model, goOn, forget, padded };
        destination.AddTo(chat);
        question.Validators.Add(result =>
        {
            // A mistyped option is not a question.
            if (result.Tokens.FirstOrDefault(token => token.Value.StartsWith("--", StringComparison.Ordinal)) is { } option)
            {
                result.AddError($"There is no option {option.Value}.");
            }
        });
        chat.SetAction(async parsed =>
        {
            var chosen = destination.Choose(parsed);
            AttestationResult? proof = null;
            using var channel = new SealedHttpHandler(chosen.Options with
            {
                Shaping = parsed.GetValue(padded) ? ShapingProfile.Padded : ShapingProfile.Paced,
                Appraised = result => proof = result,
            });
            using var talk = new EnclaveChat(channel);
            await ConnectAsync(channel, talk, chosen, parsed.GetValue(model));
            await using var account = parsed.GetValue(forget) ? null : await LoggedIn.TryOpenAsync(DestinationOptions.FolderOf(parsed.GetValue(destination.Data)), CancellationToken.None);
            var conversation = new Conversation(talk, account is null ? null : new KeptConversation(account));
            var before = parsed.GetResult(goOn) is null ? [] : await ContinueAsync(conversation, account, parsed.GetValue(goOn));

            string asked = await ReadQuestionAsync(parsed.GetValue(question) ?? []);
            if (asked.Length > 0 || Console.IsInputRedirected)
            {
                int code = await AnswerOnceAsync(conversation, asked, proof!);
                await SyncAsync(account);
                return code;
            }
            ChatLoop.Show(before);
            int left = await new ChatLoop(conversation, () => proof!).RunAsync();
            await SyncAsync(account);
            return left;
        });
        return chat;
    }

    private static async Task ConnectAsync(SealedHttpHandler channel, EnclaveChat talk, Destination destination, string? model)
    {
        using var interruption = new Interruption();
        try
        {
            await Speech.WaitAsync($"Checking the enclave at {destination.Operator.Authority} …", async () =>
            {
                await channel.ConnectAsync(interruption.Token);
                await talk.ChooseModelAsync(model, interruption.Token);
                return true;
            });
        }
        catch (EnclaveRefusedException refused)
        {
            CheckTable.WriteFailures(Speech.Error, refused.Results);
            throw;
        }
        catch (EnclaveUnreachableException fault)
        {
            throw new CommandFault(ExitCode.Unreachable, $"Nobody answers at {destination.Operator}: is 'cloister up' running? {fault.Message}", fault);
        }
    }

    private static async Task<string> ReadQuestionAsync(string[] words)
    {
        string question = string.Join(' ', words);
        string piped = Console.IsInputRedirected ? (await Console.In.ReadToEndAsync()).Trim() : "";
        return (question.Length, piped.Length) switch
        {
            (_, 0) => question,
            (0, _) => piped,
            _      => $"{question}\n\n{piped}",
        };
    }

    private static async Task<IReadOnlyList<Turn>> ContinueAsync(Conversation conversation, LoggedIn? account, string? beginning)
    {
        await SyncAsync(account);
        return await conversation.ContinueAsync(beginning, CancellationToken.None);
    }

    private static async Task SyncAsync(LoggedIn? account)
    {
        using var interruption = new Interruption();
        await (account?.SyncAsync(interruption.Token) ?? Task.CompletedTask);
    }

    private static async Task<int> AnswerOnceAsync(Conversation talk, string question, AttestationResult proof)
    {
        if (question.Length == 0)
        {
            throw new CommandFault(ExitCode.Usage, "There is no question, neither on the command line nor on standard input.");
        }
        if (proof.IsSimulated)
        {
            Console.Error.WriteLine("Simulated evidence: no confidential hardware is behind this answer.");
        }

        using var interruption = new Interruption();
        await talk.AnswerAsync(question, interruption.Token);
        return ExitCode.Done;
    }
}
