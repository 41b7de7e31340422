using System.Collections.Immutable;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Which SEV-SNP machines a policy accepts, and which builds on them. There is no "null means unchecked".</summary>
public sealed record SnpMachines
{
    private const int MeasurementSize = 48;

    /// <summary>The roots that may stand at the end of a chain.</summary>
    public required ImmutableArray<TrustedRoot> Roots { get; init; }

    /// <summary>Launch measurements of accepted builds, lower-case hex of 48 bytes. An empty list accepts none.</summary>
    public required ImmutableArray<string> Measurements { get; init; }

    /// <summary>The oldest firmware that is accepted, per product. A product that is not listed is refused.</summary>
    public required ImmutableArray<TcbFloor> TcbFloors { get; init; }

    /// <summary>The lowest ABI version that the guest's policy must demand of the firmware.</summary>
    public required FirmwareAbi MinimumAbi { get; init; }

    /// <summary>The bits of the mitigation vectors that must be set in reports of version 5 and later.</summary>
    public required ulong Mitigations { get; init; }

    /// <summary>The bits that the guest's policy must set: what it demands of the platform.</summary>
    public required ulong GuestDemands { get; init; }

    /// <summary>Why a key lent to a cloud (VLEK) is accepted, which says nothing about which chip it is. Null refuses it.</summary>
    public string? VlekReason { get; init; }

    /// <summary>Every hardening that current machines offer.</summary>
    public static SnpMachines Strict(ImmutableArray<string> measurements) => new()
    {
        Roots = TrustedRoot.Amd,
        Measurements = measurements,
        TcbFloors = TcbFloor.Current,
        MinimumAbi = new FirmwareAbi(1, 55),
        Mitigations = 0,
        GuestDemands = 0,
    };

    internal string? Fault()
    {
        if (Roots.IsDefaultOrEmpty || Measurements.IsDefault || TcbFloors.IsDefault || MinimumAbi is null || Roots.Contains(null!) || TcbFloors.Contains(null!) || TcbFloors.Any(floor => floor.Because.IsDefault || floor.Because.Contains(null!)))
        {
            return "A list for SEV-SNP is missing or holds nothing.";
        }
        return Measurements.All(measurement => Hex.TryDecode(measurement, out var bytes) && bytes.Length == MeasurementSize) && Roots.All(root => Hex.TryDecode(root.Fingerprint, out var bytes) && bytes.Length == 32)
            ? null
            : "A measurement or a fingerprint for SEV-SNP is not lower-case hex of its length.";
    }

    /// <summary>The demands on a report that carries <paramref name="reportData"/>, of a build that is listed here or published.</summary>
    internal SnpReportPolicy Demands(ReadOnlyMemory<byte> reportData, ReferenceMeasurements? release) => new()
    {
        Roots = Roots,
        VlekAccepted = VlekReason is not null,
        Expected = new Dictionary<SnpField, ImmutableArray<ReadOnlyMemory<byte>>>
        {
            [SnpField.Measurement] = [.. Measurements.Concat(release?.Snp.Select(reference => reference.LaunchDigest) ?? []).Select(measurement => (ReadOnlyMemory<byte>)Convert.FromHexString(measurement))],
            [SnpField.ReportData] = [reportData],
            [SnpField.HostData] = [new byte[32]],
            [SnpField.IdKeyDigest] = [new byte[48]],
            [SnpField.AuthorKeyDigest] = [new byte[48]],
        },
        Hardening = new SnpHardening { TcbFloors = TcbFloors, MinimumAbi = MinimumAbi, Mitigations = Mitigations, GuestDemands = GuestDemands },
    };
}

/// <summary>A root by the SHA-256 of its public key (the whole SubjectPublicKeyInfo), lower-case hex.</summary>
public sealed record TrustedRoot
{
    public required string Fingerprint { get; init; }

    public required SnpProduct Product { get; init; }

    /// <summary>The root was made for development: what it vouches for is protected by nothing.</summary>
    public required bool Simulated { get; init; }

    /// <summary>
    /// The roots that AMD publishes for its processors. Milan is not among them: a program on the machine can make its security processor give up the
    /// seed of its key, and with it reports of any firmware ("Insecure Despite Proven Updated", arXiv 2605.12990).
    /// </summary>
    public static ImmutableArray<TrustedRoot> Amd { get; } =
    [
        new() { Fingerprint = SnpAuthority.Genoa.RootFingerprint, Product = SnpProduct.Genoa, Simulated = false },
        new() { Fingerprint = SnpAuthority.Turin.RootFingerprint, Product = SnpProduct.Turin, Simulated = false },
    ];

    /// <summary>Milan's root, for a policy that accepts it in so many words.</summary>
    public static TrustedRoot AmdMilan { get; } = new() { Fingerprint = SnpAuthority.Milan.RootFingerprint, Product = SnpProduct.Milan, Simulated = false };
}

/// <summary>The oldest accepted security version of each part of a product's firmware, and why.</summary>
public sealed record TcbFloor
{
    public required SnpProduct Product { get; init; }
    public byte Fmc { get; init; }
    public required byte BootLoader { get; init; }
    public required byte Tee { get; init; }
    public required byte Snp { get; init; }
    public required byte Microcode { get; init; }

    /// <summary>What an older firmware lets through.</summary>
    public required ImmutableArray<Advisory> Because { get; init; }

    internal TcbVersion Version => new(Fmc, BootLoader, Tee, Snp, Microcode);

    private static readonly Advisory Aliases = new("AMD", "AMD-SB-3015", "a manipulated memory module shows the guest's memory to the host (BadRAM)");
    private static readonly Advisory Microcodes = new("AMD", "AMD-SB-3019", "somebody with the machine loads microcode of his own");

    /// <summary>Today's, with the bulletins that they answer.</summary>
    public static ImmutableArray<TcbFloor> Current { get; } =
    [
        new() { Product = SnpProduct.Genoa, BootLoader = 9, Tee = 0, Snp = 23, Microcode = 0x19, Because = [Aliases, Microcodes] },
        new() { Product = SnpProduct.Turin, Fmc = 0, BootLoader = 1, Tee = 1, Snp = 1, Microcode = 0x1a, Because = [Aliases, Microcodes] },
    ];
}

/// <summary>A maker's bulletin.</summary>
/// <param name="Stops">What its remedy stops, for people.</param>
public sealed record Advisory(string By, string Id, string Stops);

public sealed record FirmwareAbi(byte Major, byte Minor);
