using System.Security.Cryptography;
using CsCheck;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>Manifests in CBOR: what is read of them, and what of them is refused by which name.</summary>
public class CorimTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NvidiaAuthority Nvidia = new(Now);
    private static readonly byte[] Zeros = TestCbor.Bytes(new byte[48]);

    [Fact]
    public void Any_manifest_is_read_as_it_is_written() => Gen.Select(Gen.Int[0, 253].HashSet[1, 30], Gen.Int[1, 64], Gen.Int[0, 999], Gen.Bool).Sample((indexes, alternatives, minor, wrapped) =>
    {
        int several = indexes.Max();
        var written = new NvidiaManifestParts
        {
            Product = "GB100",
            Version = $"600.{minor}",
            Indexes = [.. indexes],
            Golden = index => index == several ? [.. Enumerable.Range(0, alternatives).Select(i => SHA384.HashData([(byte)i]))] : null,
        };
        var read = Read(Nvidia.Corim(written, wrapped ? Wrapped : null));
        Assert.Equal(("GB100", written.Version, $"10de2335-10de18be-000000a1-{written.Version}"), (read.Product, read.Version, read.TagId));
        Assert.Equal(indexes.Order(), read.Active.Select(golden => golden.Index));
        Assert.All(read.Active, golden => Assert.Equal(NvidiaAuthority.GoldenValues(written, golden.Index), golden.Values.Select(value => value.ToArray())));
    }, iter: 60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Both_forms_say_the_same(bool isVbios)
    {
        var parts = new NvidiaManifestParts { IsVbios = isVbios };
        Assert.True(ReferenceManifest.TryParse(Nvidia.Manifest(parts), out var xml));
        var corim = Read(Nvidia.Corim(parts));
        Assert.Equal((xml.Product, xml.Version), (corim.Product, corim.Version));
        Assert.Equal(Shown(xml), Shown(corim));
        Assert.Equal(xml.Signature.Certificates, corim.Signature.Certificates);
        Assert.Equal((DateTimeOffset.MinValue, DateTimeOffset.MaxValue), (xml.NotBefore, xml.NotAfter));

        static string[] Shown(ReferenceManifest manifest) => [.. manifest.Active.Select(golden => $"{golden.Index} {golden.Name} {string.Join(' ', golden.Values.Select(value => Hex.Encode(value.Span)))}")];
    }

    [Fact]
    public void What_may_lack_may_lack()
    {
        var bare = Read(Nvidia.Corim(parts: Members("corim-map", pairs => pairs.RemoveRange(2, 2))));
        Assert.Equal((DateTimeOffset.MinValue, DateTimeOffset.MaxValue), (bare.NotBefore, bare.NotAfter));
        Assert.Equal(Now, Read(Nvidia.Corim(parts: Members("rim-validity", pairs => pairs.RemoveAt(0)) with { NotAfter = Now })).NotAfter);
        Read(Nvidia.Corim(parts: Members("concise-mid-tag", pairs => pairs.RemoveAt(1))));
        Read(Nvidia.Corim(parts: Members("entity", pairs => pairs.RemoveAt(1))));
        Assert.Equal("590.12", Read(Nvidia.Corim(parts: Item("id", TestCbor.Text("590.12")))).Version);
        Assert.Equal("LS10", Read(Nvidia.Corim(parts: Item("model", TestCbor.Text("LS10")))).Product);
        Read(Nvidia.Corim(parts: Wrapped));
    }

    [Fact]
    public void Both_dates_of_both_maps_hold()
    {
        var inner = Now - TimeSpan.FromDays(1);
        byte[] validity = TestCbor.Map(([0], NvidiaCorim.Time(inner)), ([1], NvidiaCorim.Time(Now)));
        var manifest = Read(Nvidia.Corim(parts: Members("corim-meta", pairs => pairs.Add(([1], validity))) with { NotBefore = inner - TimeSpan.FromDays(1), NotAfter = Now + TimeSpan.FromDays(1) }));
        Assert.Equal((inner, Now), (manifest.NotBefore, manifest.NotAfter));
        manifest = Read(Nvidia.Corim(parts: Members("corim-meta", pairs => pairs.Add(([1], validity))) with { NotBefore = inner + TimeSpan.FromHours(1), NotAfter = Now - TimeSpan.FromHours(1) }));
        Assert.Equal((inner + TimeSpan.FromHours(1), Now - TimeSpan.FromHours(1)), (manifest.NotBefore, manifest.NotAfter));
    }

    /// <summary>One manifest, one thing spoiled: it is refused, and the refusal names the field.</summary>
    [Theory, MemberData(nameof(Numbers))]
    public void What_is_spoiled_is_refused_by_its_name(int number, string field)
    {
        byte[] spoiled = Nvidia.Corim(parts: Cases()[number].Parts);
        Assert.False(ReferenceManifest.TryParse(spoiled, out var manifest, out var error), $"{number}");
        Assert.Null(manifest);
        Assert.NotEqual(WireFault.None, error.Fault);
        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void A_manifest_has_bounds()
    {
        byte[] good = Nvidia.Corim();
        Assert.False(ReferenceManifest.TryParse((byte[])[.. good, .. new byte[ReferenceManifest.MaxSize + 1 - good.Length]], out _, out var error));
        Assert.Equal(("CoRIM", 0), (error.Field, error.Offset));
        Assert.False(ReferenceManifest.TryParse((byte[])[.. good, 0], out _, out error));
        Assert.Equal((WireFault.TrailingBytes, "signed-corim"), (error.Fault, error.Field));
        for (int length = 1; length < good.Length; length += 5)
        {
            Assert.False(ReferenceManifest.TryParse(good.AsMemory(0, length), out _, out error));
            Assert.NotEqual(WireFault.None, error.Fault);
        }
        Assert.Equal(64, Read(Nvidia.Corim(Alternatives(64))).Active.Single(golden => golden.Index == 21).Values.Length);
        Assert.False(ReferenceManifest.TryParse(Nvidia.Corim(Alternatives(65)), out _, out error));
        Assert.Equal("mkey", error.Field);

        static NvidiaManifestParts Alternatives(int count) => new() { Golden = index => index == 21 ? [.. Enumerable.Range(0, count).Select(i => SHA384.HashData([(byte)i]))] : null };
    }

    // A record lists what goes together. If 8 may be a only where 24 is b, then a manifest that says so cannot be compared index by index.
    [Fact]
    public void An_index_has_alternatives_only_where_it_stands_alone()
    {
        Assert.Equal(2, Read(Records([8], [8], [24])).Active.Single(golden => golden.Index == 7).Values.Length);
        Assert.Equal([7, 23, 35], Read(Records([36, 8], [24])).Active.Select(golden => golden.Index));
        Assert.All(new int[][][] { [[8, 24], [8, 24]], [[8, 24], [8]], [[8], [8, 24]], [[8, 8]], [[24], [8, 36, 8]] }, records =>
        {
            Assert.False(ReferenceManifest.TryParse(Records(records), out _, out var error));
            Assert.Equal("mkey", error.Field);
        });

        static byte[] Records(params int[][] keys) => Nvidia.Corim(parts: Item("reference-triples", TestCbor.Array([.. keys.Select(record => Record([.. record.Select(Measurement)]))])));
    }

    /// <summary>
    /// A manifest of NVIDIA's for a network card, with its own signer's key, both as the IETF's working group on remote attestation shows them
    /// (wiki.ietf.org, RATS, "NVIDIA RIM Service"). Its signature is over what we take it to be over; the rest is an older form, for a device that we do not judge.
    /// </summary>
    [Fact]
    public void NVIDIAs_own_signature_is_verified_and_its_older_form_is_refused()
    {
        byte[] manifest = Convert.FromBase64String(NetworkCard);
        Assert.Equal("ca3f3a12d38746dfa9168a3ecd39be4aabb57aab94b83f3b771482e2c3c89e02", Hex.Encode(SHA256.HashData(manifest)));
        var (header, payload, signature) = (manifest[10..49], manifest[53..^98], manifest[^96..]);
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromHexString(NetworkCardSigner), out _);
        Assert.True(key.VerifyData(CoseSign1.SignedBytes(header, payload), signature, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
        payload[^1] ^= 1;
        Assert.False(key.VerifyData(CoseSign1.SignedBytes(header, payload), signature, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

        Assert.False(ReferenceManifest.TryParse(manifest, out _, out var error));
        Assert.Equal("x5chain", error.Field);
    }

    public static TheoryData<int, string> Numbers => new(Cases().Select((one, number) => (number, one.Field)));

    private static NvidiaCorimParts Wrapped => new() { Item = (name, item) => name == "document" ? TestCbor.Tag(500, TestCbor.Tag(502, item)) : item };

    private static ReferenceManifest Read(byte[] corim)
    {
        Assert.True(ReferenceManifest.TryParse(corim, out var manifest, out var error), $"{error}");
        Assert.Equal(default, error);
        return manifest;
    }

    private static NvidiaCorimParts Item(string name, byte[] by) => new() { Item = (found, item) => found == name ? by : item };

    private static NvidiaCorimParts Members(string name, Action<List<(byte[] Key, byte[] Value)>> change) => new()
    {
        Members = (found, pairs) =>
        {
            if (found == name)
            {
                change(pairs);
            }
        },
    };

    private static byte[] Record(params byte[][] measurements) => TestCbor.Array(Environment("GH100 A01 GSP"), TestCbor.Array(measurements));

    private static byte[] Environment(string model) => TestCbor.Map(([0], TestCbor.Map(([1], TestCbor.Text("NVIDIA")), ([2], TestCbor.Text(model)), ([3], [1]))));

    private static byte[] Measurement(int key) => TestCbor.Map(([0], TestCbor.Head(0, (ulong)key)), ([1], TestCbor.Map(([2], TestCbor.Array(TestCbor.Array([7], Zeros))))));

    private static (string Field, NvidiaCorimParts Parts)[] Cases()
    {
        (string, NvidiaCorimParts) Is(string field, string name, byte[] by) => (field, Item(name, by));
        (string, NvidiaCorimParts) Becomes(string field, string name, Func<byte[], byte[]> change) => (field, new NvidiaCorimParts { Item = (found, item) => found == name ? change(item) : item });
        (string, NvidiaCorimParts) Without(string field, string map, int pair) => (field, Members(map, pairs => pairs.RemoveAt(pair)));
        (string, NvidiaCorimParts) With(string field, string map, int at, byte key, byte[]? value = null) => (field, Members(map, pairs => pairs.Insert(at, ([key], value ?? [0]))));
        (string, NvidiaCorimParts) Instead(string field, string map, int at, byte key) => (field, Members(map, pairs => pairs[at] = ([key], pairs[at].Value)));
        (string, NvidiaCorimParts) Swapped(string field, string map, int first) => (field, Members(map, pairs => (pairs[first], pairs[first + 1]) = (pairs[first + 1], pairs[first])));
        byte[] chain(int count, int size = 8) => TestCbor.Array([.. Enumerable.Repeat(TestCbor.Bytes(new byte[size]), count)]);
        byte[] digest(byte[] algorithm, int size = 48) => TestCbor.Array(algorithm, TestCbor.Bytes(new byte[size]));
        byte[] longHead(byte[] text) => [(byte)(text[0] & 0xe0 | 24), (byte)(text[0] & 0x1f), .. text[1..]];
        byte[] indefinite(byte[] item) => [(byte)(item[0] & 0xe0 | 31), .. item[(item[0] & 0x1f) < 24 ? 1.. : (item[0] & 0x1f) == 24 ? 2.. : 3..], 0xff];
        byte[] inPieces(byte[] text) => [(byte)(text[0] | 31), .. text, 0xff];
        byte[] time = NvidiaCorim.Time(Now);

        return
        [
            // Around it.
            Becomes("CoRIM", "document", document => TestCbor.Tag(500, document)),
            Becomes("signed-corim", "document", document => TestCbor.Tag(502, document)),
            Becomes("CoRIM", "document", document => TestCbor.Tag(500, TestCbor.Tag(501, document))),
            Becomes("signed-corim", "document", document => TestCbor.Tag(98, document[1..])),
            Becomes("signed-corim", "document", document => TestCbor.Tag(55799, document)),
            Becomes("signed-corim", "envelope", envelope => [0x85, .. envelope[1..], 0]),
            Becomes("signed-corim", "envelope", indefinite),
            Becomes("signed-corim", "envelope", longHead),
            Becomes("protected", "envelope", envelope => [0x84, 0x40, .. envelope[1..]]),
            Is("unprotected", "unprotected", TestCbor.Map(([4], TestCbor.Bytes([1])))),
            Is("unprotected", "unprotected", [0xbf, 0xff]),
            Is("payload", "payload bytes", [0xf6]),
            Becomes("payload", "payload", payload => [.. payload, 0]),
            Is("signature", "signature", TestCbor.Bytes(new byte[95])),
            Is("signature", "signature", TestCbor.Bytes(new byte[97])),

            // Headers.
            Becomes("protected", "protected", indefinite),
            Becomes("protected", "protected", header => [.. header, 0]),
            With("protected", "protected", 4, 34),
            Swapped("alg", "protected", 0),
            Without("alg", "protected", 0),
            Is("alg", "alg", TestCbor.Negative(-7)),
            Is("alg", "alg", [24, 34]),
            Is("alg", "alg", TestCbor.Text("ES384")),
            Is("alg", "alg", [0x39, 0, 34]),
            Is("alg", "alg", TestCbor.Head(1, ulong.MaxValue)),
            Without("content-type", "protected", 1),
            Instead("content-type", "protected", 1, 1),
            Is("content-type", "content-type", TestCbor.Text("application/corim-unsigned+cbor")),
            Is("content-type", "content-type", TestCbor.Bytes([.. "application/rim+cbor"u8])),
            Becomes("content-type", "content-type", inPieces),
            Without("corim-meta", "protected", 2),
            Instead("corim-meta", "protected", 2, 15),
            Is("corim-meta", "meta", TestCbor.Map(([0], TestCbor.Map(([0], TestCbor.Text("NVIDIA")))))),
            Becomes("corim-meta", "corim-meta", meta => [.. meta, 0]),
            With("corim-meta", "corim-meta", 1, 2),
            With("corim-meta", "corim-meta", 1, 0),
            Without("signer", "corim-meta", 0),
            With("signer", "signer", 1, 1),
            Without("signer-name", "signer", 0),
            Is("signer-name", "signer-name", TestCbor.Text("ACME")),
            Is("signer-name", "signer-name", TestCbor.Text("nvidia")),
            With("signature-validity", "corim-meta", 1, 1, TestCbor.Map(([0], time))),
            With("signature-validity", "corim-meta", 1, 1, TestCbor.Map(([1], [0]))),
            Without("x5chain", "protected", 3),
            Is("x5chain", "x5chain", TestCbor.Bytes(new byte[8])),
            Is("x5chain", "x5chain", chain(0)),
            Is("x5chain", "x5chain", chain(1)),
            Is("x5chain", "x5chain", chain(7)),
            Is("x5chain", "x5chain", chain(2, 4097)),
            Is("x5chain", "x5chain", TestCbor.Array(TestCbor.Text("a"), TestCbor.Text("b"))),
            Becomes("x5chain", "x5chain", indefinite),

            // The manifest.
            Becomes("corim-map", "payload", payload => payload[3..]),
            Becomes("corim-map", "payload", payload => [0xd9, 1, 0xf7, .. payload[3..]]),
            Becomes("corim-map", "corim-map", indefinite),
            With("corim-map", "corim-map", 2, 2, TestCbor.Array()),
            ("corim-map", Members("corim-map", pairs => pairs[2] = ([2], TestCbor.Array()))),
            ("corim-map", Members("corim-map", pairs => pairs[2] = ([3], TestCbor.Tag(32, TestCbor.Text("https://nvidia.com/profile"))))),
            Instead("corim-map", "corim-map", 3, 6),
            Instead("corim-map", "corim-map", 3, 4),
            Swapped("id", "corim-map", 0),
            Swapped("corim-map", "corim-map", 2),
            Without("id", "corim-map", 0),
            Is("id", "id", TestCbor.Bytes(new byte[16])),
            Is("id", "id", TestCbor.Text("")),
            Is("id", "id", TestCbor.Text("GH100_590.13")),
            Is("id", "id", TestCbor.Text("GH100590.12")),
            Is("id", "id", TestCbor.Text("_590.12")),
            Is("id", "id", TestCbor.Text("GH100\n_590.12")),
            Is("id", "id", TestCbor.Text(new string('a', 128) + "_590.12")),
            Is("id", "id", [0x61, 0xff]),
            Becomes("id", "id", inPieces),
            Without("tags", "corim-map", 1),
            Is("tags", "tags", TestCbor.Array()),
            Becomes("tags", "tags", tags => [0x82, .. tags[1..], .. tags[1..]]),
            Becomes("tags", "tag", tag => [0xd9, 1, 0xf9, .. tag[3..]]),
            Becomes("tags", "tag", tag => tag[3..]),
            Becomes("concise-mid-tag", "concise-mid-tag", module => [.. module, 0]),
            Becomes("concise-mid-tag", "concise-mid-tag", indefinite),
            Is("rim-validity", "rim-validity", TestCbor.Map(([0], time))),
            Is("rim-validity", "rim-validity", TestCbor.Map(([0], time), ([1], time), ([2], time))),
            Is("rim-validity", "rim-validity", TestCbor.Map(([1], time), ([0], time))),
            Is("rim-validity", "rim-validity", TestCbor.Map(([1], time[1..]))),
            Is("rim-validity", "rim-validity", TestCbor.Map(([1], TestCbor.Tag(1, [0xfb, 0x41, 0xd9, 0, 0, 0, 0, 0, 0])))),
            Is("rim-validity", "rim-validity", TestCbor.Map(([1], TestCbor.Tag(1, TestCbor.Negative(-1))))),
            Is("rim-validity", "rim-validity", TestCbor.Map(([1], TestCbor.Tag(1, TestCbor.Head(0, 253402300800))))),
            Is("rim-validity", "rim-validity", TestCbor.Map(([1], TestCbor.Tag(0, TestCbor.Text("2026-11-01T12:00:00Z"))))),
            Is("entities", "entities", TestCbor.Array()),
            Becomes("entities", "entities", entities => [0x85, .. Enumerable.Repeat(entities[1..], 5).SelectMany(one => one)]),
            With("entities", "entity", 3, 3),
            Without("entity-name", "entity", 0),
            Is("entity-name", "entity-name", TestCbor.Text("")),
            Is("reg-id", "reg-id", TestCbor.Text("https://www.nvidia.com")),
            Without("role", "entity", 2),
            Is("role", "role", TestCbor.Array()),
            Is("role", "role", TestCbor.Array([3])),
            Is("role", "role", TestCbor.Array([0], [1], [2], [1])),

            // The module.
            With("concise-mid-tag", "concise-mid-tag", 3, 5),
            Instead("tag-identity", "concise-mid-tag", 0, 0),
            Instead("triples", "concise-mid-tag", 1, 3),
            Without("tag-identity", "concise-mid-tag", 0),
            With("tag-identity", "tag-identity", 1, 1),
            Without("tag-id", "tag-identity", 0),
            Is("tag-id", "tag-id", TestCbor.Bytes(new byte[16])),
            Is("tag-id", "tag-id", TestCbor.Text("590.12")),
            Is("tag-id", "tag-id", TestCbor.Text("-590.12")),
            Is("tag-id", "tag-id", TestCbor.Text("10de2335-")),
            Is("id", "tag-id", TestCbor.Text("10de2335-590.13")),
            Without("triples", "concise-mid-tag", 2),
            With("triples", "triples", 1, 1, TestCbor.Array()),
            With("triples", "triples", 1, 4, TestCbor.Array()),
            Instead("reference-triples", "triples", 0, 1),
            Is("reference-triples", "reference-triples", TestCbor.Array()),
            Is("reference-triples", "reference-triples", TestCbor.Head(4, 1025)),
            Becomes("reference-triples", "reference-triples", indefinite),
            Becomes("reference-triples", "record", record => [0x83, .. record[1..], 0]),

            // Environment and measurements.
            With("environment", "environment", 1, 1, TestCbor.Tag(560, TestCbor.Bytes([1]))),
            Instead("class", "environment", 0, 1),
            Without("class", "environment", 0),
            With("class", "class", 0, 0, TestCbor.Tag(560, TestCbor.Bytes([1]))),
            With("class", "class", 3, 4),
            Without("vendor", "class", 0),
            Is("vendor", "vendor", TestCbor.Text("ACME")),
            Without("model", "class", 1),
            Is("model", "model", TestCbor.Text("GH100 A01 FSP")),
            Is("model", "model", TestCbor.Text("GH100 A01")),
            Is("model", "model", TestCbor.Text("GH100  GSP")),
            Is("model", "model", TestCbor.Text("GH100 A01 GSP ")),
            Is("model", "reference-triples", TestCbor.Array(Record(Measurement(8)), TestCbor.Array(Environment("GH100 A02 GSP"), TestCbor.Array(Measurement(9))))),
            Without("layer", "class", 2),
            Is("layer", "layer", [0]),
            Is("layer", "layer", [2]),
            Is("layer", "layer", [24, 1]),
            Is("ref-claims", "ref-claims", TestCbor.Array()),
            Is("ref-claims", "ref-claims", TestCbor.Head(4, 255)),
            With("measurement-map", "measurement-map", 2, 2, TestCbor.Array()),
            Without("mkey", "measurement-map", 0),
            Swapped("mkey", "measurement-map", 0),
            Is("mkey", "mkey", [0]),
            Is("mkey", "mkey", TestCbor.Head(0, 255)),
            Is("mkey", "mkey", TestCbor.Head(0, ulong.MaxValue)),
            Is("mkey", "mkey", TestCbor.Text("8")),
            Is("mkey", "mkey", [8]),
            Without("mval", "measurement-map", 1),
            With("mval", "mval", 0, 1, TestCbor.Tag(552, [3])),
            With("mval", "mval", 1, 4, TestCbor.Tag(560, Zeros)),
            ("digests", Members("mval", pairs => pairs[0] = ([0], TestCbor.Map(([0], TestCbor.Text("590.12")))))),
            ("digests", Members("mval", pairs => pairs[0] = ([1], TestCbor.Tag(553, [3])))),
            ("digests", Members("mval", pairs => pairs[0] = ([3], TestCbor.Map(([3], [0xf5]))))),
            ("digests", Members("mval", pairs => pairs[0] = ([4], TestCbor.Tag(560, Zeros)))),
            Is("digests", "digests", TestCbor.Array()),
            Is("digests", "digests", TestCbor.Array(digest([7]), digest([7]))),
            Is("digest", "digest", digest([8], 64)),
            Is("digest", "digest", digest([1], 32)),
            Is("digest", "digest", digest(TestCbor.Negative(-43))),
            Is("digest", "digest", digest(TestCbor.Text("sha-384"))),
            Is("digest", "digest", digest([7], 47)),
            Is("digest", "digest", digest([7], 49)),
            Becomes("digest", "digest", item => [0x83, .. item[1..], 0]),
            Becomes("digests", "digest", item => [0x81, .. item[2..]]),
        ];
    }

    private const string NetworkCard = "2QH02QH20oRYJ6MBOCIDdGFwcGxpY2F0aW9uL3JpbStjYm9yCEuhAKEAZk5WSURJQaBZAgSjAHVDb25uZWN0WC03XzI4LjM5LjQwODIBgVkBcdkB+qIBoQB4HTE1YjMxMDIxMTViMzAwMzMwMC0yOC4zOS40MDgyBKEAgYKhAKEBZk5WSURJQYWiAAEB"
        + "oQTZAjBEAAAAAaIAAgGhAoGCCFhA+Pbqb6A7sI/P+yi9TNpmpvRq2y663lImANDUpG/fPrwl4XwtejknxYHksQrRlzhZsGTFGpggtB97+nKfIBJCqKIAAwGhAoGCCFhABZivjjixqOC5Y7vbRAW4/tThRa+G0D+qAFjM38dZCesxwRfIGeAqdMOraiM+nZsPKXbP"
        + "DKqoiVk1Myv4XpBvKKIABAGhAoGCCFhAUs8XLrAtyhkdQF5Z+hd5cbzmR5AvAKxUcLG5mPKpvN73yu/r6d9+hD6ZhqhZwRQh4WK6YtkAVhmsBpMNjeGGt6IABQGhAoGCCFhAasLtx3Usohqois5AevVNWPEJirPftdBjju7Leo92GlkDMjv0fb7tLY097SKVGZQM"
        + "31GbhTdvtJKtX96m/EhhnQKBogDYIHhJaHR0cHM6Ly9kb2NzLm5kaXMubnZpZGlhLmNvbS9jZXJ0cy9jb3JpbS9udmlkaWEtY29yaW0tc2lnbmVyLWN4Ny1pZC0yLnBlbQGCAVggtQc94Np0/NmSqwaRMVxenH0jnVne/+1CvATlaonzn1pYYOCxC2S5wwewgk0j"
        + "i4B+oNkTA1XakCk1BWCto8Fg5ra1EKh3evwp9Z9gcESE6pCX4L5d0AmPT4sqkP5O+hUaWUlIWv9M/1Dk/UKd6HghSJXOTeJo4wAMcQXQ8lXU0pDCNA==";

    private const string NetworkCardSigner = "3076301006072a8648ce3d020106052b8104002203620004ab496bcc577cb1a512e79888d95459c10ef2ec2f81cf97650743bfe2bf700edb8f121f1ce8fb135efe032298df3770b7bd2c84b6961cbf979add1fb1e463a4a4e3a57f9b886c4d5f4cf7c1"
        + "cb9e668c25f95ee9a667d7faa908b088c4766f9144";
}
