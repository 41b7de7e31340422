using Cloister.Attestation.ReferenceValues;
using Cloister.Testing;

namespace Cloister.Fuzz.Tests;

/// <summary>A search from seeds that are refused at once finds little.</summary>
public class ReferenceSeedTests
{
    [Fact]
    public void The_seeds_of_reference_values_are_well_formed()
    {
        Assert.All(Seeds("ovmf-image"), seed => Assert.True(FirmwareImage.TryParse(seed, out _, out var error), $"{error}"));
        Assert.All(Seeds("pe-image"), seed => Assert.True(PeImage.TryParse(seed, out _, out var error), $"{error}"));
        Assert.All(Seeds("partition-table"), seed => Assert.True(PartitionTable.TryReadEvent(seed, out _, out var error), $"{error}"));
    }

    private static IEnumerable<byte[]> Seeds(string target) => Directory.GetFiles(Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus", target)).Select(File.ReadAllBytes);
}
