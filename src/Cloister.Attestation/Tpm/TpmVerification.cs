using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Is a TPM's quote genuine, and does it show what was wanted (docs/spec/tpm.md)? A pure function.</summary>
public static class TpmVerification
{
    /// <summary>Runs every check that the bytes allow to be run; a failure does not stop the ones that do not depend on it.</summary>
    /// <param name="now">Certificates' dates are compared with it, without allowance.</param>
    /// <returns>One finding per <see cref="TpmCheck"/>. Whatever the bytes, nothing is thrown.</returns>
    public static TpmResult Verify(TpmEvidence evidence, TpmPolicy policy, DateTimeOffset now) => new TpmVerifier(evidence, policy, now).Run();
}

/// <summary>One verification in progress, in the order of docs/spec/tpm.md, section 4.</summary>
internal sealed class TpmVerifier(TpmEvidence evidence, TpmPolicy policy, DateTimeOffset now)
{
    private const int MinExtraData = 32;
    private const int MaxExtraData = 64;
    private const string ExtendedKeyUsage = "2.5.29.37";
    private const string AttestationKeyPurpose = "2.23.133.8.3";

    private readonly Findings<TpmCheck> _findings = new();
    private TpmBuild? _build;
    private EventLogResult? _log;

    public TpmResult Run()
    {
        bool read = TpmQuote.TryParse(evidence.Quote.Span, out var quote, out var error);
        JudgeForm(error);
        var key = JudgeKey();
        bool signed = TpmSignature.TryParse(evidence.Signature.Span, out var signature, out var signatureError);
        That(TpmCheck.SignatureForm, signed, "a signature by RSA or ECDSA", $"{signatureError}");
        if (signed && key is not null)
        {
            bool own = signature.Scheme == key.Scheme && signature.Hash == key.Hash;
            if (That(TpmCheck.SignatureScheme, own, $"the key's own, {key.Scheme} with {key.Hash}", $"{signature.Scheme} with {signature.Hash}"))
            {
                bool genuine = key.Verify(evidence.Quote.Span, signature);
                That(TpmCheck.QuoteSignature, genuine, "signed by the attestation key", genuine ? "signed" : "the signature is wrong");
            }
        }
        JudgeTrust(key);
        if (read)
        {
            JudgeQuote(quote);
            JudgeRegisters(quote, signed ? signature.Hash : default);
        }
        return new TpmResult(evidence.Quote, _findings) { Key = key, Build = _build, EventLog = _log };
    }

    private void JudgeForm(WireError error)
    {
        bool formed = error.Fault is WireFault.None;
        var faulty = error switch
        {
            { Fault: WireFault.WrongValue, Field: TpmQuote.MagicField } => TpmCheck.QuoteMagic,
            { Fault: WireFault.WrongValue, Field: TpmQuote.TypeField }  => TpmCheck.QuoteType,
            _                                                           => TpmCheck.QuoteForm,
        };
        (TpmCheck, string)[] asked =
        [
            (TpmCheck.QuoteMagic, "a statement of the TPM itself"), (TpmCheck.QuoteType, "a quote"), (TpmCheck.QuoteForm, "a quote of one bank, every length exact"),
        ];
        foreach (var (name, expected) in asked)
        {
            if (formed || faulty == name)
            {
                That(name, formed, expected, $"{error}");
            }
        }
    }

    private TpmPublicKey? JudgeKey()
    {
        bool read = TpmPublicKey.TryParse(evidence.Key.Span, out var key, out var error);
        That(TpmCheck.KeyForm, read, "a signing key, RSA, P-256 or P-384", $"{error}");
        if (read)
        {
            That(TpmCheck.KeyAttributes, key!.Attributes.IsAttestationKey, "a restricted signing key that was made in the TPM and cannot leave it", $"{key.Attributes}");
            That(TpmCheck.KeySize, key.RsaBits == 0 || key.RsaBits >= policy.MinimumRsaBits, $"RSA of {policy.MinimumRsaBits} bits or more, or ECDSA", key.RsaBits == 0 ? "ECDSA" : $"RSA of {key.RsaBits} bits");
        }
        return key;
    }

