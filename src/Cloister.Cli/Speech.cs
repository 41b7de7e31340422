using Spectre.Console;

namespace Cloister.Cli;

/// <summary>How the command speaks: answers on standard output, everything about them on standard error. Plain where nobody looks.</summary>
internal static class Speech
{
    // Where no terminal breaks lines, we break none: a program reads them.
    private const int Unbroken = 4096;

    public static IAnsiConsole Out { get; } = Open(Console.Out);

    public static IAnsiConsole Error { get; } = Open(Console.Error);

    /// <summary>Whether a person sees standard output, in colours.</summary>
    public static bool IsStyled(IAnsiConsole console) => console.Profile.Capabilities.Ansi && console.Profile.Out.IsTerminal && console.Profile.Capabilities.ColorSystem is not ColorSystem.NoColors;

    public static void WriteSentence(this IAnsiConsole console, string sentence) => console.MarkupLineInterpolated($"[red]{sentence}[/]");

    /// <summary>Text that somebody else wrote, without the characters that would move the cursor or set the title.</summary>
    public static string Plain(string text) => string.Concat(text.Where(letter => !char.IsControl(letter) || letter is '\n' or '\t'));

    private static IAnsiConsole Open(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = Unbroken;
        }
        return console;
    }

    /// <summary>Shows that work goes on, where a person waits for it.</summary>
    public static Task<T> WaitAsync<T>(string doing, Func<Task<T>> work) =>
        Error.Profile.Out.IsTerminal ? Error.Status().StartAsync(Markup.Escape(doing), _ => work()) : work();
}
