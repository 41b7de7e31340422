using System.Text;
using Cloister.Testing;

namespace Cloister.Transparency.Tests;

public class ReadmeTests
{
    [Fact]
    public void The_example_does_what_it_says()
    {
        byte[][] entries = [[1], [2], [3]];
        byte[] policy = Encoding.UTF8.GetBytes(World.PolicyText), proof = World.Proof(entries, 1).ToBytes();
        Assert.Equal("entry 1 of example.com/log, seen by 3 witnesses", Example(policy, proof, entries[1], World.Now));
        Assert.Equal("refused: NotIncluded", Example(policy, proof, entries[2], World.Now));
        Assert.Equal("refused: TooOld", Example(policy, proof, entries[1], World.Now.AddDays(2)));
        Assert.Equal("the policy is none: MissingNewline", Example([], proof, entries[1], World.Now));
        Assert.Equal("the proof is none", Example(policy, [], entries[1], World.Now));
    }

    [Fact]
    public void The_example_is_the_one_above()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "src", "Cloister.Transparency", "README.md"));
        string source = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Cloister.Transparency.Tests", "ReadmeTests.cs"));
        string example = readme.Split("```csharp\n")[1].Split("```")[0];
        Assert.All(example.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Contains($"        {line}\n", source, StringComparison.Ordinal));
    }

    private static string Example(byte[] policyBytes, byte[] proofBytes, byte[] entry, DateTimeOffset now)
    {
        if (!LogPolicy.TryParse(policyBytes, out var policy, out var policyFault))
        {
            return $"the policy is none: {policyFault}";
        }
        if (!LogProof.TryParse(proofBytes, out var proof))
        {
            return "the proof is none";
        }

        var result = proof.Verify(entry, policy, now, maximumAge: TimeSpan.FromHours(24));
        return result.Fault is LogProofFault.None
            ? $"entry {proof.Index} of {result.Checkpoint!.Origin}, seen by {result.Cosignatures.Length} witnesses"
            : $"refused: {result.Fault}";
    }
}
