using Cloister.Testing;
using Cloister.Transparency;

namespace Cloister.Fuzz.Tests;

/// <summary>A search from seeds that are refused at once finds little.</summary>
public class SigstoreSeedTests
{
    [Fact]
    public void The_seeds_of_Sigstores_formats_are_well_formed()
    {
        Assert.True(SigstoreBundle.TryParse(Seed("sigstore-bundle", 1), out _) && SigstoreBundle.TryParse(Seed("sigstore-bundle", 2), out _));
        Assert.True(SigstoreTrustedRoot.TryParse(Seed("trusted-root", 1), out _));
        Assert.True(InTotoStatement.TryParse(Seed("in-toto-statement", 1), out _));
    }

    private static byte[] Seed(string target, int number) => File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus", target, $"{number}"));
}
