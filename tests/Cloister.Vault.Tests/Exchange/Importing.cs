using System.Text;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;

namespace Cloister.Vault.Tests.Exchange;

/// <summary>Imports that tests make.</summary>
internal static class Importing
{
    public static Task<(List<Imported> Found, ImportOutcome Outcome)> ImportAsync(string text, byte account = 1) => ImportAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), account);

    public static async Task<(List<Imported> Found, ImportOutcome Outcome)> ImportAsync(Stream stream, byte account = 1)
    {
        using var keys = new NamingKeys(account);
        var import = new HistoryImport(stream, keys);
        var found = new List<Imported>();
        await foreach (var imported in import.ReadAsync(default))
        {
            found.Add(imported);
        }
        return (found, import.Outcome);
    }

    public static List<Message> Messages(this List<Imported> found) => [.. found.OfType<ImportedItem>().Select(item => item.Content).OfType<Message>()];

    /// <summary>The conversation's messages as a person sees them: indented where there is more than one.</summary>
    public static string Show(this List<Imported> found)
    {
        var text = new StringBuilder();
        var tree = MessageTree.Of(found.Messages());
        Show(tree.Roots, 0);
        return text.ToString();

        void Show(IReadOnlyCollection<Message> messages, int depth)
        {
            foreach (var message in messages)
            {
                text.Append(new string(' ', 2 * depth)).Append($"{message.Role}: {message.Text}\n");
                Show(tree.Children(message.Id), messages.Count > 1 ? depth + 1 : depth);
            }
        }
    }
}

/// <summary>A stream that gives a few bytes at a time.</summary>
internal sealed class SlowStream(byte[] bytes, int step) : MemoryStream(bytes)
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(step, buffer.Length)], cancellationToken);
}
