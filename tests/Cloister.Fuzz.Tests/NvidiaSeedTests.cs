using Cloister.Attestation;
using Cloister.Testing;

namespace Cloister.Fuzz.Tests;

/// <summary>A search from seeds that are refused at once finds little.</summary>
public class NvidiaSeedTests
{
    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void The_seeds_of_what_GPUs_send_are_well_formed(string number)
    {
        Assert.True(NvidiaReport.TryParse(Seed("nvidia-report", number), out _, out var error), $"{error}");
        Assert.True(ReferenceManifest.TryParse(Seed("manifest", number), out _));
        Assert.True(ReferenceManifest.TryParse(Seed("corim", number), out _));
        Assert.True(OcspResponse.TryParse(Seed("ocsp", number), out _));
        Assert.True(PemCertificates.TryParse(Seed("nvidia-chain", "1"), out var chain) && chain.Length == 5);
        Assert.True(NvidiaDeviceEvidence.TryParseJson(Seed("nvidia-evidence", "1"), out _));
    }

    private static byte[] Seed(string target, string number) => File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus", target, number));
}
