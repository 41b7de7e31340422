using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What is demanded of a TPM's quote besides that it is genuine (docs/spec/tpm.md, section 5).</summary>
public sealed record TpmPolicy
{
    /// <summary>Why the key that signed is believed to be a TPM's.</summary>
    public required TpmKeyTrust KeyTrust { get; init; }

    /// <summary>What the quote must have been made for: 32 to 64 bytes, for us <see cref="TpmQuote.ExtraDataOf"/>. Fewer are never accepted: they could be an old quote's.</summary>
    public required ReadOnlyMemory<byte> ExtraData { get; init; }

    /// <summary>The hash of the quoted registers, SHA-256 or SHA-384.</summary>
    public required TpmHash Bank { get; init; }

    /// <summary>Registers that must be among the quoted ones.</summary>
    public required ImmutableArray<int> Registers { get; init; }

    /// <summary>Accepted states of the registers. An empty list accepts none.</summary>
    public required ImmutableArray<TpmBuild> Builds { get; init; }

    public required EventLogPolicy EventLog { get; init; }

    /// <summary>The shortest modulus of an RSA key, 2048 or more. Keys on P-256 and P-384 are long enough.</summary>
    public required int MinimumRsaBits { get; init; }

    /// <summary>The least firmware version of the TPM, in its maker's numbering; 0 for any.</summary>
    public required ulong MinimumFirmwareVersion { get; init; }
}

/// <summary>One accepted state: all of its registers must have its values. One that names no register accepts whatever was started: then only rules over events say what.</summary>
/// <param name="Name">For people.</param>
/// <param name="Registers">The value of each named register, in lower-case hex.</param>
public sealed record TpmBuild(string Name, ImmutableSortedDictionary<int, string> Registers);

/// <summary>Why an attestation key is believed to be a TPM's: one of three reasons.</summary>
public abstract record TpmKeyTrust
{
    private protected TpmKeyTrust()
    {
    }
}

/// <summary>An authority made a certificate for it, as Google's and Microsoft's do for their virtual TPMs.</summary>
/// <param name="Roots">Root keys that may stand at the end of the chain: SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</param>
/// <param name="PurposeRequired">
/// The certificate must say that it is for an attestation key (tcg-kp-AIKCertificate, 2.23.133.8.3). Without it the authority must be known to certify nothing else:
/// any other key under the root could sign a made-up quote.
/// </param>
public sealed record TpmCertifiedKey(ImmutableArray<string> Roots, bool PurposeRequired) : TpmKeyTrust;

/// <summary>The processor's report vouches for it, as on Azure's confidential machines: its hash is in the report data, by way of <see cref="HclReport"/>.</summary>
/// <param name="ReportData">The 64 bytes of a report that was verified apart, with the measurement of the paravisor in which the virtual TPM runs.</param>
public sealed record TpmHardwareBoundKey(ReadOnlyMemory<byte> ReportData) : TpmKeyTrust;

/// <summary>It is known: one's own machine, whose key was enrolled once.</summary>
/// <param name="Names">The keys' names (<see cref="TpmPublicKey.Name"/>).</param>
public sealed record TpmPinnedKey(ImmutableArray<string> Names) : TpmKeyTrust;

/// <summary>A quote and what is needed to verify it. Empty where it is not there.</summary>
public sealed record TpmEvidence
{
    /// <summary>A TPMS_ATTEST.</summary>
    public required ReadOnlyMemory<byte> Quote { get; init; }

    /// <summary>A TPMT_SIGNATURE.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The attestation key: a TPMT_PUBLIC.</summary>
    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>The values of the quoted registers, ascending, one behind the other.</summary>
    public required ReadOnlyMemory<byte> RegisterValues { get; init; }

    /// <summary>As the firmware wrote it.</summary>
    public ReadOnlyMemory<byte> EventLog { get; init; }

    /// <summary>PEM: the attestation key's certificate, those above it, the root last.</summary>
    public ReadOnlyMemory<byte> Certificates { get; init; }

    /// <summary>From the virtual TPM of a confidential machine on Azure.</summary>
    public ReadOnlyMemory<byte> HclReport { get; init; }
}
