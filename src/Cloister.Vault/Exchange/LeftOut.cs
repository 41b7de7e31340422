using System.Text;

namespace Cloister.Vault.Exchange;

/// <summary>What of one conversation is not imported.</summary>
internal sealed class LeftOut
{
    private const int MaxName = 80;

    private readonly List<string> _named = [];

    public int Tools { get; set; }

    public int Reasoning { get; set; }

    public int Instructions { get; set; }

    /// <summary>What stands in the message's text instead.</summary>
    public string Name(string what)
    {
        _named.Add(what);
        return $"[Not imported: {what}]";
    }

    /// <summary>A name from the file, in one short line.</summary>
    public static string Short(string? name) => name is null ? "without a name" : string.Concat(name.EnumerateRunes().Where(letter => !Rune.IsControl(letter)).Take(MaxName));

    /// <summary>A sentence for each kind.</summary>
    public void Tell(Action<string> note)
    {
        foreach (var same in _named.GroupBy(name => name))
        {
            note(same.Count() == 1 ? $"Not imported: {same.Key}." : $"Not imported: {same.Key}, {same.Count()} times.");
        }
        Tell(note, Tools, "steps of tools");
        Tell(note, Reasoning, "pieces of reasoning");
        Tell(note, Instructions, "pieces of instructions");
    }

    private static void Tell(Action<string> note, int count, string what)
    {
        if (count > 0)
        {
            note($"Not imported: {count} {what}.");
        }
    }
}
