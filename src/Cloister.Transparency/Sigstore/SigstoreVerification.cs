using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;

namespace Cloister.Transparency;

/// <summary>Did who was meant sign this, and can everybody see it (docs/spec/sigstore.md)? A pure function.</summary>
public static class SigstoreVerification
{
    /// <summary>How far the clock of a log or a timestamp authority may be ahead of ours.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Runs every check that the bundle allows to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="now">A time after it counts as none; certificates are judged by the times that others saw the signature.</param>
    /// <returns>One finding per <see cref="SigstoreCheck"/>. Whatever the bundle, nothing is thrown.</returns>
    public static SigstoreResult Verify(SigstoreBundle bundle, SigstoreTrustedRoot root, SigstoreArtifact artifact, SigstorePolicy policy, DateTimeOffset now) =>
        new SigstoreVerifier(bundle, root, artifact, policy, now).Run();
}

/// <summary>One verification in progress, in the order of docs/spec/sigstore.md, section 6.</summary>
internal sealed class SigstoreVerifier(SigstoreBundle bundle, SigstoreTrustedRoot root, SigstoreArtifact artifact, SigstorePolicy policy, DateTimeOffset now)
{
    private const string CodeSigning = "1.3.6.1.5.5.7.3.3";
    private const string KnownKey = "the signer's key is known from elsewhere";

    private readonly SigstoreFindings _findings = new();
    private ImmutableArray<DateTimeOffset> _times = [];
    private FulcioIdentity? _identity;
    private InTotoStatement? _statement;

    public SigstoreResult Run()
    {
        bool formed = That(SigstoreCheck.Content, bundle.Envelope is { } envelope ? envelope.Signatures.Length == 1 : !policy.EnvelopeRequired,
            policy.EnvelopeRequired ? "an envelope with one signature" : "one signature", bundle.Envelope is { } found ? $"{found.Signatures.Length} signatures" : "no envelope");
        bool keyed = That(SigstoreCheck.Certificate, bundle.Certificate is null == policy.Key is not null && (bundle.CertificateCount <= 1 || !policy.SoleCertificate),
            policy.Key is null ? "a certificate" : "no certificate", $"{bundle.CertificateCount}");
        if (formed)
        {
            JudgeStatement();
        }
        if (formed && keyed)
        {
            byte[] signature = bundle.Message?.Signature ?? bundle.Envelope!.Signatures[0];
            var key = policy.Key?.Key ?? bundle.Certificate!.Key;
            bool signed = key is not null && IsSigned(key, signature);
            That(SigstoreCheck.Signature, signed, "signed by its signer's key", signed ? "signed" : key is null ? "a key of an unknown kind" : "the signature is wrong");
            JudgeWitnesses(signature);
        }
        JudgeIdentity();
        return new(_findings, _identity, _statement, _times);
    }

    private bool IsSigned(SigstoreKey key, byte[] signature)
    {
        // P-384 has signed both SHA-384 and SHA-256 in Sigstore's history; the signature itself says which.
        ReadOnlySpan<HashAlgorithmName> hashes = key.Hash == HashAlgorithmName.SHA384 ? [HashAlgorithmName.SHA384, HashAlgorithmName.SHA256] : [key.Hash];
        if (bundle.Message is { Digest: { } digest, Hash: { } stated } && artifact.Hash(stated)?.AsSpan().SequenceEqual(digest) is not true)
        {
            return false;
        }
        byte[]? message = bundle.Envelope?.PreAuthenticationEncoding;
        bool signed = false;
        foreach (var hash in hashes)
        {
            signed |= message is not null ? key.Verify(hash, message, signature) : artifact.IsSignedBy(key, hash, signature);
        }
        return signed;
    }

