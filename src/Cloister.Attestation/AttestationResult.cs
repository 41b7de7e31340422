using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Primitives;

namespace Cloister.Attestation;

/// <summary>Every question that an appraisal asks (docs/spec/appraisal.md, section 2). The names are part of policies and of what users see.</summary>
public enum CheckName : byte
{
    BundleForm, StatementForm, StatementVersion, StatementRole, StatementValidity, StatementAge,
    EvidenceForm, ReportForm, Root, Simulation, CertificateChain, CertificateValidity, Revocation,
    SignerKey, ReportSignature, StatementBinding, EndorsedTcb, EndorsedChip, Node,
    Product, TcbFloor, TcbOrder, Mitigations,
    GuestDebug, GuestMigration, GuestSmt, GuestCxl, GuestAbi, GuestPolicyReserved,
    PlatformEcc, PlatformAliasCheck, PlatformCiphertextHiding, PlatformRapl, PlatformReserved,
    Vmpl, Measurement, HostData, IdKey, AuthorKey, ShapingFloor, Models,
}

/// <summary>Zero is the failing value.</summary>
public enum Verdict : byte { Failed, Passed, Waived }

/// <summary>One question, its answer, and both sides of the comparison, fit to show to a person.</summary>
/// <param name="Reason">Why a failure was waived; null otherwise.</param>
public sealed record Check(CheckName Name, Verdict Verdict, string Expected, string Found, string? Reason = null);

/// <summary>The whole account of an appraisal: not a yes or a no, but what was asked and what was found.</summary>
public sealed class AttestationResult
{
    private readonly AppraisedEnclave? _enclave;

    internal AttestationResult(ImmutableArray<Check> checks, AppraisalPolicy policy, EnclaveStatement? statement, byte[] statementHash, bool simulated)
    {
        (Profile, IsSimulated) = (policy.Profile, simulated);

        // Walks the names, not the list: a check that nobody ran is one that failed.
        Checks = [.. Enum.GetValues<CheckName>().Select(name => checks.FirstOrDefault(check => check.Name == name) ?? new Check(name, Verdict.Failed, "to be checked", "not reached"))];
        IsAccepted = statement is not null && Checks.All(check => check.Verdict is not Verdict.Failed);
        _enclave = IsAccepted ? new AppraisedEnclave(this, statement!, statementHash) : null;
    }

    /// <summary>One for each <see cref="CheckName"/>, in that order.</summary>
    public ImmutableArray<Check> Checks { get; }

    public AppraisalProfile Profile { get; }

    /// <summary>The evidence ends in a development root: nothing is protected by hardware. Say so wherever the result is shown.</summary>
    public bool IsSimulated { get; }

    /// <summary>No check failed.</summary>
    public bool IsAccepted { get; }

    /// <summary>The only way to an <see cref="AppraisedEnclave"/>, which is the only thing that a channel opens to.</summary>
    public bool TryAccept([NotNullWhen(true)] out AppraisedEnclave? enclave) => (enclave = _enclave) is not null;
}

/// <summary>An enclave whose evidence passed a policy. Nothing outside of this room can make one.</summary>
public sealed class AppraisedEnclave
{
    internal AppraisedEnclave(AttestationResult result, EnclaveStatement statement, byte[] statementHash) =>
        (Result, Statement, StatementHash, ChannelKey, ExpiresAt) = (result, statement, statementHash, statement.Channel, statement.Expires);

    public AttestationResult Result { get; }

    public EnclaveStatement Statement { get; }

    /// <summary>SHA-256 of the statement's exact bytes.</summary>
    public ReadOnlyMemory<byte> StatementHash { get; }

    /// <summary>The Noise static key that the evidence binds: nobody outside the enclave holds its private half.</summary>
    public X25519PublicKey ChannelKey { get; }

    /// <summary>After this the appraisal says nothing any more: appraise a newer bundle.</summary>
    public DateTimeOffset ExpiresAt { get; }
}
