using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Transparency;

/// <summary>What is demanded of a bundle (docs/spec/sigstore.md, section 7). Null is what is not asked.</summary>
public sealed record SigstorePolicy
{
    /// <summary>Whose signature counts where the bundle has no certificate; with it a bundle that has one is refused. Null: the bundle must have a certificate.</summary>
    public SigstorePublicKey? Key { get; init; }

    /// <summary>The certificate's one alternative name, exactly.</summary>
    public string? CertificateIdentity { get; init; }

    /// <summary>Exactly.</summary>
    public string? OidcIssuer { get; init; }

    /// <summary>Owner and name at GitHub, exactly: what was built, and whose workflow built it.</summary>
    public string? Repository { get; init; }

    /// <summary>What the branch or tag begins with. It is looked at only with <see cref="Repository"/>.</summary>
    public string? WorkflowRefPrefix { get; init; }

    /// <summary>Whether there must be an envelope with exactly one statement in it. A bundle that has an envelope is judged by all that is said of statements in any case.</summary>
    public bool EnvelopeRequired { get; init; }

    /// <summary>Exactly.</summary>
    public string PayloadType { get; init; } = InTotoStatement.PayloadType;

    /// <summary>Null is any; empty is none.</summary>
    public ImmutableArray<string>? StatementTypes { get; init; }

    /// <summary>Null is any; empty is none.</summary>
    public ImmutableArray<string>? PredicateTypes { get; init; }

    /// <summary>Whether the artifact must be the statement's first subject, and not only one of them.</summary>
    public bool FirstSubjectOnly { get; init; }

    /// <summary>Whether the bundle may bring no certificate besides the signer's.</summary>
    public bool SoleCertificate { get; init; }

    /// <summary>Whether an entry of a bundle of version 0.1 needs a proof too: its promise alone is the log's word, not the tree's.</summary>
    public bool ProofRequired { get; init; } = true;

    /// <summary>Entries that are told apart by log and index.</summary>
    public int MinimumEntries { get; init; } = 1;

    public int MaximumEntries { get; init; } = int.MaxValue;

    /// <summary>Promises of certificate logs that are verified.</summary>
    public int MinimumCertificateTimestamps { get; init; } = 1;

    /// <summary>Verified times from different logs and timestamp authorities. With none asked and none there, the certificate must be valid now.</summary>
    public int MinimumTimestamps { get; init; } = 1;
}

/// <summary>A key that one knows from elsewhere: ECDSA on P-256 or P-384, RSA, or Ed25519.</summary>
public sealed class SigstorePublicKey
{
    private SigstorePublicKey(SigstoreKey key) => Key = key;

    internal SigstoreKey Key { get; }

    /// <summary>Reads a text with one <c>PUBLIC KEY</c> in PEM and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> pem, [NotNullWhen(true)] out SigstorePublicKey? key)
    {
        key = SigstoreKey.TryReadPem(pem, out var read) ? new(read) : null;
        return key is not null;
    }
}