    // Times first: by them the certificate and every key is judged.
    private void JudgeWitnesses(byte[] signature)
    {
        var stamped = VerifyTimestamps(signature);
        var entries = bundle.Entries.Select(entry => new RekorVerification(entry, root, stamped)).ToList();
        var integrated = entries.Where(entry => entry.PromisedTime is not null).Select(entry => (entry.Entry.LogId, Time: entry.PromisedTime!.Value)).Where(one => IsPast(one.Time)).ToList();
        _times = [.. integrated.Select(one => one.Time), .. stamped.Select(one => one.Time)];
        int sources = integrated.Select(one => Convert.ToHexString(one.LogId)).Distinct().Count() + stamped.Select(one => one.Authority).Distinct().Count();
        That(SigstoreCheck.Timestamps, sources >= policy.MinimumTimestamps, $"{policy.MinimumTimestamps} or more", $"{sources}");

        JudgeCertificate();
        int distinct = bundle.Entries.Select(entry => (Convert.ToHexString(entry.LogId), entry.LogIndex)).Distinct().Count();
        That(SigstoreCheck.EntryCount, distinct >= policy.MinimumEntries && bundle.Entries.Length <= policy.MaximumEntries,
            $"{policy.MinimumEntries} to {policy.MaximumEntries} different entries", $"{bundle.Entries.Length}, {distinct} different");
        byte[] signer = bundle.Certificate?.Encoded ?? policy.Key!.Key.Encoded;
        foreach (var entry in entries)
        {
            That(SigstoreCheck.EntryContent, RekorBody.IsOf(entry.Entry, bundle, artifact, signature, signer), "an entry of this signature", "entry");
            entry.Judge(_findings, policy.ProofRequired);
        }
        if (entries.Count == 0)
        {
            for (var name = SigstoreCheck.EntryKey; name <= SigstoreCheck.CheckpointSignature; name++)
            {
                _findings.Waive(name, "no entry is asked for");
            }
        }
    }

    private List<(TrustedAuthority Authority, DateTimeOffset Time)> VerifyTimestamps(byte[] signature)
    {
        var verified = new List<(TrustedAuthority, DateTimeOffset)>();
        foreach (byte[] der in bundle.Timestamps)
        {
            if (TimestampResponse.TryParse(der, out var response) && response.IsOf(signature) && IsPast(response.Time)
                && root.TimestampAuthorities.FirstOrDefault(response.IsBy) is { } authority)
            {
                verified.Add((authority, response.Time));
            }
        }
        return verified;
    }

    private bool IsPast(DateTimeOffset time) => time - SigstoreVerification.ClockSkew <= now;

    private void JudgeCertificate()
    {
        if (bundle.Certificate is not { } certificate)
        {
            for (var name = SigstoreCheck.CertificateChain; name <= SigstoreCheck.CertificateTimestampLogs; name++)
            {
                _findings.Waive(name, KnownKey);
            }
            return;
        }

        // Without any time the chain is still asked who made whom, so that a stranger's certificate has its own fault.
        ImmutableArray<DateTimeOffset> times = _times.IsEmpty && policy.MinimumTimestamps <= 0 ? [now] : _times;
        var issuers = times.IsEmpty ? [FindIssuer(certificate, null)] : times.Select(time => FindIssuer(certificate, time)).ToList();
        bool chained = certificate.IsFor(CodeSigning, critical: false) && issuers.All(issuer => issuer is not null);
        That(SigstoreCheck.CertificateChain, chained, "made by a trusted authority, for signing", chained ? "so made" : "another's, or for something else");

        // What an entry claims must fit even where nobody vouches for it.
        var claimed = bundle.Entries.Select(entry => entry.Time).OfType<DateTimeOffset>().Concat(times).ToList();
        if (claimed.Count > 0)
        {
            bool valid = claimed.All(certificate.IsValidAt);
            That(SigstoreCheck.CertificateValidity, valid, Text($"from {certificate.NotBefore:u} to {certificate.NotAfter:u}"), Text($"seen at {(valid ? claimed[0] : claimed.First(time => !certificate.IsValidAt(time))):u}"));
        }
        if (chained)
        {
            JudgeCertificateTimestamps(certificate, issuers[0]!);
        }
    }

    private SigstoreCertificate? FindIssuer(SigstoreCertificate certificate, DateTimeOffset? time) =>
        root.CertificateAuthorities.Select(authority => authority.FindIssuer(certificate, CodeSigning, time)).FirstOrDefault(issuer => issuer is not null);

    private void JudgeCertificateTimestamps(SigstoreCertificate certificate, SigstoreCertificate issuer)
    {
        ImmutableArray<CertificateTimestamp> timestamps = [];
        bool read = !certificate.TryGetExtension(CertificateTimestamps.Oid, out var extension) || CertificateTimestamps.TryParse(extension, out timestamps);
        int verified = timestamps.Count(timestamp => root.CertificateLogs.Any(log =>
            log.Is(timestamp.LogId) && timestamp.Moment is { } moment && log.ValidFor.Contains(moment) && CertificateTimestamps.Verify(timestamp, log.Key, certificate, issuer)));
        That(SigstoreCheck.CertificateTimestamps, read && verified >= policy.MinimumCertificateTimestamps, $"{policy.MinimumCertificateTimestamps} or more", read ? $"{verified} of {timestamps.Length}" : "malformed");
        bool distinct = timestamps.Select(timestamp => Convert.ToHexString(timestamp.LogId)).Distinct().Count() == timestamps.Length;
        That(SigstoreCheck.CertificateTimestampLogs, distinct, "each from another log", distinct ? "so" : "two from one log");
    }

