using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Attestation;

/// <summary>How a manifest is signed: ECDSA on P-384 with SHA-384, in both of its forms.</summary>
/// <param name="Signed">What the signature is over.</param>
/// <param name="Value">r ‖ s.</param>
/// <param name="Certificates">In DER, the signer's first.</param>
/// <param name="IsIntact">The document is the one that is signed: of XML only a digest is.</param>
internal sealed record ManifestSignature(byte[] Signed, byte[] Value, ImmutableArray<byte[]> Certificates, bool IsIntact)
{
    /// <summary>Ours to choose. Real manifests in XML carry four.</summary>
    public const int MaxCertificates = 6;

    public bool IsSignedBy(Certificate signer) => signer.Key.P384?.Verify(Signed, HashAlgorithmName.SHA384, Value, EcdsaSignatureFormat.P1363) ?? false;
}
