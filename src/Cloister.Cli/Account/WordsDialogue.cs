using System.Security.Cryptography;
using Cloister.Vault.Unlockers;

namespace Cloister.Cli.Account;

/// <summary>Shows recovery words once, and asks for two of them back: what was not written down is noticed while it can still be.</summary>
internal static class WordsDialogue
{
    private const int AskedBack = 2;
    private const int MostTries = 3;

    /// <exception cref="CommandFault">They were not repeated: nothing was changed.</exception>
    public static void Show(RecoveryWords words)
    {
        Console.Out.WriteLine("Your recovery words. Write them on paper, in this order: they are shown this once.");
        Console.Out.WriteLine("Whoever has them has the account. Without them and without your devices nobody can bring it back.\n");
        for (int row = 0; row < words.Words.Count; row += 4)
        {
            Console.Out.WriteLine("  " + string.Concat(words.Words.Skip(row).Take(4).Select((word, column) => $"{row + column + 1,2} {word,-10}")).TrimEnd());
        }
        Console.Out.WriteLine();
        foreach (int place in Places(words.Words.Count))
        {
            Confirm(place, words.Words[place]);
        }
    }

    private static void Confirm(int place, string word)
    {
        for (int tries = 0; tries < MostTries; tries++)
        {
            if (string.Equals(Prompts.AskSecretly($"Word {place + 1}:"), word, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }
            Console.Error.WriteLine("That is another word.");
        }
        throw new CommandFault(ExitCode.Usage, "The words were not repeated, and nothing was changed.");
    }

    private static int[] Places(int count)
    {
        int[] places = [.. Enumerable.Range(0, count)];
        RandomNumberGenerator.Shuffle(places.AsSpan());
        return [.. places.Take(AskedBack).Order()];
    }
}
