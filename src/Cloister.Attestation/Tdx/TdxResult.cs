using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Every question about a quote, in the order in which the first failure names the fault (docs/spec/tdx.md, section 4).</summary>
public enum TdxCheck : byte
{
    QuoteComplete, QuoteForm, TeeType, AttestationKeyType, QeVendor,
    PckChainComplete, PckChainForm, Root, PckChain, PckValidity,
    RootRevocationList, PckRevocationList, IntermediateRevocation, PckRevocation,
    QuoteSignature, QeReportSignature, AttestationKeyBinding,
    TcbInfoChain, TcbInfoSignature, TcbInfoForm, QeIdentityChain, QeIdentitySignature, QeIdentityForm,
    TcbInfoValidity, QeIdentityValidity, PckRevocationListValidity, RootRevocationListValidity,
    TcbInfoProcessor, QeIdentityId, QeIdentityVersion, QeMrSigner, QeFields,
    TdxModuleKnown, TdxModuleSigner, TdxModuleAttributes,
    EvaluationDataNumber, TcbSupported, TcbRevoked, TcbStatus,
    TdDebug, TdAttributesReserved, XfamRequired, XfamReserved, TeeTcbSvn,
    ExpectedFmspc, ExpectedTdAttributes, ExpectedXfam, ExpectedMrSignerSeam, ExpectedSeamAttributes, ExpectedMrSeam, ExpectedMrTd, ExpectedMrConfigId,
    ExpectedMrOwner, ExpectedMrOwnerConfig, ExpectedRtMr0, ExpectedRtMr1, ExpectedRtMr2, ExpectedRtMr3, ExpectedMrServiceTd, ExpectedReportData, ExpectedQeVendorId,
    Measurement, Advisories,
}

/// <summary>The whole account of a quote's verification.</summary>
public sealed class TdxResult
{
    private readonly ReadOnlyMemory<byte> _quote;

    internal TdxResult(ReadOnlyMemory<byte> quote, Findings<TdxCheck> findings, PckExtensions? platform, TcbVerdict? tcb)
    {
        (_quote, Platform, Tcb) = (quote, platform, tcb);
        Findings = findings.ToImmutable();
        FirstFailure = findings.FirstFailure;
        IsAccepted = Findings.All(finding => finding.Verdict is not Verdict.Failed);
    }

    /// <summary>One for each <see cref="TdxCheck"/>, in that order.</summary>
    public ImmutableArray<Finding<TdxCheck>> Findings { get; }

    /// <summary>The first check that was reached and failed; null where the quote is accepted.</summary>
    public TdxCheck? FirstFailure { get; }

    public bool IsAccepted { get; }

    /// <summary>What the PCK certificate says; null where it could not be read.</summary>
    public PckExtensions? Platform { get; }

    /// <summary>The verdict over the firmware; null where it was not reached or not asked for.</summary>
    public TcbVerdict? Tcb { get; }

    /// <summary>The quote's fields, whether or not they are genuine. False where the bytes are no quote.</summary>
    public bool TryGetQuote(out TdxQuote quote) => TdxQuote.TryParse(_quote.Span, out quote, out _);
}

/// <summary>What the collateral says of the firmware, and why.</summary>
/// <param name="Status">The verdict over all parts, by Intel's rules of convergence.</param>
/// <param name="Level">The level that processor and TDX parts reach; null where there is none.</param>
/// <param name="ModuleStatus">The TDX module's own.</param>
/// <param name="QeStatus">The quoting enclave's own.</param>
/// <param name="Advisories">Of level, module and quoting enclave together.</param>
public sealed record TcbVerdict(TcbStatus Status, TcbLevel? Level, TcbStatus ModuleStatus, TcbStatus QeStatus, ImmutableArray<string> Advisories);
