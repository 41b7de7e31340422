using Cloister.Client.History;
using Cloister.Vault.History;
using Cloister.Wire;

namespace Cloister.Cli.History;

/// <summary>How conversations are called at the terminal: by the beginning of their identity in hex.</summary>
internal static class ConversationNames
{
    private const int ShortId = 8;

    public static string Line(ConversationHeader one) =>
        $"{Hex.Encode(one.Id.ToArray())[..ShortId]}  {one.Newest?.Time.ToLocalTime():yyyy-MM-dd HH:mm}  {(one.Pinned ? "* " : "")}{Title(one)}{(one.Archived ? " (archived)" : "")}";

    public static string Title(ConversationHeader one) => one.Title.Length > 0 ? Speech.Plain(one.Title).ReplaceLineEndings(" ") : "(no title)";

    public static string Speaker(Message message) => message.Role switch
    {
        MessageRole.User      => "You",
        MessageRole.Assistant => message.Model is { } model ? Speech.Plain(model) : "Assistant",
        _                     => "System",
    };

    /// <exception cref="CommandFault">There is none, or there are several.</exception>
    public static ConversationHeader Find(UserHistory history, string beginning)
    {
        var found = history.Conversations.Where(one => Hex.Encode(one.Id.ToArray()).StartsWith(beginning, StringComparison.OrdinalIgnoreCase)).Take(2).ToList();
        return found.Count == 1 && beginning.Length > 0 ? found[0]
            : throw new CommandFault(ExitCode.Usage, found.Count == 0 ? $"There is no conversation '{beginning}': 'cloister history' lists them." : $"'{beginning}' may be several conversations: give more of the ID.");
    }
}
