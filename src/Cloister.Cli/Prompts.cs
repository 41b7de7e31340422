using System.Text;

namespace Cloister.Cli;

/// <summary>Asks the person at the terminal, on standard error; where standard input is not a terminal, takes its next line instead. Nothing secret is ever an argument: the list of processes shows those.</summary>
internal static class Prompts
{
    private static volatile bool _waits;

    /// <summary>Whether it waits for an answer right now. Neither a line nor a key can be waited for with a token: only the program's end ends that.</summary>
    public static bool Waits => _waits;

    /// <exception cref="CommandFault">Standard input has ended.</exception>
    public static string Ask(string question)
    {
        string answer = Await(question, Console.In.ReadLine) ?? throw Ended();
        if (Console.IsInputRedirected)
        {
            Console.Error.WriteLine();
        }
        return answer.Trim();
    }

    /// <summary>What is typed does not show. Spaces at either end belong to it.</summary>
    public static string AskSecretly(string question)
    {
        string answer = Await(question, Console.IsInputRedirected ? Console.In.ReadLine : ReadKeys) ?? throw Ended();
        Console.Error.WriteLine();
        return answer;
    }

    /// <summary>Only the letter y, or yes, is a yes.</summary>
    public static bool Agree(string question) => Ask($"{question} (y/n)").ToUpperInvariant() is "Y" or "YES";

    private static string? Await(string question, Func<string?> answer)
    {
        _waits = true;
        try
        {
            Console.Error.Write($"{question} ");
            return answer();
        }
        finally
        {
            _waits = false;
        }
    }

    /// <returns>Null for Ctrl-D on an empty line.</returns>
    private static string? ReadKeys()
    {
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    return typed.ToString();
                case ConsoleKey.Backspace:
                    typed.Length = Math.Max(0, typed.Length - 1);
                    break;
                case ConsoleKey.U when key.Modifiers.HasFlag(ConsoleModifiers.Control):
                    typed.Clear();
                    break;
                case ConsoleKey.D when key.Modifiers.HasFlag(ConsoleModifiers.Control) && typed.Length == 0:
                    return null;
                default:
                    if (!char.IsControl(key.KeyChar))
                    {
                        typed.Append(key.KeyChar);
                    }
                    break;
            }
        }
    }

    private static CommandFault Ended() => new(ExitCode.Usage, "Standard input ended before the answer.");
}
