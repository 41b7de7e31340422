using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>The manifests of one verification: each is read and its signature verified once, however many devices it is for (docs/spec/nvidia.md, section 5).</summary>
internal sealed class ManifestJudgement(NvidiaPolicy policy, CertificateShelf shelf, OcspJudgement revocation, NvidiaFindings findings, DateTimeOffset now)
{
    /// <summary>Ours to choose. A machine has one driver and a few kinds of boards.</summary>
    public const int MaxManifests = 16;

    private static readonly NvidiaCheck[] Asked =
    [
        NvidiaCheck.ManifestForm, NvidiaCheck.ManifestChainForm, NvidiaCheck.ManifestRoot, NvidiaCheck.ManifestChain, NvidiaCheck.ManifestValidity,
        NvidiaCheck.ManifestRevocationKnown, NvidiaCheck.ManifestRevocationAge, NvidiaCheck.ManifestRevocation, NvidiaCheck.ManifestSignature,
    ];

    /// <summary>Those that could be read. Whether they are genuine is in the findings.</summary>
    public ImmutableArray<ReferenceManifest> Judge(ImmutableArray<ReadOnlyMemory<byte>> documents)
    {
        var read = ImmutableArray.CreateBuilder<ReferenceManifest>();
        int count = documents.IsDefault ? 0 : documents.Length;
        if (count is 0 or > MaxManifests)
        {
            findings.That(NvidiaCheck.ManifestForm, false, $"1 to {MaxManifests} manifests", $"{count}");
            return [];
        }
        for (int i = 0; i < count; i++)
        {
            findings.Ask($"manifest {i}", Asked);
            bool formed = ReferenceManifest.TryParse(documents[i], out var manifest, out var error);
            findings.That(NvidiaCheck.ManifestForm, formed, "a manifest in an accepted form", formed || error.Fault is not WireFault.None ? $"{error}" : "malformed or signed in another way");
            if (formed)
            {
                JudgeOrigin(manifest!);
                read.Add(manifest!);
            }
        }
        return read.ToImmutable();
    }

    private void JudgeOrigin(ReferenceManifest manifest)
    {
        var chain = shelf.Read(manifest.Signature.Certificates);
        string? fault = chain is null ? "another chain" : chain.FindFault();
        findings.That(NvidiaCheck.ManifestChainForm, fault is null, "a chain of certificates, each named by the next", fault ?? "well-formed");
        if (fault is not null)
        {
            return;
        }
        findings.That(NvidiaCheck.ManifestRoot, policy.ManifestRoots.Contains(chain!.Root.Key.Fingerprint), $"one of {policy.ManifestRoots.Length} pinned roots", $"{chain.Root.Key.Fingerprint[..16]}…");
        bool signed = chain.IsSigned(shelf);
        findings.That(NvidiaCheck.ManifestChain, signed, "each signed by the next", signed ? "signed" : "a signature is wrong");
        bool current = manifest.NotBefore <= now && now <= manifest.NotAfter;
        bool valid = current && chain.IsValid(now);
        findings.That(NvidiaCheck.ManifestValidity, valid, "all valid now", valid ? "valid" : current ? "one is not valid now" : "the manifest itself is not valid now");
        revocation.Judge(chain, 0, policy.Revocation.HasFlag(NvidiaRevocation.Manifests), policy.MaximumOcspAge, (NvidiaCheck.ManifestRevocationKnown, NvidiaCheck.ManifestRevocationAge, NvidiaCheck.ManifestRevocation));

        bool genuine = manifest.Signature.IsIntact && manifest.Signature.IsSignedBy(chain.Leaf);
        findings.That(NvidiaCheck.ManifestSignature, genuine, "signed by the first certificate's key, over all of the document", genuine ? "signed" : manifest.Signature.IsIntact ? "the signature is wrong" : "the document was changed");
    }
}
