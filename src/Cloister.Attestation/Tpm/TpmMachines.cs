using System.Collections.Immutable;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Why a TPM's key is believed to be one. Zero is the failing value.</summary>
public enum TpmTrust : byte { None, Certified, HardwareBound, Pinned }

/// <summary>Which TPMs a policy accepts, and what must have been started. There is no "null means unchecked".</summary>
public sealed record TpmMachines
{
    public required TpmTrust Trust { get; init; }

    /// <summary>For <see cref="TpmTrust.Certified"/>: root keys, SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</summary>
    public required ImmutableArray<string> Roots { get; init; }

    /// <summary>For <see cref="TpmTrust.Certified"/>: the certificate must say that it is for an attestation key.</summary>
    public required bool PurposeRequired { get; init; }

    /// <summary>For <see cref="TpmTrust.Pinned"/>: the keys' names, 34 bytes in lower-case hex.</summary>
    public required ImmutableArray<string> Names { get; init; }

    /// <summary>No confidential machine is behind it: one's own, whose memory nothing protects. It then fails <see cref="BundleCheck.Confidential"/>.</summary>
    public required bool StandsAlone { get; init; }

    /// <summary>Registers that must be among the quoted ones, in the SHA-256 bank.</summary>
    public required ImmutableArray<int> Registers { get; init; }

    /// <summary>Accepted states of the registers; an accepted release adds its own. All registers of a state count together.</summary>
    public required ImmutableArray<TpmReference> Builds { get; init; }

    public required EventLogPolicy EventLog { get; init; }

    public required int MinimumRsaBits { get; init; }

    public required ulong MinimumFirmwareVersion { get; init; }

    internal string? Fault() =>
        Roots.IsDefault || Names.IsDefault || Registers.IsDefaultOrEmpty || Builds.IsDefault || EventLog is null || EventLog.Registers.IsDefault || EventLog.Rules.IsDefault
            || Builds.Any(build => build is null || build.Pcrs.IsDefaultOrEmpty || build.Pcrs.Contains(null!)) || EventLog.Rules.Any(rule => rule is null || rule.Digests.IsDefault) ? "A list for the TPM is missing or holds nothing."
        : Trust switch { TpmTrust.Certified => Roots.IsEmpty, TpmTrust.Pinned => Names.IsEmpty, TpmTrust.HardwareBound => StandsAlone, _ => true } ? "The TPM's key is not trusted for a reason that fits."
        : Registers.All(index => index is >= 0 and < 24) && Builds.All(build => build.Pcrs.DistinctBy(pcr => pcr.Index).Count() == build.Pcrs.Length && build.Pcrs.All(pcr => pcr.Index is >= 0 and < 24 && IsHex(pcr.Sha256, 32)))
            && Roots.All(root => IsHex(root, 32)) && Names.All(name => IsHex(name, 34)) ? null
        : "A register, a digest, a root or a name for the TPM is none.";

    private static bool IsHex(string? text, int length) => text is not null && Hex.TryDecode(text, out var bytes) && bytes.Length == length;

    /// <summary>The demands on a quote that was made for the statement or the session.</summary>
    internal TpmPolicy Demands(Binding binding) => new()
    {
        KeyTrust = Trust switch
        {
            TpmTrust.Certified     => new TpmCertifiedKey(Roots, PurposeRequired),
            TpmTrust.HardwareBound => new TpmHardwareBoundKey(binding.Machine),
            _                      => new TpmPinnedKey(Names),
        },
        ExtraData = TpmQuote.ExtraDataOf(binding.ReportData.Span),
        Bank = TpmHash.Sha256,
        Registers = Registers,
        Builds = [.. Builds.Concat(binding.Release?.Tpm ?? []).Select(build => new TpmBuild(build.Shape, build.Pcrs.ToImmutableSortedDictionary(pcr => pcr.Index, pcr => pcr.Sha256)))],
        EventLog = EventLog,
        MinimumRsaBits = MinimumRsaBits,
        MinimumFirmwareVersion = MinimumFirmwareVersion,
    };
}
