using System.CommandLine;
using System.Globalization;

namespace Cloister.Cli.Measure;

/// <summary>Options that several measurements have in common, and how their texts are read.</summary>
internal static class MeasureOptions
{
    public static Option<bool> Json() => new("--json") { Description = "The same as a release manifest's 'measurements'." };

    public static Option<string> Shape() => new("--shape") { Description = "What this shape of machine is called in the release, for example c3-standard-4.", HelpName = "NAME", Required = true };

    public static Option<string?> File(string name, string description) => new(name) { Description = description, HelpName = "FILE" };

    public static Option<string?> Text(string name, string description, string helpName = "TEXT") => new(name) { Description = description, HelpName = helpName };

    public static Option<string[]> Files(string name, string description) => new(name) { Description = description, HelpName = "FILE", DefaultValueFactory = _ => [] };

    /// <summary>Decimal, or hexadecimal behind 0x.</summary>
    public static ulong ReadNumber(string name, string text)
    {
        bool hexadecimal = text.StartsWith("0x", StringComparison.Ordinal);
        return ulong.TryParse(hexadecimal ? text[2..] : text, hexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? number
            : throw new CommandFault(ExitCode.Usage, $"{name} takes a number such as 33 or 0x21, not '{text}'.");
    }

    /// <summary>Bytes, or binary thousands of them behind K, M or G.</summary>
    public static ulong ReadSize(string name, string text)
    {
        int shift = text.Length == 0 ? 0 : text[^1] switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        return ulong.TryParse(shift == 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number <= ulong.MaxValue >> 30 >> 1
            ? number << shift
            : throw new CommandFault(ExitCode.Usage, $"{name} takes a size such as 4G or 2048M, not '{text}'.");
    }

    /// <summary>Refuses an option that means nothing without another.</summary>
    public static void Require(bool holds, string sentence)
    {
        if (!holds)
        {
            throw new CommandFault(ExitCode.Usage, sentence);
        }
    }
}