    private void JudgeTrust(TpmPublicKey? key)
    {
        const string another = "the policy trusts the key for another reason";
        var asked = policy.KeyTrust switch
        {
            TpmPinnedKey        => (TpmCheck.PinnedKey, TpmCheck.PinnedKey),
            TpmHardwareBoundKey => (TpmCheck.HardwareReportForm, TpmCheck.HardwareReportKey),
            _                   => (TpmCheck.CertificateForm, TpmCheck.CertificateKey),
        };
        for (var name = TpmCheck.PinnedKey; name <= TpmCheck.CertificateKey; name++)
        {
            if (name < asked.Item1 || name > asked.Item2)
            {
                _findings.Waive(name, another);
            }
        }

        switch (policy.KeyTrust)
        {
            case TpmPinnedKey pinned when key is not null:
                That(TpmCheck.PinnedKey, pinned.Names.Contains(key.Name), $"one of {pinned.Names.Length} known keys", key.Name);
                break;
            case TpmHardwareBoundKey bound:
                JudgeHardwareReport(bound, key);
                break;
            case TpmCertifiedKey certified:
                JudgeCertificates(certified, key);
                break;
        }
    }

    private void JudgeHardwareReport(TpmHardwareBoundKey bound, TpmPublicKey? key)
    {
        bool read = HclReport.TryParse(evidence.HclReport.Span, out var report, out var error);
        if (That(TpmCheck.HardwareReportForm, read, "claims with one attestation key", evidence.HclReport.IsEmpty ? "none" : $"{error}"))
        {
            bool same = report!.IsBoundBy(bound.ReportData.Span);
            That(TpmCheck.HardwareReportBinding, same, "the claims' hash in the processor's report", same ? "the same" : "another hash");
            if (key is not null)
            {
                That(TpmCheck.HardwareReportKey, report.AttestationKey == key.Fingerprint, "the key of the claims", report.AttestationKey == key.Fingerprint ? "the same" : "another key");
            }
        }
    }

    // The key's certificate, one or two authorities above it, the root last and pinned.
    private void JudgeCertificates(TpmCertifiedKey certified, TpmPublicKey? key)
    {
        bool read = PemCertificates.TryParse(evidence.Certificates.Span, out var chain) && chain.Length >= 2;
        string? fault = evidence.Certificates.IsEmpty ? "none" : !read ? "another chain"
            : CertificatePath.FindFault(chain.AsSpan(), usageDemanded: false, certified.PurposeRequired ? [ExtendedKeyUsage] : []);
        if (!That(TpmCheck.CertificateForm, fault is null, "the key's certificate and those of the authorities above it", fault ?? "well-formed"))
        {
            return;
        }

        var root = chain[^1];
        That(TpmCheck.CertificateRoot, certified.Roots.Contains(root.Key.Fingerprint), $"one of {certified.Roots.Length} pinned roots", $"{root.Key.Fingerprint[..16]}…");
        bool signed = root.IsSignedBy(root);
        for (int i = 0; i + 1 < chain.Length; i++)
        {
            signed &= chain[i].IsSignedBy(chain[i + 1]);
        }
        That(TpmCheck.CertificateChain, signed, "each signed by the next", signed ? "signed" : "a signature is wrong");
        bool valid = chain.All(one => one.NotBefore <= now && now <= one.NotAfter);
        That(TpmCheck.CertificateValidity, valid, "all valid now", valid ? "valid" : "one is not valid now");
        if (certified.PurposeRequired)
        {
            bool meant = IsForAttestationKey(chain[0]);
            That(TpmCheck.CertificatePurpose, meant, "a certificate for an attestation key", meant ? "for one" : "for something else");
        }
        else
        {
            _findings.Waive(TpmCheck.CertificatePurpose, "the policy does not ask for it");
        }
        if (key is not null)
        {
            bool same = chain[0].Key.Fingerprint == key.Fingerprint;
            That(TpmCheck.CertificateKey, same, "a certificate for this key", same ? "the same" : "another key");
        }
    }

