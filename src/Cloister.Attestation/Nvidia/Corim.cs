using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>A manifest as a signed CoRIM (draft-ietf-rats-corim) in the one form that is accepted: docs/spec/nvidia.md, section 5.3.</summary>
/// <remarks>
/// Names are the draft's. Every member of every map is read here: what is not known, or demands something that is not compared with a report, is refused,
/// so that no manifest is held to half of what it says. The members of a map come in ascending order, hence none twice (RFC 8949, section 4.2.1).
/// </remarks>
internal sealed class Corim
{
    private const ushort ConciseRim = 500, UnsignedCorim = 501, SignedCorim = 502, ConciseMid = 506, Uri = 32, EpochTime = 1;
    private const ulong Sha384 = 7;
    private const int MaxText = 128, MaxMeta = 128, MaxCertificate = 4096, MaxRecords = 1024;
    private const int MaxHeader = ManifestSignature.MaxCertificates * (MaxCertificate + 3) + 256;

    private readonly List<ReadOnlyMemory<byte>>?[] _values = new List<ReadOnlyMemory<byte>>?[ReferenceManifest.MaxMeasurements];
    private readonly bool[] _accompanied = new bool[ReferenceManifest.MaxMeasurements];
    private readonly List<byte[]> _certificates = [];
    private DateTimeOffset _notBefore = DateTimeOffset.MinValue, _notAfter = DateTimeOffset.MaxValue;
    private string _id = "", _tagId = "", _model = "";

    /// <summary>It begins with a tag of CBOR, which no XML does.</summary>
    public static bool IsOne(ReadOnlySpan<byte> document) => document is [>= 0xc0 and < 0xe0, ..];

    /// <summary>Null where anything is wrong, which <paramref name="error"/> names.</summary>
    public static ReferenceManifest? Parse(ReadOnlyMemory<byte> document, out WireError error)
    {
        var reader = new CborReader(document.Span);
        Require(ref reader, "CoRIM", document.Length <= ReferenceManifest.MaxSize);
        var manifest = new Corim().Read(ref reader, document.Span);
        error = reader.Error;
        return reader.Failed ? null : manifest;
    }

    // NVIDIA's documents wrap it in two tags that the draft no longer knows; they say nothing, and nobody signs them.
    private ReferenceManifest? Read(scoped ref CborReader reader, ReadOnlySpan<byte> document)
    {
        bool wrapped = reader.TryReadTag(ConciseRim);
        Require(ref reader, "CoRIM", !wrapped || reader.TryReadTag(SignedCorim));
        Require(ref reader, "signed-corim", reader.TryReadTag(CoseSign1.Tag) && reader.ReadArray("signed-corim", 4) == 4);

        int headerEnd = reader.Enter("protected", MaxHeader);
        int headerStart = reader.Offset;
        ReadHeader(ref reader);
        reader.Leave("protected", headerEnd);
        reader.ReadMap("unprotected", 0);

        int payloadEnd = reader.Enter("payload", ReferenceManifest.MaxSize);
        int payloadStart = reader.Offset;
        ReadManifest(ref reader);
        reader.Leave("payload", payloadEnd);
        byte[] signature = reader.ReadBytes("signature", CoseSign1.SignatureSize).ToArray();
        Require(ref reader, "signature", signature.Length == CoseSign1.SignatureSize);
        reader.ExpectEnd("signed-corim");

        string product = ReadProduct(ref reader);
        string version = ReadVersion(ref reader);
        return reader.Failed ? null : new ReferenceManifest(new ManifestSignature(
            CoseSign1.SignedBytes(document[headerStart..headerEnd], document[payloadStart..payloadEnd]), signature, [.. _certificates], IsIntact: true))
        {
            TagId = _tagId,
            Product = product,
            Version = version,
            Active = [.. Measured()],
            NotBefore = _notBefore,
            NotAfter = _notAfter,
        };
    }

