using Cloister.Testing;

namespace Cloister.Attestation.Tests;

public class ReadmeTests
{
    [Fact]
    public void The_example_does_what_it_says()
    {
        byte[] policy = Machine.Policy.ToBytes();
        Assert.Equal("AMD SEV-SNP, good until 2026-11-01 13:00:00Z, simulated", Example(policy, Machine.Bundle(), Machine.Now));
        Assert.StartsWith("The host can read the enclave's memory. Expected: the host may not debug it. Found: it may.", Example(policy, Machine.Bundle(spoil: report => report with { Policy = report.Policy | 1 << 19 }), Machine.Now));
        Assert.StartsWith("What the operator shows is no evidence of an enclave.", Example(policy, [], Machine.Now));
        Assert.StartsWith("the policy is none: The policy is not well-formed", Example([], Machine.Bundle(), Machine.Now));
    }

    [Fact]
    public void The_example_is_the_one_above()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "src", "Cloister.Attestation", "README.md"));
        string source = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Cloister.Attestation.Tests", "ReadmeTests.cs"));
        string example = readme.Split("```csharp\n")[1].Split("```")[0];
        Assert.All(example.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Contains($"        {line}\n", source, StringComparison.Ordinal));
    }

    private static string Example(byte[] policyBytes, byte[] bundle, DateTimeOffset now)
    {
        if (!AppraisalPolicy.TryParse(policyBytes, out var policy, out string? fault))
        {
            return $"the policy is none: {fault}";
        }

        var result = Appraisal.Appraise(bundle, policy, now);
        if (!result.TryAccept(out var enclave))
        {
            var failed = result.Checks.First(check => check.Verdict is Verdict.Failed && !check.IsUnreached);
            return $"{CheckCatalogue.Of(failed.Name).Text.Failure} Expected: {failed.Expected}. Found: {failed.Found}.";
        }
        return $"{result.Machine}, good until {enclave.ExpiresAt:u}{(result.IsSimulated ? ", simulated" : "")}";
    }
}
