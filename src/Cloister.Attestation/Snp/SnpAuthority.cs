namespace Cloister.Attestation;

/// <summary>The two certificates above a chip's own, as AMD publishes them for a product: its root (ARK) and the intermediate (ASK) that signs its VCEKs. Both are pinned, not only the root.</summary>
/// <remarks>Nothing is fetched: the certificates are part of this library, and read when they are asked for.</remarks>
public sealed class SnpAuthority
{
    private SnpAuthority(SnpProduct product, string root, string intermediate) => (Product, RootFingerprint, IntermediateFingerprint) = (product, root, intermediate);

    public static SnpAuthority Milan { get; } = new(
        SnpProduct.Milan, "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9", "42491669ccb851d627ea9846cd24eccbeb7de7c2a62740120fff88001d38ebb6");

    public static SnpAuthority Genoa { get; } = new(
        SnpProduct.Genoa, "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831", "0324d55bcd48ba877a8fd87c0e1b4934dec8448e3807a24384a34dc6a6c9ebb8");

    public static SnpAuthority Turin { get; } = new(
        SnpProduct.Turin, "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08", "0000ead352025f208bf55297c4192c34cd1b878002107366d8f2065a9ae7d3a9");

    public static IReadOnlyList<SnpAuthority> All { get; } = [Milan, Genoa, Turin];

    public SnpProduct Product { get; }

    /// <summary>SHA-256 of the root's public key (the whole SubjectPublicKeyInfo), lower-case hex.</summary>
    public string RootFingerprint { get; }

    /// <summary>The same of the intermediate's.</summary>
    public string IntermediateFingerprint { get; }

    public Certificate Root => Read("ark");

    public Certificate Intermediate => Read("ask");

    /// <summary>Null for a product that is not known.</summary>
    public static SnpAuthority? Of(SnpProduct product) => All.FirstOrDefault(authority => authority.Product == product);

    private Certificate Read(string kind)
    {
        string name = $"{Product.ToString().ToLowerInvariant()}-{kind}.der";
        using var stream = typeof(SnpAuthority).Assembly.GetManifestResourceStream(name)!;
        byte[] der = new byte[stream.Length];
        stream.ReadExactly(der);
        return Certificate.TryParse(der, out var certificate) ? certificate : throw new InvalidOperationException($"The pinned certificate {name} is damaged.");
    }
}
