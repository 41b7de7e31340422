using System.Collections.Immutable;
using System.Text;
using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Enclave.Evidence;

/// <summary>The machine's GPUs, with what the host's helper keeps for them, in the form of a bundle (docs/spec/nvidia.md, section 10).</summary>
/// <param name="attest">Has every GPU sign the nonce: <see cref="NvidiaDevices.Attest"/>.</param>
/// <param name="host">Where manifests and answers about revocation come from.</param>
public sealed class NvidiaEvidenceSource(Func<ReadOnlyMemory<byte>, ImmutableArray<NvidiaAnswer>> attest, HostCollateral host)
{
    /// <exception cref="IOException">A GPU does not answer, or what endorses it is not there yet. The message is one clear sentence.</exception>
    public NvidiaGpuEvidence Attest(ReadOnlyMemory<byte> nonce)
    {
        var evidence = new NvidiaEvidence { Gpus = [.. attest(nonce).Select(answer => new NvidiaDeviceEvidence(answer.Report, answer.CertificateChain))] };
        var set = host.Take(WantOf(evidence, nonce));
        return NvidiaGpuEvidence.Of(evidence, new NvidiaCollateral
        {
            Manifests = [.. set.Manifests.Select(manifest => Decode(manifest.Content)).DistinctBy(manifest => Convert.ToHexString(manifest.Span))],
            OcspResponses = [.. set.Revocation.Select(answer => Decode(answer.Content))],
        });
    }

    // What a device says of itself names its manifests; whether that is so, clients verify.
    private static NvidiaWant WantOf(NvidiaEvidence evidence, ReadOnlyMemory<byte> nonce)
    {
        var described = NvidiaVerification.Verify(evidence, new NvidiaCollateral(), NvidiaPolicy.Strict(evidence.Gpus.Length), nonce, DateTimeOffset.UnixEpoch).Devices;
        return described.Length == evidence.Gpus.Length
            ? new NvidiaWant
            {
                Manifests = [.. described.SelectMany(device => device.ManifestIds).Distinct().Order(StringComparer.Ordinal)],
                Chains = [.. evidence.Gpus.Select(gpu => Encoding.ASCII.GetString(gpu.Certificates.Span))],
            }
            : throw new IOException("A GPU's report does not say which driver and VBIOS it runs.");
    }

    // The set was read strictly.
    private static ReadOnlyMemory<byte> Decode(string text) => Base64.TryDecode(text, out var bytes) ? bytes : throw new System.Diagnostics.UnreachableException();
}
