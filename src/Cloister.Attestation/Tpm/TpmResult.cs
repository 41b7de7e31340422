using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Every question about a TPM's quote, in the order in which the first failure names the fault (docs/spec/tpm.md, section 4).</summary>
public enum TpmCheck : byte
{
    QuoteMagic, QuoteType, QuoteForm, KeyForm, KeyAttributes, KeySize, SignatureForm, SignatureScheme, QuoteSignature, ExtraData,
    PinnedKey,
    HardwareReportForm, HardwareReportBinding, HardwareReportKey,
    CertificateForm, CertificateRoot, CertificateChain, CertificateValidity, CertificatePurpose, CertificateKey,
    FirmwareVersion, RegisterBank, RegisterSelection, RegisterValues, AcceptedBuild,
    EventLogForm, EventLogReplay, EventLogRules,
}

/// <summary>The whole account of a quote's verification.</summary>
public sealed class TpmResult
{
    private readonly ReadOnlyMemory<byte> _quote;

    internal TpmResult(ReadOnlyMemory<byte> quote, Findings<TpmCheck> findings)
    {
        _quote = quote;
        Findings = findings.ToImmutable();
        FirstFailure = findings.FirstFailure;
        IsAccepted = Findings.All(finding => finding.Verdict is not Verdict.Failed);
    }

    /// <summary>One for each <see cref="TpmCheck"/>, in that order.</summary>
    public ImmutableArray<Finding<TpmCheck>> Findings { get; }

    /// <summary>The first check that was reached and failed; null where the quote is accepted.</summary>
    public TpmCheck? FirstFailure { get; }

    public bool IsAccepted { get; }

    /// <summary>The attestation key; null where it could not be read.</summary>
    public TpmPublicKey? Key { get; internal init; }

    /// <summary>The accepted build that the registers show; null where there is none.</summary>
    public TpmBuild? Build { get; internal init; }

    /// <summary>What was read of the event log; null where the quote or the registers were not readable.</summary>
    public EventLogResult? EventLog { get; internal init; }

    /// <summary>The quote's fields, whether or not they are genuine. False where the bytes are no quote.</summary>
    public bool TryGetQuote(out TpmQuote quote) => TpmQuote.TryParse(_quote.Span, out quote, out _);
}
