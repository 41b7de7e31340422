using System.CommandLine;
using System.Globalization;
using Cloister.Cli.Account;
using Cloister.Client.History;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;

namespace Cloister.Cli.History;

/// <summary><c>cloister history</c>: the conversations of the account, as this machine has them.</summary>
internal static class HistoryCommand
{
    private const int MostHits = 50;

    public static Command Make()
    {
        var history = new TaughtCommand("history", "Your conversations: list, show, search, export, import, delete. Everything is on this machine and works without a network.", """
            cloister history
            cloister history show 1f3c
            cloister history search rent contract
            cloister history export backup.jsonl
            cloister history import export.zip      from ChatGPT or Claude, as it came
            """)
        { MakeList(), MakeShow(), MakeSearch(), MakeExport(), MakeImport(), MakeDelete() };
        var data = DestinationOptions.DataOption();
        history.Add(data);
        history.SetAction(parsed => ListAsync(parsed, data));
        return history;
    }

    private static Command MakeList()
    {
        var data = DestinationOptions.DataOption();
        var list = new Command("list", "All conversations, the newest first.") { data };
        list.SetAction(parsed => ListAsync(parsed, data));
        return list;
    }

    private static Task<int> ListAsync(ParseResult parsed, Option<string?> data) => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
    {
        await account.SyncAsync(cancellation);
        foreach (var one in account.History.Conversations)
        {
            Console.Out.WriteLine(ConversationNames.Line(one));
        }
    });

    private static Command MakeShow()
    {
        var id = new Argument<string>("id") { Description = "The beginning of its ID." };
        var data = DestinationOptions.DataOption();
        var show = new Command("show", "One conversation, as it was shown last.") { id, data };
        show.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            await account.SyncAsync(cancellation);
            var view = await account.History.ReadAsync(ConversationNames.Find(account.History, parsed.GetRequiredValue(id)).Id, cancellation);
            Console.Out.WriteLine(ConversationNames.Title(view.Header));
            foreach (var message in view.Branch)
            {
                Console.Out.WriteLine($"\n{ConversationNames.Speaker(message)}{(message.State is MessageState.Complete ? "" : $" ({(message.State is MessageState.Stopped ? "stopped" : "broken off")})")}");
                Console.Out.WriteLine(Speech.Plain(message.Text));
                foreach (var attachment in message.Attachments)
                {
                    Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{Speech.Plain(attachment.Name)}, {attachment.Length} bytes]"));
                }
            }
        }));
        return show;
    }

    private static Command MakeSearch()
    {
        var words = new Argument<string[]>("words") { Description = "All of them must be there; each may be the beginning of a longer one.", Arity = ArgumentArity.OneOrMore };
        var data = DestinationOptions.DataOption();
        var search = new Command("search", "Messages and titles that have all of the words. The search runs on this machine; what is asked for leaves it for nobody.") { words, data };
        search.SetAction(async parsed =>
        {
            int found = 0;
            await LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
            {
                await account.SyncAsync(cancellation);
                await foreach (var hit in account.History.SearchAsync(string.Join(' ', parsed.GetRequiredValue(words)), cancellation))
                {
                    Console.Out.WriteLine($"{ConversationNames.Line(hit.Conversation)}");
                    Console.Out.WriteLine($"    {(hit.Message is { } message ? $"{ConversationNames.Speaker(message)}: " : "")}{Speech.Plain(hit.Snippet.Text).ReplaceLineEndings(" ")}");
                    if (++found == MostHits)
                    {
                        Console.Error.WriteLine($"The newest {MostHits}; there may be more.");
                        break;
                    }
                }
            });
            return found > 0 ? ExitCode.Done : ExitCode.Refused;
        });
        return search;
    }

    private static Command MakeExport()
    {
        var file = new Argument<string>("file") { Description = "Where to write; a file that is there is not overwritten. A hyphen: standard output." };
        var data = DestinationOptions.DataOption();
        var export = new Command("export", "Everything, in one text file that everybody can read who has it: it is no longer sealed.") { file, data };
        export.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            await account.SyncAsync(cancellation);
            string path = parsed.GetRequiredValue(file);
            if (path == "-")
            {
                await using var output = Console.OpenStandardOutput();
                TellMissing(await account.History.ExportAsync(output, cancellation));
                return;
            }
            ExportOutcome? outcome = null;
            await WriteAsync(path, async written => outcome = await account.History.ExportAsync(written, cancellation));
            TellMissing(outcome!);
            Console.Error.WriteLine($"Exported to {path}. It is not sealed: keep it where nobody else reads it.");
        }));
        return export;
    }

    private static void TellMissing(ExportOutcome outcome)
    {
        if (outcome.LeftOut > 0)
        {
            Console.Error.WriteLine($"Not in it: {outcome.LeftOut} items that this program cannot read. A newer program of yours wrote them, or they are under a newer key.");
        }
        if (outcome.Attachments > 0)
        {
            Console.Error.WriteLine($"Not in it: the contents of {outcome.Attachments} attachments. The messages name them.");
        }
    }

    private static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        try
        {
            await PrivateFile.CreateWholeAsync(path, write);
        }
        catch (IOException fault) when (Faults.Explain(fault) is null)
        {
            throw new CommandFault(ExitCode.Usage, Path.Exists(path) ? $"'{path}' is there already." : $"'{path}' cannot be written: {fault.Message}", fault);
        }
    }

    private static Command MakeImport()
    {
        var file = new Argument<string>("file") { Description = "An export of Cloister, ChatGPT or Claude: the .zip as it came, or the conversations.json in it. A hyphen: standard input, for what is no .zip." };
        var data = DestinationOptions.DataOption();
        var import = new Command("import", "Take over conversations from a file. Importing twice changes nothing.") { file, data };
        import.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            string path = parsed.GetRequiredValue(file);
            if (path != "-" && !File.Exists(path))
            {
                throw new CommandFault(ExitCode.Usage, $"There is no file '{path}'.");
            }
            await using Stream source = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            var outcome = await account.History.ImportAsync(source, cancellation);
            Console.Out.WriteLine($"{outcome.Conversations} conversations, {outcome.Messages} messages, {outcome.Others} others read.");
            foreach (var note in outcome.Notes)
            {
                string where = Where(note.File, note.Where);
                Console.Error.WriteLine($"{where}{(where.Length > 0 ? ": " : "")}{Speech.Plain(note.Sentence)}");
            }
            if (outcome.NoteCount > outcome.Notes.Length)
            {
                Console.Error.WriteLine($"And {outcome.NoteCount - outcome.Notes.Length} more of the kind.");
            }
            if (outcome.Fault is not ImportFault.None)
            {
                throw new CommandFault(ExitCode.Usage, Explain(outcome));
            }
            await account.SyncAsync(cancellation);
        }));
        return import;
    }

    private static string Explain(ImportOutcome outcome) => outcome.Fault switch
    {
        ImportFault.UnknownFormat when outcome.FaultFile is null => "That is neither an export of Cloister nor one of ChatGPT or Claude. Nothing was imported.",
        ImportFault.UnknownFormat           => $"“{Named(outcome)}” in it holds no conversations of ChatGPT or Claude. Everything before was imported.",
        ImportFault.TooLong                 => $"At {Where(outcome.FaultFile, outcome.FaultAt)} there is more in one piece than an import takes. Everything before was imported.",
        ImportFault.ZipDamaged when outcome.FaultFile is null => "That begins as a .zip file and is damaged, or ends too early. Nothing was imported.",
        ImportFault.ZipDamaged              => $"“{Named(outcome)}” in it is damaged. What could be read before was imported.",
        ImportFault.ZipBomb                 => $"{(outcome.FaultFile is null ? "It" : $"“{Named(outcome)}” in it")} unpacks to far more than any history does: it was made to fill a disk (a “zip bomb”). Nothing was imported.",
        ImportFault.ZipEncrypted            => $"“{Named(outcome)}” in it is encrypted. Unpack it with its password, and import that file. Nothing was imported.",
        ImportFault.ZipNested               => $"“{Named(outcome)}” in it is a .zip file itself, and is not opened. Unpack that one, and import it. Nothing of it was imported.",
        ImportFault.ZipMethod               => $"“{Named(outcome)}” in it is packed in a way that is not read here. Unpack it, and import that file. Nothing was imported.",
        ImportFault.ZipWithoutConversations => "In that .zip file there is no conversations.json: it is no export of ChatGPT or Claude. Nothing was imported.",
        ImportFault.ZipFromPipe             => "A .zip file is read from its end, so it is imported from a file and not from standard input. Nothing was imported.",
        _                                   => $"At {Where(outcome.FaultFile, outcome.FaultAt)} the file is damaged, or ends too early. Everything before was imported.",
    };

    private static string Named(ImportOutcome outcome) => Where(outcome.FaultFile, 0);

    private static string Where(string? file, long at) => Speech.Plain($"{file}{(file is null || at == 0 ? "" : " ")}{(at == 0 ? "" : at.ToString(CultureInfo.InvariantCulture))}").ReplaceLineEndings(" ");

    private static Command MakeDelete()
    {
        var id = new Argument<string>("id") { Description = "The beginning of its ID." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var data = DestinationOptions.DataOption();
        var delete = new Command("delete", "Delete a conversation on every device. Nobody can bring it back.") { id, yes, data };
        delete.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            await account.SyncAsync(cancellation);
            var found = ConversationNames.Find(account.History, parsed.GetRequiredValue(id));
            if (!parsed.GetValue(yes) && !Prompts.Agree($"Delete “{ConversationNames.Title(found)}” on every device?"))
            {
                throw new CommandFault(ExitCode.Usage, "Nothing was deleted.");
            }
            await account.History.DeleteConversationAsync(found.Id, cancellation);
            await account.SyncAsync(cancellation);
        }));
        return delete;
    }
}
