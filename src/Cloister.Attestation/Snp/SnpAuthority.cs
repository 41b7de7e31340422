using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>The two certificates above a chip's own: AMD's root (ARK) and the intermediate (ASK) that signs its VCEKs.</summary>
/// <remarks>Certificates are read when the program starts; nothing is fetched.</remarks>
public sealed record SnpAuthority
{
    public required Certificate Root { get; init; }

    public required Certificate Intermediate { get; init; }

    /// <summary>AMD's for each product, as it publishes them. Both certificates are pinned, not only the root.</summary>
    public static ImmutableDictionary<SnpProduct, SnpAuthority> Amd { get; } = new Dictionary<SnpProduct, SnpAuthority>
    {
        [SnpProduct.Milan] = Published("milan"),
        [SnpProduct.Genoa] = Published("genoa"),
        [SnpProduct.Turin] = Published("turin"),
    }.ToImmutableDictionary();

    private static SnpAuthority Published(string product) => new() { Root = Resource($"{product}-ark.der"), Intermediate = Resource($"{product}-ask.der") };

    private static Certificate Resource(string name)
    {
        using var stream = typeof(SnpAuthority).Assembly.GetManifestResourceStream(name)!;
        byte[] der = new byte[stream.Length];
        stream.ReadExactly(der);
        return Certificate.TryParse(der, out var certificate) ? certificate : throw new InvalidOperationException($"The pinned certificate {name} is damaged.");
    }
}
