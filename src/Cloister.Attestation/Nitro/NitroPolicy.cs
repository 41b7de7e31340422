using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What is demanded of a document besides that it is genuine (docs/spec/nitro.md, section 5).</summary>
public sealed record NitroPolicy
{
    /// <summary>Root keys that may stand at the beginning of the bundle: SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</summary>
    public required ImmutableArray<string> Roots { get; init; }

    /// <summary>Builds, of which the enclave must be one in all three registers.</summary>
    public required ImmutableArray<NitroBuild> Builds { get; init; }

    /// <summary>PCR8 must be one of these: 48 bytes in lower-case hex; <see cref="NitroBuild.Unsigned"/> for images that nobody signed.</summary>
    public required ImmutableArray<string> ImageSigners { get; init; }

    /// <summary>How long ago the document may have been made.</summary>
    public required TimeSpan MaximumAge { get; init; }

    /// <summary>What the enclave must have had signed with the document.</summary>
    public required ReadOnlyMemory<byte> UserData { get; init; }
}

/// <summary>What a build measures: 48 bytes each, in lower-case hex.</summary>
/// <param name="Pcr0">The image.</param>
/// <param name="Pcr1">The kernel and what starts it.</param>
/// <param name="Pcr2">The application.</param>
public sealed record NitroBuild(string Pcr0, string Pcr1, string Pcr2)
{
    /// <summary>PCR8 of an image that nobody signed.</summary>
    public static string Unsigned { get; } = new('0', 96);

    // Zeros are what an enclave in debug mode shows, whatever it runs.
    internal bool IsWellFormed() => new[] { Pcr0, Pcr1, Pcr2 }.All(register => IsRegister(register) && register != Unsigned);

    internal static bool IsRegister(string text) => Hex.TryDecode(text, out var bytes) && bytes.Length == 48;
}

public static class NitroRoot
{
    /// <summary>The key of "aws.nitro-enclaves", AWS Nitro Enclaves Root-G1, of the commercial regions.</summary>
    public const string Aws = "f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225";
}