    private void ReadHeader(scoped ref CborReader reader)
    {
        int pairs = reader.ReadMap("protected", 4);
        Key(ref reader, ref pairs, "alg", 1);
        Require(ref reader, "alg", reader.ReadNegative("alg") == CoseSign1.Es384);
        Key(ref reader, ref pairs, "content-type", 3);
        Require(ref reader, "content-type", reader.ReadText("content-type", MaxText).SequenceEqual("application/rim+cbor"u8));
        Key(ref reader, ref pairs, "corim-meta", 8);
        ReadMeta(ref reader);
        Key(ref reader, ref pairs, "x5chain", 33);
        int count = reader.ReadArray("x5chain", ManifestSignature.MaxCertificates);
        Require(ref reader, "x5chain", count > 1);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            _certificates.Add(reader.ReadBytes("x5chain", MaxCertificate).ToArray());
        }
    }

    private void ReadMeta(scoped ref CborReader reader)
    {
        int end = reader.Enter("corim-meta", MaxMeta);
        int pairs = reader.ReadMap("corim-meta", 2);
        Key(ref reader, ref pairs, "signer", 0);
        int members = reader.ReadMap("signer", 1);
        Key(ref reader, ref members, "signer-name", 0);
        RequireNvidia(ref reader, "signer-name");
        if (TryKey(ref reader, ref pairs, 1))
        {
            ReadValidity(ref reader, "signature-validity");
        }
        End(ref reader, pairs, "corim-meta");
        reader.Leave("corim-meta", end);
    }

    private void ReadManifest(scoped ref CborReader reader)
    {
        Require(ref reader, "corim-map", reader.TryReadTag(UnsignedCorim));
        int pairs = reader.ReadMap("corim-map", 4);
        Key(ref reader, ref pairs, "id", 0);
        _id = ReadText(ref reader, "id");
        Key(ref reader, ref pairs, "tags", 1);
        Require(ref reader, "tags", reader.ReadArray("tags", 1) == 1 && reader.TryReadTag(ConciseMid));
        ReadModule(ref reader);
        if (TryKey(ref reader, ref pairs, 4))
        {
            ReadValidity(ref reader, "rim-validity");
        }
        if (TryKey(ref reader, ref pairs, 5))
        {
            ReadEntities(ref reader);
        }
        End(ref reader, pairs, "corim-map");
    }

    private void ReadModule(scoped ref CborReader reader)
    {
        int end = reader.Enter("concise-mid-tag", ReferenceManifest.MaxSize);
        int pairs = reader.ReadMap("concise-mid-tag", 3);
        Key(ref reader, ref pairs, "tag-identity", 1);
        int members = reader.ReadMap("tag-identity", 1);
        Key(ref reader, ref members, "tag-id", 0);
        _tagId = ReadText(ref reader, "tag-id");
        if (TryKey(ref reader, ref pairs, 2))
        {
            ReadEntities(ref reader);
        }
        Key(ref reader, ref pairs, "triples", 4);
        members = reader.ReadMap("triples", 1);
        Key(ref reader, ref members, "reference-triples", 0);
        int records = reader.ReadArray("reference-triples", MaxRecords);
        Require(ref reader, "reference-triples", records > 0);
        for (int i = 0; i < records && !reader.Failed; i++)
        {
            ReadRecord(ref reader);
        }
        End(ref reader, pairs, "concise-mid-tag");
        reader.Leave("concise-mid-tag", end);
    }

    private void ReadRecord(scoped ref CborReader reader)
    {
        Require(ref reader, "reference-triples", reader.ReadArray("reference-triples", 2) == 2);
        ReadEnvironment(ref reader);
        int claims = reader.ReadArray("ref-claims", ReferenceManifest.MaxMeasurements);
        Require(ref reader, "ref-claims", claims > 0);
        for (int i = 0; i < claims && !reader.Failed; i++)
        {
            ReadMeasurement(ref reader, claims > 1);
        }
    }

    // One environment in all records: what its firmware measured, which is the layer above the boot ROM.
    private void ReadEnvironment(scoped ref CborReader reader)
    {
        int pairs = reader.ReadMap("environment", 1);
        Key(ref reader, ref pairs, "class", 0);
        int members = reader.ReadMap("class", 3);
        Key(ref reader, ref members, "vendor", 1);
        RequireNvidia(ref reader, "vendor");
        Key(ref reader, ref members, "model", 2);
        string model = ReadText(ref reader, "model");
        Require(ref reader, "model", _model.Length == 0 || _model == model);
        _model = model;
        Key(ref reader, ref members, "layer", 3);
        Require(ref reader, "layer", reader.TryReadUnsigned(1));
    }

    private void ReadMeasurement(scoped ref CborReader reader, bool accompanied)
    {
        int pairs = reader.ReadMap("measurement-map", 2);
        Key(ref reader, ref pairs, "mkey", 0);
        ulong key = reader.ReadUnsigned("mkey");
        Require(ref reader, "mkey", key is > 0 and <= ReferenceManifest.MaxMeasurements);
        Key(ref reader, ref pairs, "mval", 1);
        int members = reader.ReadMap("mval", 1);
        Key(ref reader, ref members, "digests", 2);
        Require(ref reader, "digests", reader.ReadArray("digests", 1) == 1 && reader.ReadArray("digest", 2) == 2);
        Require(ref reader, "digest", reader.ReadUnsigned("digest") == Sha384);
        byte[] value = reader.ReadBytes("digest", NvidiaReport.MeasurementSize).ToArray();
        Require(ref reader, "digest", value.Length == NvidiaReport.MeasurementSize);
        if (!reader.Failed)
        {
            Add(ref reader, (int)key - 1, value, accompanied);
        }
    }

    // Records are alternatives to one another as they stand. Index by index they are that only where each of them has no other index: else a device could
    // pass with a mixture that no record lists.
    private void Add(scoped ref CborReader reader, int index, byte[] value, bool accompanied)
    {
        var values = _values[index] ??= [];
        Require(ref reader, "mkey", values.Count == 0 || (!accompanied && !_accompanied[index] && values.Count < ReferenceManifest.MaxAlternatives));
        values.Add(value);
        _accompanied[index] = accompanied;
    }

    private IEnumerable<GoldenMeasurement> Measured()
    {
        for (int index = 0; index < _values.Length; index++)
        {
            if (_values[index] is { } values)
            {
                yield return new GoldenMeasurement(index, $"Measurement_{index}", [.. values]);
            }
        }
    }

    // Both dates of both maps hold.
    private void ReadValidity(scoped ref CborReader reader, string field)
    {
        int pairs = reader.ReadMap(field, 2);
        if (TryKey(ref reader, ref pairs, 0))
        {
            var from = ReadTime(ref reader, field);
            _notBefore = from > _notBefore ? from : _notBefore;
        }
        Key(ref reader, ref pairs, field, 1);
        var until = ReadTime(ref reader, field);
        _notAfter = until < _notAfter ? until : _notAfter;
        End(ref reader, pairs, field);
    }

    private static DateTimeOffset ReadTime(scoped ref CborReader reader, string field)
    {
        Require(ref reader, field, reader.TryReadTag(EpochTime));
        ulong seconds = reader.ReadUnsigned(field);
        Require(ref reader, field, seconds <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds());
        return reader.Failed ? default : DateTimeOffset.FromUnixTimeSeconds((long)seconds);
    }

    // Who wrote it: of what is signed with NVIDIA's key nothing hangs on that.
    private static void ReadEntities(scoped ref CborReader reader)
    {
        int entities = reader.ReadArray("entities", 4);
        Require(ref reader, "entities", entities > 0);
        for (int i = 0; i < entities && !reader.Failed; i++)
        {
            int pairs = reader.ReadMap("entities", 3);
            Key(ref reader, ref pairs, "entity-name", 0);
            ReadText(ref reader, "entity-name");
            if (TryKey(ref reader, ref pairs, 1))
            {
                Require(ref reader, "reg-id", reader.TryReadTag(Uri));
                ReadText(ref reader, "reg-id");
            }
            Key(ref reader, ref pairs, "role", 2);
            int roles = reader.ReadArray("role", 3);
            Require(ref reader, "role", roles > 0);
            for (int role = 0; role < roles; role++)
            {
                Require(ref reader, "role", reader.ReadUnsigned("role") <= 2);
            }
            End(ref reader, pairs, "entities");
        }
    }

    // The chip; or the chip, its stepping and the processor that reports: ours read what the GSP reports.
    private string ReadProduct(scoped ref CborReader reader)
    {
        string[] words = _model.Split(' ');
        Require(ref reader, "model", words is [{ Length: > 0 }] or [{ Length: > 0 }, { Length: > 0 }, "GSP"]);
        return words[0];
    }

    // "<devices>-<version>" in the tag, "<version>" or "<product>_<version>" in the manifest around it.
    private string ReadVersion(scoped ref CborReader reader)
    {
        string version = _tagId[(_tagId.LastIndexOf('-') + 1)..];
        Require(ref reader, "tag-id", version.Length > 0 && version.Length + 1 < _tagId.Length);
        Require(ref reader, "id", _id == version || (_id.EndsWith($"_{version}", StringComparison.Ordinal) && _id.Length > version.Length + 1));
        return version;
    }

    private static string ReadText(scoped ref CborReader reader, string field)
    {
        var text = reader.ReadText(field, MaxText);
        Require(ref reader, field, text.Length > 0 && text.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0);
        return Encoding.ASCII.GetString(text);
    }

    private static void RequireNvidia(scoped ref CborReader reader, string field) => Require(ref reader, field, reader.ReadText(field, MaxText).SequenceEqual("NVIDIA"u8));

    private static void Key(scoped ref CborReader reader, ref int pairs, string field, byte key) => Require(ref reader, field, TryKey(ref reader, ref pairs, key));

    private static bool TryKey(scoped ref CborReader reader, ref int pairs, byte key)
    {
        bool next = pairs > 0 && reader.TryReadUnsigned(key);
        pairs -= next ? 1 : 0;
        return next;
    }

    // Every pair was one that is known, in its place.
    private static void End(scoped ref CborReader reader, int pairs, string field) => Require(ref reader, field, pairs == 0);

    private static void Require(scoped ref CborReader reader, string field, bool holds)
    {
        if (!holds)
        {
            reader.Refuse(field, 1, 0);
        }
    }
}
