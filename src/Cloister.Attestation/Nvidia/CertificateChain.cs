using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Certificates in their order: whose it is first, the root last.</summary>
internal sealed class CertificateChain(ImmutableArray<Certificate> certificates)
{
    private const int MinLength = 2;

    public ImmutableArray<Certificate> Certificates { get; } = certificates;

    public Certificate Leaf => Certificates[0];

    public Certificate Root => Certificates[^1];

    /// <summary>
    /// Each is named by the next and the root by itself; all but the first may sign certificates, with as many below them as there are, and the first
    /// may sign data and no certificates (docs/spec/nvidia.md, section 3).
    /// </summary>
    /// <param name="lookedAt">The extensions of the first that the caller looks at.</param>
    /// <returns>What is in the way; null where nothing is.</returns>
    public string? FindFault(params ReadOnlySpan<string> lookedAt)
    {
        bool named = Certificates.Length >= MinLength && Root.IsNamedBy(Root);
        for (int i = 1; named && i < Certificates.Length; i++)
        {
            named = Certificates[i - 1].IsNamedBy(Certificates[i]);
        }
        return named ? CertificatePath.FindFault(Certificates.AsSpan(), usageDemanded: true, lookedAt) : "another chain";
    }

    public bool IsSigned(CertificateShelf shelf)
    {
        bool signed = shelf.IsSigned(Root, Root);
        for (int i = 1; signed && i < Certificates.Length; i++)
        {
            signed = shelf.IsSigned(Certificates[i - 1], Certificates[i]);
        }
        return signed;
    }

    public bool IsValid(DateTimeOffset now)
    {
        foreach (var certificate in Certificates)
        {
            if (now < certificate.NotBefore || certificate.NotAfter < now)
            {
                return false;
            }
        }
        return true;
    }
}
