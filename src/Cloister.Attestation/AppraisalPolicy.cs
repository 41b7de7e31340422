using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What a client demands of an enclave before it sends one byte of plaintext (docs/spec/appraisal.md).</summary>
/// <remarks>It is data: the same record as JSON goes to a terminal client and to the web app. There is no "null means unchecked".</remarks>
public sealed record AppraisalPolicy
{
    public required AppraisalProfile Profile { get; init; }

    /// <summary>The roots that may stand at the end of a chain.</summary>
    public required ImmutableArray<TrustedRoot> Roots { get; init; }

    /// <summary>Launch measurements of accepted builds, lower-case hex of 48 bytes. An empty list accepts none.</summary>
    public required ImmutableArray<string> Measurements { get; init; }

    /// <summary>The oldest firmware that is accepted, per product. A product that is not listed is refused.</summary>
    public required ImmutableArray<TcbFloor> TcbFloors { get; init; }

    /// <summary>The lowest ABI version that the guest's policy must demand of the firmware.</summary>
    public required FirmwareAbi MinimumAbi { get; init; }

    /// <summary>The oldest statement, in seconds.</summary>
    public required int MaximumAgeSeconds { get; init; }

    /// <summary>The weakest shaping floor that an enclave may have.</summary>
    public required ShapingFloor MinimumShaping { get; init; }

    /// <summary>Models that must be served with exactly these digests. A model that is not listed may be served besides.</summary>
    public required ImmutableArray<ServedModel> Models { get; init; }

    /// <summary>The bits of the mitigation vector that must be set in reports of version 5 and later.</summary>
    public required ulong Mitigations { get; init; }

    /// <summary>Checks that may fail, each with the reason, which is shown wherever the result is.</summary>
    public required ImmutableDictionary<CheckName, string> Waivers { get; init; }

    /// <summary>Checks whose failure means that nothing was proved. No policy can waive them.</summary>
    public static FrozenSet<CheckName> Unwaivable { get; } = new[]
    {
        CheckName.BundleForm, CheckName.StatementForm, CheckName.StatementVersion, CheckName.StatementRole, CheckName.StatementValidity, CheckName.StatementAge,
        CheckName.EvidenceForm, CheckName.ReportForm, CheckName.Root, CheckName.Simulation, CheckName.CertificateChain, CheckName.CertificateValidity,
        CheckName.ReportSignature, CheckName.StatementBinding, CheckName.Measurement, CheckName.GuestDebug,
    }.ToFrozenSet();

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.AppraisalPolicy);

    /// <summary>Reads a policy strictly. <paramref name="fault"/> says in a sentence what is wrong with one that is refused.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out AppraisalPolicy? policy, [NotNullWhen(false)] out string? fault)
    {
        policy = AttestationJson.Read(json, AttestationJson.Default.AppraisalPolicy);
        fault = policy is null ? "The policy is not well-formed: a member is missing, unknown, repeated or of the wrong type." : policy.Fault();
        if (fault is not null)
        {
            policy = null;
        }
        return policy is not null;
    }

    /// <summary>Every hardening that current machines offer.</summary>
    public static AppraisalPolicy Strict(ImmutableArray<string> measurements) => new()
    {
        Profile = AppraisalProfile.Strict,
        Roots = TrustedRoot.Amd,
        Measurements = measurements,
        TcbFloors = TcbFloor.Current,
        MinimumAbi = new FirmwareAbi(1, 55),
        MaximumAgeSeconds = 3600,
        MinimumShaping = ShapingFloor.Padded,
        Models = [],
        Mitigations = 0,
        Waivers = ImmutableDictionary<CheckName, string>.Empty,
    };

    /// <summary>What today's clouds offer. Each hardening that they lack is waived with its reason.</summary>
    public static AppraisalPolicy Base(ImmutableArray<string> measurements) => Strict(measurements) with
    {
        Profile = AppraisalProfile.Base,
        MinimumAbi = new FirmwareAbi(0, 0),
        Waivers = new Dictionary<CheckName, string>
        {
            [CheckName.Revocation] = "clouds hand out certificates without the revocation list",
            [CheckName.GuestSmt] = "clouds share a core's two threads within one virtual machine",
            [CheckName.PlatformCiphertextHiding] = "only Turin and later hide ciphertext from the host",
            [CheckName.PlatformRapl] = "clouds leave the power meter on",
            [CheckName.PlatformAliasCheck] = "older firmware does not report the memory alias check",
            [CheckName.GuestAbi] = "clouds launch guests with a policy that demands no firmware version",
        }.ToImmutableDictionary(),
    };

    /// <summary>For a machine without confidential hardware: the strict checks, under a root made on that machine and under no other.</summary>
    /// <param name="rootFingerprint">SHA-256 of the development root's public key, lower-case hex.</param>
    public static AppraisalPolicy Development(string rootFingerprint, ImmutableArray<string> measurements) => Strict(measurements) with
    {
        Profile = AppraisalProfile.Development,
        Roots = [new TrustedRoot { Fingerprint = rootFingerprint, Product = SnpProduct.Genoa, Simulated = true }],
    };

    private string? Fault()
    {
        if (Roots.IsDefault || Measurements.IsDefault || TcbFloors.IsDefault || Models.IsDefault || Waivers is null || MinimumAbi is null)
        {
            return "A list of the policy is missing.";
        }
        if (Waivers.Keys.FirstOrDefault(Unwaivable.Contains) is var name && Waivers.Keys.Any(Unwaivable.Contains))
        {
            return $"The check {name} cannot be waived: without it nothing is proved.";
        }
        if (Roots.Any(root => root.Simulated) != (Profile is AppraisalProfile.Development) || Roots.Any(root => root.Simulated) != Roots.All(root => root.Simulated))
        {
            return "A simulated root belongs to the development profile, and the development profile has no other.";
        }
        if (Measurements.Any(measurement => !Hex.TryDecode(measurement, out var bytes) || bytes.Length != 48) || Roots.Any(root => !Hex.TryDecode(root.Fingerprint, out var bytes) || bytes.Length != 32))
        {
            return "A measurement or a fingerprint is not lower-case hex of its length.";
        }
        return MaximumAgeSeconds is < 1 or > 3600 ? "The maximum age is from 1 to 3600 seconds." : null;
    }
}

