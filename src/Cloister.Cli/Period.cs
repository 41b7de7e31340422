using System.Globalization;

namespace Cloister.Cli;

/// <summary>Times on the command line, such as 90s, 15m, 24h or 7d.</summary>
internal static class Period
{
    public static TimeSpan Read(string text)
    {
        double seconds = text.Length == 0 ? 0 : text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        return seconds > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 100_000
            ? TimeSpan.FromSeconds(seconds * number)
            : throw new CommandFault(ExitCode.Usage, $"'{text}' is not a time, such as 90s, 15m, 24h or 7d.");
    }
}
