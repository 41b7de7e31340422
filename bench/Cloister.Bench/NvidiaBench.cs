using Cloister.Attestation;
using Cloister.Testing;

namespace Cloister.Bench;

/// <summary>The verification of eight GPUs beside the signature checks in it, done by the same primitives.</summary>
internal static class NvidiaBench
{
    private const int Gpus = 8;
    private const int Batch = 10;

    public static IEnumerable<Row> Run()
    {
        var now = DateTimeOffset.UtcNow;
        using var nvidia = new NvidiaAuthority(now);
        var devices = Enumerable.Range(20, Gpus).Select(number => nvidia.Device(number)).ToArray();
        NvidiaAuthority.Holder[] shared = [nvidia.Root, nvidia.Identity, nvidia.Provisioner, nvidia.ManifestRoot, nvidia.ManifestAuthority, nvidia.ManifestIssuer, nvidia.ManifestSigner];
        NvidiaAuthority.Holder[] answered = [nvidia.Identity, nvidia.Provisioner, nvidia.ManifestAuthority, nvidia.ManifestIssuer, nvidia.ManifestSigner, .. devices.Select(device => device.BootRom)];
        var evidence = new NvidiaEvidence { Gpus = [.. devices.Select(device => nvidia.Report(device))] };
        var collateral = new NvidiaCollateral
        {
            Manifests = [nvidia.Manifest(), nvidia.Manifest(new NvidiaManifestParts { IsVbios = true })],
            OcspResponses = [.. answered.Select(subject => (ReadOnlyMemory<byte>)nvidia.Answer(subject))],
        };
        var policy = nvidia.Policy(Gpus);

        // Each certificate is signed, and so is each answer, each report and each manifest.
        byte[][] certificates = [.. shared.Concat(devices.SelectMany(device => (NvidiaAuthority.Holder[])[device.BootRom, device.Leaf])).Select(holder => holder.Certificate)];
        int signatures = certificates.Length + answered.Length + Gpus + collateral.Manifests.Length;
        yield return SideBySide.Throughput($"verifications of {Gpus} GPUs, beside reading their {certificates.Length} certificates and checking {signatures} signatures", "/s", Batch, () =>
        {
            for (int i = 0; i < Batch; i++)
            {
                if (!NvidiaVerification.Verify(evidence, collateral, policy, NvidiaAuthority.Nonce, now).IsAccepted)
                {
                    throw new InvalidOperationException("The evidence does not verify.");
                }
            }
        }, () =>
        {
            for (int i = 0; i < Batch; i++)
            {
                foreach (byte[] der in certificates)
                {
                    _ = Certificate.TryParse(der, out _);
                }
                _ = Certificate.TryParse(certificates[0], out var root);
                for (int signature = 0; signature < signatures; signature++)
                {
                    _ = root!.IsSignedBy(root);
                }
            }
        }, "≥ 0.67");
    }
}
