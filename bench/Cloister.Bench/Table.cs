using System.Globalization;

namespace Cloister.Bench;

/// <summary>Prints rows as a Markdown table, ready for docs/performance.md.</summary>
public static class Table
{
    public static void Print(string title, IEnumerable<Row> rows)
    {
        Console.WriteLine($"\n### {title}\n");
        Console.WriteLine("| what | unit | ours | beside | ratio | beside itself | target |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---|");
        foreach (var row in rows)
        {
            Console.WriteLine($"| {row.Name} | {row.Unit} | {Number(row.Subject)} | {Number(row.Anchor)} | {row.Ratio:0.00} | {row.Noise?.ToString("0.00", CultureInfo.InvariantCulture) ?? ""} | {row.Target} |");
        }
    }

    private static string Number(double value) => value switch
    {
        >= 1_000 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10    => value.ToString("0.0", CultureInfo.InvariantCulture),
        _        => value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
