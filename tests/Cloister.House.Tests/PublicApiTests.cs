using System.Reflection;
using Cloister.Testing;

namespace Cloister.House.Tests;

/// <summary>
/// The public face of the idea rooms is written down in src/Cloister.X/PublicApi.txt. When a change of it is meant, run these
/// tests with CLOISTER_ACCEPT_PUBLIC_API=1 and commit the new file with the change.
/// </summary>
public class PublicApiTests
{
    [Theory]
    [InlineData("Wire")]
    [InlineData("Primitives")]
    [InlineData("Attestation")]
    [InlineData("Channel")]
    [InlineData("Transparency")]
    [InlineData("Ledger")]
    [InlineData("Vault")]
    public void The_public_face_is_the_one_written_down(string room)
    {
        string file = Path.Combine(Repository.Root, "src", $"Cloister.{room}", "PublicApi.txt");
        string found = PublicApi.Describe(Assembly.Load($"Cloister.{room}"));
        if (Environment.GetEnvironmentVariable("CLOISTER_ACCEPT_PUBLIC_API") == "1")
        {
            File.WriteAllText(file, found);
        }

        string[] before = File.ReadAllLines(file);
        string[] now = found.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var differences = before.Except(now).Select(line => $"- {line.Trim()}").Concat(now.Except(before).Select(line => $"+ {line.Trim()}"));
        Assert.True(before.SequenceEqual(now), $"The public face of {room} changed:\n{string.Join('\n', differences)}");
    }
}
