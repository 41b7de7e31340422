using System.Text;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>
/// The table of all checks in docs/spec/checks.md is made from the code. When a change of it is meant, run this test with CLOISTER_ACCEPT_CHECKS=1
/// and commit the new file with the change.
/// </summary>
public class CheckTableTests
{
    private static readonly string File = Path.Combine(Repository.Root, "docs", "spec", "checks.md");

    [Fact]
    public void The_table_of_checks_is_the_one_written_down()
    {
        if (Environment.GetEnvironmentVariable("CLOISTER_ACCEPT_CHECKS") == "1")
        {
            System.IO.File.WriteAllText(File, Table());
        }
        Assert.Equal(System.IO.File.ReadAllText(File), Table());
    }

    private static string Table()
    {
        var text = new StringBuilder("""
            # Checks

            Every check that an appraisal can list, in its order. Made from the code (`CheckCatalogue`); a test holds it to it. Those marked • cannot be waived:
            without them nothing is proved.

            """);
        foreach (var section in CheckCatalogue.All.GroupBy(check => check.Section))
        {
            text.Append($"\n## {section.Key}\n\n| check | it passes if | if it fails | what mends it |\n|---|---|---|---|\n");
            foreach (var check in section)
            {
                text.Append($"| {check.Name}{(check.IsWaivable ? "" : " •")} | {check.Text.PassesIf} | {check.Text.Failure} | {check.Text.Mend} |\n");
            }
        }
        return text.ToString();
    }
}