public enum AppraisalProfile : byte { Strict, Base, Development }

/// <summary>A root by the SHA-256 of its public key (the whole SubjectPublicKeyInfo), lower-case hex.</summary>
public sealed record TrustedRoot
{
    public required string Fingerprint { get; init; }

    public required SnpProduct Product { get; init; }

    /// <summary>The root was made for development: what it vouches for is protected by nothing.</summary>
    public required bool Simulated { get; init; }

    /// <summary>The roots that AMD publishes for its processors. Milan is not among them: its firmware cannot be told from one with known holes.</summary>
    public static ImmutableArray<TrustedRoot> Amd { get; } =
    [
        new() { Fingerprint = "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831", Product = SnpProduct.Genoa, Simulated = false },
        new() { Fingerprint = "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08", Product = SnpProduct.Turin, Simulated = false },
    ];

    /// <summary>Milan's root, for a policy that accepts it in so many words.</summary>
    public static TrustedRoot AmdMilan { get; } = new() { Fingerprint = "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9", Product = SnpProduct.Milan, Simulated = false };
}

/// <summary>The oldest accepted security version of each part of a product's firmware.</summary>
public sealed record TcbFloor
{
    public required SnpProduct Product { get; init; }
    public byte Fmc { get; init; }
    public required byte BootLoader { get; init; }
    public required byte Tee { get; init; }
    public required byte Snp { get; init; }
    public required byte Microcode { get; init; }

    internal TcbVersion Version => new(Fmc, BootLoader, Tee, Snp, Microcode);

    /// <summary>After AMD-SB-3015 and AMD-SB-3019 (memory aliases; microcode signatures).</summary>
    public static ImmutableArray<TcbFloor> Current { get; } =
    [
        new() { Product = SnpProduct.Genoa, BootLoader = 9, Tee = 0, Snp = 23, Microcode = 0x19 },
        new() { Product = SnpProduct.Turin, Fmc = 0, BootLoader = 1, Tee = 1, Snp = 1, Microcode = 0x1a },
    ];
}

public sealed record FirmwareAbi(byte Major, byte Minor);