    private void JudgeQuote(TpmQuote quote)
    {
        bool enough = policy.ExtraData.Length is >= MinExtraData and <= MaxExtraData;
        bool same = enough && CryptographicOperations.FixedTimeEquals(quote.ExtraData, policy.ExtraData.Span);
        That(TpmCheck.ExtraData, same, enough ? "what it was asked for" : $"{MinExtraData} to {MaxExtraData} bytes asked for", same ? "the same" : "another");
        That(TpmCheck.FirmwareVersion, quote.FirmwareVersion >= policy.MinimumFirmwareVersion, $"{policy.MinimumFirmwareVersion:x16} or later", $"{quote.FirmwareVersion:x16}");
    }

    private void JudgeRegisters(TpmQuote quote, TpmHash hash)
    {
        bool bank = TpmHashes.IsUsed(policy.Bank) && quote.Bank == policy.Bank;
        That(TpmCheck.RegisterBank, bank, $"the bank of {policy.Bank}", $"{quote.Bank}");
        var quoted = quote.Registers;
        bool selected = policy.Registers.All(quoted.Contains);
        That(TpmCheck.RegisterSelection, selected, $"registers {string.Join(' ', policy.Registers)} among the quoted", string.Join(' ', quoted));
        if (!bank || !TpmHashes.IsUsed(hash))
        {
            return;
        }

        // The digest is made with the hash of the signature, whatever the bank's (Part 3, TPM2_Quote).
        int size = TpmHashes.SizeOf(policy.Bank);
        var values = evidence.RegisterValues;
        bool same = values.Length == quoted.Length * size && CryptographicOperations.FixedTimeEquals(TpmHashes.HashData(hash, values.Span), quote.PcrDigest);
        if (That(TpmCheck.RegisterValues, same, "the values that were quoted", same ? "the same" : "others"))
        {
            var registers = quoted.Select((register, i) => (register, values.Slice(i * size, size))).ToImmutableSortedDictionary(one => one.register, one => one.Item2);
            JudgeBuild(registers);
            JudgeEvents(registers);
        }
    }

    private void JudgeBuild(ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> registers)
    {
        _build = policy.Builds.FirstOrDefault(build => build.Registers.All(wanted => registers.TryGetValue(wanted.Key, out var value) && Hex.Encode(value.Span) == wanted.Value));
        That(TpmCheck.AcceptedBuild, _build is not null, $"one of {policy.Builds.Length} accepted builds", _build?.Name ?? "another");
    }

    private void JudgeEvents(ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> registers)
    {
        _log = EventLogVerification.Verify(evidence.EventLog, EventLogKind.Tpm, policy.Bank, registers, policy.EventLog);
        foreach (var finding in _log.Findings.Where(finding => finding.Verdict is not Verdict.Failed || finding.Name <= _log.FirstFailure))
        {
            var name = finding.Name switch
            {
                EventLogCheck.Form   => TpmCheck.EventLogForm,
                EventLogCheck.Replay => TpmCheck.EventLogReplay,
                _                    => TpmCheck.EventLogRules,
            };
            if (finding.Verdict is Verdict.Waived)
            {
                _findings.Waive(name, finding.Found);
            }
            else
            {
                That(name, finding.Verdict is Verdict.Passed, finding.Expected, finding.Found);
            }
        }
    }

    private static bool IsForAttestationKey(Certificate certificate)
    {
        try
        {
            if (!certificate.TryGetExtension(ExtendedKeyUsage, out var value))
            {
                return false;
            }
            var outer = new AsnReader(value, AsnEncodingRules.DER);
            var purposes = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            bool found = false;
            while (purposes.HasData)
            {
                found |= purposes.ReadObjectIdentifier() == AttestationKeyPurpose;
            }
            return found;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private bool That(TpmCheck name, bool holds, string expected, string found) => _findings.That(name, holds, expected, found);
}
