using System.Collections.Immutable;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>Which Nitro enclaves a policy accepts. There is no "null means unchecked". Whoever names this part trusts AWS with what the enclave sees (docs/limitations.md).</summary>
public sealed record NitroMachines
{
    /// <summary>Root keys that may stand at the beginning of the bundle: SHA-256 of the SubjectPublicKeyInfo in lower-case hex.</summary>
    public required ImmutableArray<string> Roots { get; init; }

    /// <summary>Accepted builds. An empty list accepts none.</summary>
    public required ImmutableArray<NitroBuild> Builds { get; init; }

    /// <summary>Accepted values of PCR8: who signed the image, 48 bytes in lower-case hex; <see cref="NitroBuild.Unsigned"/> where nobody did.</summary>
    public required ImmutableArray<string> ImageSigners { get; init; }

    /// <summary>AWS's root of the commercial regions, and images that nobody signed.</summary>
    public static NitroMachines Strict(ImmutableArray<NitroBuild> builds) => new()
    {
        Roots = [NitroRoot.Aws],
        Builds = builds,
        ImageSigners = [NitroBuild.Unsigned],
    };

    internal string? Fault() =>
        Roots.IsDefaultOrEmpty || Builds.IsDefault || ImageSigners.IsDefault || Roots.Contains(null!) || Builds.Contains(null!) || ImageSigners.Contains(null!) ? "A list for Nitro is missing or holds nothing."
        : Roots.All(root => Hex.TryDecode(root, out var bytes) && bytes.Length == 32) && Builds.All(build => build.IsWellFormed()) && ImageSigners.All(NitroBuild.IsRegister) ? null
        : "A build, a root or a signer for Nitro is not lower-case hex of its length, or a build is that of any enclave in debug mode.";

    /// <summary>The demands on a document that carries <paramref name="userData"/>. It may be as old as the statement that it vouches for.</summary>
    internal NitroPolicy Demands(ReadOnlyMemory<byte> userData, TimeSpan maximumAge) => new()
    {
        Roots = Roots,
        Builds = Builds,
        ImageSigners = ImageSigners,
        MaximumAge = maximumAge,
        UserData = userData,
    };
}
