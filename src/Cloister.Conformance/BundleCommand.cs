using Cloister.Transparency;

namespace Cloister.Conformance;

/// <summary><c>verify-bundle</c>, as Sigstore's conformance suite calls it: files named by options, a verdict by exit code, and the reason on the error stream.</summary>
internal static class BundleCommand
{
    public const string Name = "verify-bundle";

    private const string DigestPrefix = "sha256:";
    private const int DigestSize = 32;

    private static readonly string[] Options = ["--bundle", "--certificate-identity", "--certificate-oidc-issuer", "--key", "--trusted-root"];

    /// <returns>Null where the bundle is accepted, else why not.</returns>
    /// <exception cref="FormatException">The arguments make no sense.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string? Run(ReadOnlySpan<string> arguments, DateTimeOffset now)
    {
        var (options, target) = Read(arguments);
        string? key = options.GetValueOrDefault("--key"), identity = options.GetValueOrDefault("--certificate-identity"), issuer = options.GetValueOrDefault("--certificate-oidc-issuer");
        if (!options.TryGetValue("--bundle", out string? file) || (key is null ? identity is null || issuer is null : identity is not null || issuer is not null))
        {
            throw new FormatException();
        }

        if (!SigstoreBundle.TryParse(File.ReadAllBytes(file), out var bundle))
        {
            return "the bundle is malformed";
        }
        var root = SigstoreTrustedRoot.PublicGood;
        if (options.TryGetValue("--trusted-root", out string? rootFile) && !SigstoreTrustedRoot.TryParse(File.ReadAllBytes(rootFile), out root))
        {
            return "the trusted root is malformed";
        }
        SigstorePublicKey? known = null;
        if (key is not null && !SigstorePublicKey.TryParse(File.ReadAllBytes(key), out known))
        {
            return "the key is malformed";
        }

        // Version 0.1 knew bundles with a promise only. A key has no validity that a time would have to be compared with.
        var policy = new SigstorePolicy { Key = known, CertificateIdentity = identity, OidcIssuer = issuer, ProofRequired = false, MinimumTimestamps = known is null ? 1 : 0 };
        return SigstoreVerification.Verify(bundle, root!, ReadArtifact(target), policy, now).FirstFailure?.ToString();
    }

    private static (Dictionary<string, string> Options, string Target) Read(ReadOnlySpan<string> arguments)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        string? target = null;
        for (int i = 0; i < arguments.Length; i++)
        {
            bool fits = Options.Contains(arguments[i]) ? i + 1 < arguments.Length && options.TryAdd(arguments[i], arguments[++i])
                : !arguments[i].StartsWith("--", StringComparison.Ordinal) && target is null && (target = arguments[i]).Length > 0;
            if (!fits)
            {
                throw new FormatException();
            }
        }
        return (options, target ?? throw new FormatException());
    }

    // A file with such a name is read: the suite names digests only where there is none.
    private static SigstoreArtifact ReadArtifact(string target)
    {
        if (File.Exists(target) || !target.StartsWith(DigestPrefix, StringComparison.Ordinal))
        {
            return SigstoreArtifact.Of(File.ReadAllBytes(target));
        }
        byte[] digest = Encodings.Hex(target[DigestPrefix.Length..]);
        return digest.Length == DigestSize ? SigstoreArtifact.WithDigest(digest) : throw new FormatException();
    }
}
