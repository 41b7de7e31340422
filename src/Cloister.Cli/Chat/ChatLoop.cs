using System.Runtime.InteropServices;
using Cloister.Attestation;
using Cloister.Cli.History;
using Cloister.Cli.Verify;
using Cloister.Client;
using Spectre.Console;

namespace Cloister.Cli.Chat;

/// <summary>The conversation at the terminal: a line is a question, a line that begins with a slash is a wish.</summary>
internal sealed class ChatLoop(Conversation talk, Func<AttestationResult> proof)
{
    private const int MostShown = 10;

    private const string Forgetful = """
        /proof  every check of the enclave's proof
        /new    a new conversation; nothing of this one is kept
        /quit   leave (or Ctrl-D)
        Ctrl-C  stops an answer
        """;

    private const string Keeping = """
        /proof     every check of the enclave's proof
        /new       a new conversation; this one stays in your history
        /history   the newest conversations
        /open ID   goes on with one of them
        /quit      leave (or Ctrl-D)
        Ctrl-C     stops an answer
        """;

    // Owned by the loop; the signal's thread only cancels it.
    private CancellationTokenSource? _answering;

    public async Task<int> RunAsync()
    {
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnInterrupt);
        Greet();
        while (ReadLine() is { } line)
        {
            switch (line.Trim())
            {
                case "":
                    break;
                case "/quit" or "/exit":
                    return ExitCode.Done;
                case "/new":
                    talk.BeginAnew();
                    Speech.Out.MarkupLine("[grey]A new conversation.[/]");
                    break;
                case "/proof":
                    CheckTable.Write(Speech.Out, proof().Checks);
                    CheckTable.WriteVerdict(Speech.Out, proof());
                    break;
                case "/history" when talk.Kept is { } kept:
                    foreach (var one in kept.Account.History.Conversations.Take(MostShown))
                    {
                        Speech.Out.WriteLine(ConversationNames.Line(one));
                    }
                    break;
                case var wish when wish.StartsWith("/open ", StringComparison.Ordinal) && talk.Kept is not null:
                    await OpenAsync(wish["/open ".Length..].Trim());
                    break;
                case ['/', ..] wish:
                    Speech.Out.WriteLine(wish == "/help" ? Help : $"There is no {wish}.\n{Help}");
                    break;
                case var question:
                    await AnswerAsync(question);
                    break;
            }
        }
        return ExitCode.Done;
    }

    private string Help => talk.Kept is null ? Forgetful : Keeping;

    private async Task OpenAsync(string beginning)
    {
        try
        {
            Show(await talk.ContinueAsync(beginning, CancellationToken.None));
        }
        catch (CommandFault fault)
        {
            Speech.Out.WriteSentence(fault.Message);
        }
    }

    /// <summary>Shows what was said before.</summary>
    public static void Show(IReadOnlyList<Turn> turns)
    {
        foreach (var turn in turns)
        {
            Speech.Out.MarkupLineInterpolated($"[grey]{(turn.Role == "user" ? "› " : "")}{Speech.Plain(turn.Content)}[/]");
        }
    }

    private void Greet()
    {
        CheckTable.WriteVerdict(Speech.Out, proof());
        Speech.Out.MarkupLineInterpolated($"[grey]{talk.Model} listens. /help for help.[/]");
    }

    private static string? ReadLine()
    {
        Speech.Out.Markup("\n[bold]›[/] ");
        return Console.In.ReadLine();
    }

    private async Task AnswerAsync(string question)
    {
        // Not disposed: the signal may come at the very end, and there is nothing in it to give back.
        var answering = new CancellationTokenSource();
        _answering = answering;
        try
        {
            await talk.AnswerAsync(question, answering.Token);
        }
        catch (OperationCanceledException) when (answering.IsCancellationRequested)
        {
            Speech.Out.MarkupLine("[grey]Stopped.[/]");
        }
        catch (EnclaveRefusedException refused)
        {
            // The enclave behind the address is another one now, and nothing was sent to it.
            Speech.Out.WriteSentence(refused.Message);
            CheckTable.WriteFailures(Speech.Out, refused.Results);
        }
        catch (Exception fault) when (Faults.Explain(fault) is { } explained)
        {
            Speech.Out.WriteSentence(explained.Message);
        }
        finally
        {
            _answering = null;
        }
    }

    private void OnInterrupt(PosixSignalContext context)
    {
        // At the prompt it leaves, as everywhere; the terminal does that by itself.
        if (_answering is { } answering)
        {
            context.Cancel = true;
            answering.Cancel();
        }
    }
}
