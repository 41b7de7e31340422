using System.Text.Json.Nodes;
using Cloister.Cli.Account;
using Cloister.Cli.Chat;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Cli.History;

/// <summary>The conversation at the terminal as the account keeps it: a question is on the disk before it is sent, an answer as soon as it has ended, whichever way.</summary>
internal sealed class KeptConversation(LoggedIn account)
{
    private const int LongestTitle = 60;

    private Identity _conversation = Identity.Generate();
    private Message? _last;
    private Identity? _leaf;

    public LoggedIn Account => account;

    public void Begin() => (_conversation, _last, _leaf) = (Identity.Generate(), null, null);

    /// <summary>Goes on with a conversation, and gives what was said in it.</summary>
    /// <param name="beginning">Of its ID; null: the newest.</param>
    public async Task<IReadOnlyList<Turn>> ContinueAsync(string? beginning, CancellationToken cancellation)
    {
        var history = account.History;
        var header = beginning is not null ? ConversationNames.Find(history, beginning)
            : history.Conversations.MaxBy(one => one.Newest) ?? throw new CommandFault(ExitCode.Usage, "There is no conversation yet.");
        var view = await history.ReadAsync(header.Id, cancellation);
        (_conversation, _last, _leaf) = (header.Id, view.Branch.LastOrDefault(), header.Leaf);
        return [.. view.Branch.Where(message => message.Text.Length > 0).Select(message => new Turn(RoleOf(message), message.Text))];
    }

    public async Task AskedAsync(string question, CancellationToken cancellation)
    {
        bool first = _last is null;
        await GoOnAsync(await account.History.AddAsync(new(_conversation, _last?.Id, MessageRole.User, question), cancellation), cancellation);
        if (first)
        {
            await account.History.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, JsonValue.Create(TitleOf(question)), cancellation);
        }
    }

    /// <summary>Kept even where Ctrl-C ended it: this takes no token. Not kept where the conversation was deleted on another device meanwhile.</summary>
    public async Task AnsweredAsync(string answer, string model, MessageState state)
    {
        if (answer.Length > 0)
        {
            var message = new MessageDraft(_conversation, _last?.Id, MessageRole.Assistant, answer) { Model = model, State = state }
                .ToMessage(Identity.Generate(), Clock.After(DateTimeOffset.UtcNow, _last?.Clock, account.Device.Id));
            await account.History.KeepAsync(message, CancellationToken.None);
            await GoOnAsync(message, CancellationToken.None);
        }
    }

    private async Task GoOnAsync(Message message, CancellationToken cancellation)
    {
        _last = message;
        if (_leaf is not null)
        {
            // Somebody chose a branch: the one that goes on is the one shown from now on.
            _leaf = message.Id;
            await account.History.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.LeafField, JsonValue.Create($"{message.Id}"), cancellation);
        }
    }

    private static string TitleOf(string question)
    {
        string line = question.AsSpan().Trim().ToString().ReplaceLineEndings(" ");
        if (line.Length <= LongestTitle)
        {
            return line;
        }
        int end = line.LastIndexOf(' ', LongestTitle);
        end = end < LongestTitle / 2 ? LongestTitle : end;
        return $"{line[..(char.IsHighSurrogate(line[end - 1]) ? end - 1 : end)].TrimEnd()}…";
    }

    private static string RoleOf(Message message) => message.Role switch
    {
        MessageRole.Assistant => "assistant",
        MessageRole.System    => "system",
        _                     => "user",
    };
}
