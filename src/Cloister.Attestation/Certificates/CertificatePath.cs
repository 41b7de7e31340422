namespace Cloister.Attestation;

/// <summary>May certificates stand above one another as they do (docs/spec/appraisal.md, section 6)? Of names, signatures and time nothing is said here.</summary>
internal static class CertificatePath
{
    /// <param name="path">Whose key is wanted first, the root last.</param>
    /// <param name="usageDemanded">Whether each must have a key usage. Without one a key may do everything (RFC 5280, section 4.2.1.3).</param>
    /// <param name="lookedAt">What the caller looks at in the first, beside its basic constraints and key usage.</param>
    /// <returns>What is in the way, as a finding tells it; null where nothing is.</returns>
    public static string? FindFault(ReadOnlySpan<Certificate> path, bool usageDemanded, params ReadOnlySpan<string> lookedAt)
    {
        for (int i = 0; i < path.Length; i++)
        {
            if (FindUnknown(path[i], i == 0 ? lookedAt : []) is { } name)
            {
                return $"critical extension {Shown.Text(name)} is not known";
            }
            if (!CertificateUse.TryRead(path[i], out var use))
            {
                return "constraints or a key usage that cannot be read";
            }
            if (use.HasUsage ? !(i == 0 ? use.SignsDocuments : use.SignsCertificates) : usageDemanded)
            {
                return "a key is for another use";
            }

            // RFC 5280, section 6.1.4 (k) and (m). Authorities that are issued by themselves are counted too, which is stricter.
            if (i == 0 ? use.IsAuthority : !use.IsAuthority || use.PathLength < i - 1)
            {
                return i == 0 ? "an authority in the place of another" : "one is not entitled to stand above the others";
            }
        }
        return null;
    }

    // Section 4.2: whoever made it wanted it heeded, and nobody here would.
    private static string? FindUnknown(Certificate certificate, ReadOnlySpan<string> lookedAt)
    {
        foreach (var (name, extension) in certificate.Content.Extensions)
        {
            if (extension.Critical && name is not (CertificateUse.BasicConstraints or CertificateUse.KeyUsage) && !lookedAt.Contains(name))
            {
                return name;
            }
        }
        return null;
    }
}
