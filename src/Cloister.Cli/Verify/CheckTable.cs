using System.Text.RegularExpressions;
using Cloister.Attestation;
using Spectre.Console;

namespace Cloister.Cli.Verify;

/// <summary>An attestation result as a person reads it.</summary>
internal static partial class CheckTable
{
    /// <summary>Columns for a person; a line for each check where a program reads.</summary>
    public static void Write(IAnsiConsole console, IReadOnlyList<Check> checks)
    {
        if (!console.Profile.Out.IsTerminal)
        {
            foreach (var check in checks)
            {
                console.WriteLine($"{Mark(check.Verdict)} {Words(check.Name)}: {Found(check)}; expected: {check.Expected}");
            }
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("", "Check", "Found", "Expected");
        table.Columns[1].NoWrap();
        foreach (var check in checks)
        {
            table.AddRow(
                new Text(Mark(check.Verdict), Colour(check.Verdict)),
                new Text(Words(check.Name)),
                new Text(Found(check), Colour(check.Verdict)),
                new Text(check.Expected, new Style(Color.Grey)));
        }
        console.Write(table);
    }

    /// <summary>The verdict, and that the evidence is simulated where it is.</summary>
    public static void WriteVerdict(IAnsiConsole console, AttestationResult result)
    {
        int failed = result.Checks.Count(check => check.Verdict is Verdict.Failed), waived = result.Checks.Count(check => check.Verdict is Verdict.Waived);
        if (result.IsAccepted)
        {
            console.MarkupLineInterpolated($"[green]Accepted[/] under the {Words(result.Profile)} policy: {result.Checks.Length - waived} checks passed, {waived} waived.");
        }
        else
        {
            int unreached = result.Checks.Count(check => check.IsUnreached);
            console.MarkupLineInterpolated($"[red]Refused[/] under the {Words(result.Profile)} policy: {failed} of {result.Checks.Length} checks failed{(unreached > 0 ? $", {unreached} of them because they could not be reached" : "")}.");
            WriteFailures(console, [result]);
        }
        if (result.IsSimulated)
        {
            console.MarkupLine("[yellow]Simulated evidence:[/] no confidential hardware is behind it. It protects nothing.");
        }
    }

    public static void WriteFailures(IAnsiConsole console, IEnumerable<AttestationResult> results) => WriteFailures(console, results.SelectMany(result => result.Checks));

    public static void WriteFailures(IAnsiConsole console, IEnumerable<Check> checks)
    {
        foreach (var check in checks.Where(check => check.Verdict is Verdict.Failed && !check.IsUnreached))
        {
            var text = CheckCatalogue.Of(check.Name).Text;
            console.MarkupLineInterpolated($"  [red]✗[/] {text.Failure} ({Words(check.Name)}: expected {check.Expected}; found {check.Found}.)");
            console.MarkupLineInterpolated($"    {text.Mend}");
        }
    }

    private static string Found(Check check) => check.Verdict is Verdict.Waived ? $"{check.Found} (waived: {check.Reason})" : check.Found;

    private static string Mark(Verdict verdict) => verdict switch { Verdict.Passed => "✓", Verdict.Waived => "~", _ => "✗" };

    private static Style Colour(Verdict verdict) => new(verdict switch { Verdict.Passed => Color.Green, Verdict.Waived => Color.Yellow, _ => Color.Red });

    // "Snp.GuestDemands" is "SNP: guest demands".
    private static string Words(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        string words = Abbreviation.Replace(WordStart.Replace(name[(dot + 1)..], match => $" {match.Value.ToLowerInvariant()}"), match => match.Value.ToUpperInvariant());
        string section = name[..Math.Max(dot, 0)];
        return dot < 0 ? words : $"{(section == "Release" ? section : section.ToUpperInvariant())}: {char.ToLowerInvariant(words[0])}{words[1..]}";
    }

    private static string Words(AppraisalProfile profile) => $"{profile}".ToLowerInvariant();

    [GeneratedRegex(@"\b(abi|cxl|ecc|rapl|smt|tcb|vmpl|id|tee|qe|pck|td|svn|gpu|ocsp|rim|pcr|ak|ek)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Abbreviation { get; }

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex WordStart { get; }
}
