using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Primitives;
using Cloister.Transparency;

namespace Cloister.Attestation;

/// <summary>The whole account of an appraisal: not a yes or a no, but what was asked and what was found.</summary>
public sealed class AttestationResult
{
    private readonly AppraisedEnclave? _enclave;

    internal AttestationResult(ImmutableArray<Check> checks, AppraisalPolicy policy, EnclaveStatement? statement, byte[] statementHash, string? machine, AcceptedRelease? release, bool simulated)
    {
        (Checks, Profile, Machine, IsSimulated) = (checks, policy.Profile, machine, simulated);
        IsAccepted = statement is not null && machine is not null && Checks.All(check => check.Verdict is not Verdict.Failed);
        _enclave = IsAccepted ? new AppraisedEnclave(this, statement!, statementHash, release) : null;
    }

    /// <summary>
    /// One for each check that is asked of every bundle, then those of the hardware: of the machine that the evidence is of, and of whatever the policy asks
    /// for besides. In the order of <see cref="CheckCatalogue.All"/>.
    /// </summary>
    public ImmutableArray<Check> Checks { get; }

    public AppraisalProfile Profile { get; }

    /// <summary>What kind of machine the evidence is of, for people; null where that could not be told.</summary>
    public string? Machine { get; }

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
    internal AppraisedEnclave(AttestationResult result, EnclaveStatement statement, byte[] statementHash, AcceptedRelease? release) =>
        (Result, Statement, StatementHash, ChannelKey, Release, ExpiresAt) = (result, statement, statementHash, statement.Channel, release, statement.Expires);

    public AttestationResult Result { get; }

    public EnclaveStatement Statement { get; }

    /// <summary>SHA-256 of the statement's exact bytes.</summary>
    public ReadOnlyMemory<byte> StatementHash { get; }

    /// <summary>The Noise static key that the evidence binds: nobody outside the enclave holds its private half.</summary>
    public X25519PublicKey ChannelKey { get; }

    /// <summary>The release that it runs, with the checkpoint to remember. Null where the policy asks for no publication.</summary>
    public AcceptedRelease? Release { get; }

    /// <summary>After this the appraisal says nothing any more: appraise a newer bundle.</summary>
    public DateTimeOffset ExpiresAt { get; }
}