    private void JudgeIdentity()
    {
        _identity = bundle.Certificate is { } certificate ? FulcioIdentity.Read(certificate) : null;
        Compare(SigstoreCheck.CertificateIdentity, policy.CertificateIdentity, _identity?.Subject);
        Compare(SigstoreCheck.OidcIssuer, policy.OidcIssuer, _identity?.Issuer);
        if (policy.Repository is not { } repository)
        {
            _findings.Waive(SigstoreCheck.Repository, "the policy names none");
            _findings.Waive(SigstoreCheck.WorkflowRef, "the policy names no repository");
            return;
        }

        // What was built, and the workflow that built it: both in this repository, at the same ref.
        string address = $"https://github.com/{repository}";
        string? signer = _identity?.BuildSignerUri ?? _identity?.Subject;
        bool named = (_identity?.Repository ?? _identity?.SourceRepositoryUri) is not null
            && (_identity!.Repository ?? repository) == repository && (_identity.SourceRepositoryUri ?? address) == address;
        bool built = signer?.StartsWith($"{address}/", StringComparison.Ordinal) is true;
        That(SigstoreCheck.Repository, named && built, repository, _identity?.Repository ?? _identity?.SourceRepositoryUri ?? "none");
        bool begins = _identity?.Ref?.StartsWith(policy.WorkflowRefPrefix ?? "", StringComparison.Ordinal) is true;
        bool agrees = signer is not null && signer[(signer.LastIndexOf('@') + 1)..] == _identity?.Ref;
        That(SigstoreCheck.WorkflowRef, begins && agrees, $"{policy.WorkflowRefPrefix}…, the same in the workflow's address", _identity?.Ref ?? "none");
    }

    private void Compare(SigstoreCheck name, string? wanted, string? found)
    {
        if (wanted is null)
        {
            _findings.Waive(name, "the policy names none");
        }
        else
        {
            That(name, found == wanted, wanted, found ?? "none");
        }
    }

    private void JudgeStatement()
    {
        if (bundle.Envelope is not { } envelope)
        {
            for (var name = SigstoreCheck.PayloadType; name <= SigstoreCheck.Predicate; name++)
            {
                _findings.Waive(name, "the signature is over the artifact itself");
            }
            return;
        }

        That(SigstoreCheck.PayloadType, envelope.PayloadType == policy.PayloadType, policy.PayloadType, envelope.PayloadType);
        bool read = InTotoStatement.TryParse(envelope.Payload, out _statement);
        That(SigstoreCheck.StatementForm, read, "an in-toto statement", read ? "well-formed" : "malformed");
        if (_statement is not { } statement)
        {
            return;
        }
        OneOf(SigstoreCheck.StatementType, policy.StatementTypes, statement.Type);
        OneOf(SigstoreCheck.PredicateType, policy.PredicateTypes, statement.PredicateType);
        var subjects = statement.SubjectDigests;
        That(SigstoreCheck.SubjectPresent, !subjects.IsEmpty, "a subject", $"{subjects.Length}");
        string digest = Convert.ToHexStringLower(artifact.Sha256);
        bool subject = (policy.FirstSubjectOnly ? subjects.Take(1) : subjects).Any(one => string.Equals(one, digest, StringComparison.OrdinalIgnoreCase));
        if (!subjects.IsEmpty)
        {
            That(SigstoreCheck.SubjectDigest, subject, digest, subject ? digest : subjects[0] ?? "none");
        }
        bool measured = MeasurementPredicate.TryRead(statement, out _);
        That(SigstoreCheck.Predicate, measured, "the registers of its type", measured ? "well-formed" : "malformed");
    }

    private void OneOf(SigstoreCheck name, ImmutableArray<string>? allowed, string found)
    {
        if (allowed is not { } list)
        {
            _findings.Waive(name, "the policy allows any");
        }
        else
        {
            That(name, list.Contains(found), $"one of {list.Length}", found);
        }
    }

    private bool That(SigstoreCheck name, bool holds, string expected, string found) => _findings.That(name, holds, expected, found);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
