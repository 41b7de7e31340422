using Cloister.Attestation;
using Cloister.Primitives;
using Cloister.Simulation;

namespace Cloister.Bench;

/// <summary>A whole appraisal beside the signature checks in it, done by the same primitives.</summary>
internal static class AppraisalBench
{
    public static IEnumerable<Row> Run()
    {
        var now = DateTimeOffset.UtcNow;
        using var authority = DevelopmentAuthority.Create(now);
        using var key = X25519PrivateKey.Generate();
        var bundle = SimulatedEnclave.Bundle(authority, key.PublicKey, now);
        byte[] bytes = bundle.ToBytes();
        var policy = SimulatedEnclave.Policy(authority);
        var certificates = bundle.Evidence.Certificates.Select(Convert.FromBase64String).ToArray();

        yield return SideBySide.Throughput("appraisals, beside reading the three certificates and checking their signatures", "/s", 100, () =>
        {
            for (int i = 0; i < 100; i++)
            {
                Appraisal.Appraise(bytes, policy, now);
            }
        }, () =>
        {
            for (int i = 0; i < 100; i++)
            {
                bool signed = Certificate.TryParse(certificates[0], out var chip) && Certificate.TryParse(certificates[1], out var intermediate)
                    && Certificate.TryParse(certificates[2], out var root)
                    && chip.IsSignedBy(intermediate) && intermediate.IsSignedBy(root) && root.IsSignedBy(root);
                System.Diagnostics.Debug.Assert(signed);
            }
        }, "");
    }
}
