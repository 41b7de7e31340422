using System.CommandLine;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Client;
using Cloister.Cli.Verify;

namespace Cloister.Cli.Chat;

/// <summary><c>cloister chat</c>: a conversation in the terminal, or one question and its answer.</summary>
internal static class ChatCommand
{
    public static Command Make()
    {
        var destination = new DestinationOptions();
        var question = new Argument<string[]>("question") { Description = "One question, answered on standard output. With text on standard input: both together.", Arity = ArgumentArity.ZeroOrMore };
        var model = new Option<string?>("--model") { Description = "One of the models that the enclave serves. Left out: the first.", HelpName = "NAME" };
        var padded = new Option<bool>("--fast") { Description = "Let records leave at once instead of at a steady pace. Faster, and who watches sees when each word was made." };

        var chat = new TaughtCommand("chat", "Talk to an enclave that passed every check. Without a question: a conversation, in which Ctrl-C stops an answer.", """
            cloister chat
            cloister chat "Why does attestation matter?"
            git diff | cloister chat "Write a commit message"
            """)
        { question, model, padded };
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
            using var channel = new SealedHttpHandler(new ClientOptions
            {
                Operator = chosen.Operator,
                Policy = chosen.Policy,
                Shaping = parsed.GetValue(padded) ? ShapingProfile.Padded : ShapingProfile.Paced,
                Appraised = result => proof = result,
            });
            using var talk = new EnclaveChat(channel);
            await ConnectAsync(channel, talk, chosen, parsed.GetValue(model));

            string asked = await ReadQuestionAsync(parsed.GetValue(question) ?? []);
            return asked.Length > 0 || Console.IsInputRedirected
                ? await AnswerOnceAsync(talk, asked, proof!)
                : await new ChatLoop(talk, () => proof!).RunAsync();
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

    private static async Task<int> AnswerOnceAsync(EnclaveChat talk, string question, AttestationResult proof)
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
        await AnswerWriter.WriteAsync(talk.SayAsync(question, interruption.Token));
        return ExitCode.Done;
    }
}
