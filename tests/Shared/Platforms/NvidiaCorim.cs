using System.Security.Cryptography;

namespace Cloister.Testing;

/// <summary>NVIDIA's manifests in their other form, a signed CoRIM, written piece by piece so that each piece can be spoiled.</summary>
internal static class NvidiaCorim
{
    /// <summary>What the manifest in XML of the same parts says.</summary>
    public static byte[] Corim(this NvidiaAuthority nvidia, NvidiaManifestParts? manifest = null, NvidiaCorimParts? parts = null)
    {
        manifest ??= new NvidiaManifestParts();
        parts ??= new NvidiaCorimParts();
        var chain = manifest.Chain ?? [nvidia.ManifestSigner.Certificate, nvidia.ManifestIssuer.Certificate, nvidia.ManifestAuthority.Certificate, nvidia.ManifestRoot.Certificate];

        byte[] meta = Map("corim-meta", (0, Map("signer", (0, Item("signer-name", TestCbor.Text("NVIDIA"))))));
        byte[] header = Map("protected",
            (1, Item("alg", TestCbor.Negative(-35))),
            (3, Item("content-type", TestCbor.Text("application/rim+cbor"))),
            (8, Item("meta", TestCbor.Bytes(meta))),
            (33, Item("x5chain", TestCbor.Array([.. chain.Select(TestCbor.Bytes)]))));
        byte[] module = Map("concise-mid-tag",
            (1, Map("tag-identity", (0, Item("tag-id", TestCbor.Text($"10de2335-10de18be-000000a1-{manifest.Version}"))))),
            (2, Entities("entities of the module", 0, 1)),
            (4, Map("triples", (0, Item("reference-triples", TestCbor.Array([.. Records(manifest).Select(Record)]))))));
        byte[] payload = Item("payload", TestCbor.Tag(501, Map("corim-map",
            (0, Item("id", TestCbor.Text($"{manifest.Product}_{manifest.Version}"))),
            (1, Item("tags", TestCbor.Array(Item("tag", TestCbor.Tag(506, TestCbor.Bytes(module)))))),
            (4, Map("rim-validity", (0, Time(parts.NotBefore)), (1, Time(parts.NotAfter)))),
            (5, Entities("entities", 1)))));

        byte[] signed = TestCbor.Array(TestCbor.Text("Signature1"), TestCbor.Bytes(header), TestCbor.Bytes([]), TestCbor.Bytes(payload));
        byte[] signature = (manifest.Signer ?? nvidia.ManifestSigner).Key.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        byte[] envelope = Item("envelope", TestCbor.Array(TestCbor.Bytes(header), Map("unprotected"), Item("payload bytes", TestCbor.Bytes(payload)), Item("signature", TestCbor.Bytes(signature))));
        return Item("document", TestCbor.Tag(18, envelope));

        byte[] Record((int Index, byte[] Value)[] claims) => Item("record", TestCbor.Array(
            Map("environment", (0, Map("class", (1, Item("vendor", TestCbor.Text("NVIDIA"))), (2, Item("model", TestCbor.Text($"{manifest.Product} A01 GSP"))), (3, Item("layer", [1]))))),
            Item("ref-claims", TestCbor.Array([.. claims.Select(claim => Measurement(claim.Index, claim.Value))]))));

        byte[] Measurement(int index, byte[] value) => Map("measurement-map",
            (0, Item("mkey", TestCbor.Head(0, (ulong)index + 1))),
            (1, Map("mval", (2, Item("digests", TestCbor.Array(Item("digest", TestCbor.Array([7], TestCbor.Bytes(value)))))))));

        byte[] Entities(string name, params byte[] roles) => Item(name, TestCbor.Array(Map("entity",
            (0, Item("entity-name", TestCbor.Text("NVIDIA"))),
            (1, Item("reg-id", TestCbor.Tag(32, TestCbor.Text("https://www.nvidia.com")))),
            (2, Item("role", TestCbor.Array([.. roles.Select(role => (byte[])[role])]))))));

        byte[] Map(string name, params (int Key, byte[] Value)[] pairs)
        {
            var members = pairs.Select(pair => (Key: TestCbor.Head(0, (ulong)pair.Key), pair.Value)).ToList();
            parts.Members?.Invoke(name, members);
            return Item(name, TestCbor.Map([.. members]));
        }

        byte[] Item(string name, byte[] encoded) => parts.Item?.Invoke(name, encoded) ?? encoded;
    }

    public static byte[] Time(DateTimeOffset time) => TestCbor.Tag(1, TestCbor.Head(0, (ulong)time.ToUnixTimeSeconds()));

    // What has one value stands in one record; each alternative has a record of its own.
    private static IEnumerable<(int Index, byte[] Value)[]> Records(NvidiaManifestParts manifest)
    {
        var measured = (manifest.Indexes ?? (manifest.IsVbios ? NvidiaAuthority.VbiosIndexes : NvidiaAuthority.DriverIndexes)).Select(index => (Index: index, Values: NvidiaAuthority.GoldenValues(manifest, index))).ToArray();
        var together = measured.Where(one => one.Values.Length == 1).Select(one => (one.Index, one.Values[0])).ToArray();
        return (together.Length > 0 ? [together] : Array.Empty<(int, byte[])[]>()).Concat(measured.Where(one => one.Values.Length > 1).SelectMany(one => one.Values.Select(value => new[] { (one.Index, value) })));
    }
}

/// <summary>What is other than it should be in a CoRIM. It is changed before it is signed, but for what is around the signed parts.</summary>
internal sealed record NvidiaCorimParts
{
    public DateTimeOffset NotBefore { get; init; } = DateTimeOffset.UnixEpoch;
    public DateTimeOffset NotAfter { get; init; } = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The pairs of each map, by the map's name.</summary>
    public Action<string, List<(byte[] Key, byte[] Value)>>? Members { get; init; }

    /// <summary>Each encoded item, by its name.</summary>
    public Func<string, byte[], byte[]>? Item { get; init; }
}
