using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Every question about a document, in the order in which the first failure names the fault (docs/spec/nitro.md, section 4).</summary>
public enum NitroCheck : byte
{
    Envelope, Algorithm, Form,
    Certificates, Root, Chain, Authorities, Validity, Signature,
    Age, Instance, Debug, Measurement, ImageSigner, ReportData, Nonce, PublicKey,
}

/// <summary>The whole account of a document's verification.</summary>
public sealed class NitroResult
{
    internal NitroResult(Findings<NitroCheck> findings, NitroDocument? document)
    {
        Document = document;
        Findings = findings.ToImmutable();
        FirstFailure = findings.FirstFailure;
        IsAccepted = Findings.All(finding => finding.Verdict is not Verdict.Failed);
    }

    /// <summary>One for each <see cref="NitroCheck"/>, in that order.</summary>
    public ImmutableArray<Finding<NitroCheck>> Findings { get; }

    /// <summary>The first check that was reached and failed; null where the document is accepted.</summary>
    public NitroCheck? FirstFailure { get; }

    public bool IsAccepted { get; }

    /// <summary>What it says, whether or not it is genuine. Null where the bytes are no document.</summary>
    public NitroDocument? Document { get; }
}
