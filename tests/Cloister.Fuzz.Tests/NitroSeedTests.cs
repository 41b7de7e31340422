using Cloister.Attestation;
using Cloister.Testing;

namespace Cloister.Fuzz.Tests;

public class NitroSeedTests
{
    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void The_seeds_are_well_formed(string seed) =>
        Assert.True(NitroDocument.TryParse(File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus", "nitro-document", seed)), out _, out var error), $"{error}");
}
