using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;

namespace Cloister.Testing;

/// <summary>A stand-in for Intel and for one of its machines: root → platform CA → PCK, collateral, and quotes in the real format.</summary>
internal sealed class TdxAuthority : IDisposable
{
    public const string Fmspc = "00A0B0C0D0E0";

    private const string PlatformCa = "Test PCK Platform CA";
    private const string Root = "Test SGX Root CA";

    private readonly DateTimeOffset _now;
    private readonly ECDsa _root = NewKey();
    private readonly ECDsa _authority = NewKey();
    private readonly ECDsa _pck = NewKey();
    private readonly ECDsa _collateral = NewKey();
    private readonly ECDsa _attestation = NewKey();

    public TdxAuthority(DateTimeOffset now)
    {
        _now = now;
        RootCertificate = Certify(Root, _root, Root, _root, 1, authority: true);
        AuthorityCertificate = Certify(PlatformCa, _authority, Root, _root, 2, authority: true);
        PckCertificate = Pck();
        CollateralCertificate = Certify("Test TCB Signing", _collateral, Root, _root, 4, authority: false);
        RootFingerprint = Read(RootCertificate).Key.Fingerprint;
    }

    public byte[] RootCertificate { get; }
    public byte[] AuthorityCertificate { get; }
    public byte[] PckCertificate { get; }
    public byte[] CollateralCertificate { get; }
    public string RootFingerprint { get; }

    /// <summary>Everything up to date, under this root.</summary>
    public TdxPolicy Policy => TdxPolicy.Strict with { Roots = [RootFingerprint] };

    public byte[] Quote(TdxQuoteParts? parts = null)
    {
        parts ??= new TdxQuoteParts();
        var signed = new MemoryStream();
        signed.Write(Apply(Header(parts.Version), parts.Header));
        if (parts.Version == 5)
        {
            signed.Write(parts.Report15 ? [3, 0, 0x88, 2, 0, 0] : [2, 0, 0x48, 2, 0, 0]);
        }
        signed.Write(Apply(Body(parts.Report15), parts.Body));

        byte[] key = Point(_attestation);
        byte[] authData = parts.AuthData;
        byte[] qeReport = QeReport();
        SHA256.HashData([.. key, .. authData]).CopyTo(qeReport, 320);
        Apply(qeReport, parts.QeReport);

        byte[] chain = parts.Chain ?? Encoding.ASCII.GetBytes(Pem(PckCertificate, AuthorityCertificate, RootCertificate) + "\0");
        byte[] certification = [.. qeReport, .. Sign(_pck, qeReport), .. UInt16(authData.Length), .. authData, .. UInt16(parts.CertificationDataType), .. UInt32(chain.Length), .. chain];
        byte[] data = [.. Sign(_attestation, signed.ToArray()), .. key, .. UInt16(6), .. UInt32(certification.Length), .. certification];
        byte[] quote = [.. signed.ToArray(), .. UInt32(data.Length), .. data];
        return Apply(quote, parts.Finished);
    }

    public TdxCollateral Collateral(string? tcbInfo = null, string? qeIdentity = null) => new()
    {
        TcbInfo = Signed("tcbInfo", tcbInfo ?? TcbInfo()),
        QeIdentity = Signed("enclaveIdentity", qeIdentity ?? QeIdentity()),
        PckRevocationList = PckList([]),
        RootRevocationList = RootList([]),
        TcbInfoIssuers = Issuers(),
        QeIdentityIssuers = Issuers(),
    };

    public byte[] Issuers(byte[]? signer = null) => Encoding.ASCII.GetBytes(Pem(signer ?? CollateralCertificate, RootCertificate));

    /// <summary>The outer object around an inner one, with this authority's signature over it.</summary>
    public byte[] Signed(string member, string inner) =>
        Encoding.UTF8.GetBytes($$"""{"{{member}}":{{inner}},"signature":"{{Convert.ToHexStringLower(Sign(_collateral, Encoding.UTF8.GetBytes(inner)))}}"}""");

    public byte[] PckList(byte[][] revoked, TimeSpan age = default, bool byAnother = false) => MakeList(PlatformCa, byAnother ? _root : _authority, revoked, _now - age);

    public byte[] RootList(byte[][] revoked, TimeSpan age = default, bool byAnother = false, X509Extension? also = null, X509Extension? ofEach = null) =>
        MakeList(Root, byAnother ? _authority : _root, revoked, _now - age, also, ofEach);

    /// <summary>Another certificate for the PCK's key.</summary>
    public byte[] Pck(TimeSpan age = default, byte[]? extension = null, bool byAnother = false, bool authority = false, X509Extension? also = null) =>
        Certify("Test PCK Certificate", _pck, PlatformCa, byAnother ? _root : _authority, 3, authority, age, extension ?? PckExtension(), also);

    /// <summary>Another certificate for the authority's key.</summary>
    public byte[] Authority(X509Extension also) => Certify(PlatformCa, _authority, Root, _root, 2, authority: true, also: also);

    /// <summary>Another certificate for the key that signs collateral.</summary>
    public byte[] CollateralSigner(TimeSpan age = default, X509Extension? also = null) => Certify("Test TCB Signing", _collateral, Root, _root, 4, authority: false, age, also: also);

    public string TcbInfo(string levels = "", string modules = "", string head = "", int number = 20, TimeSpan age = default) => $$"""
        {"id":"TDX","version":3,"issueDate":"{{Time(_now - age - TimeSpan.FromDays(1))}}","nextUpdate":"{{Time(_now - age + TimeSpan.FromDays(29))}}","fmspc":"{{Fmspc}}","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":{{number}},
        "tdxModule":{"mrsigner":"{{new string('0', 96)}}","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"},
        "tdxModuleIdentities":[{{(modules.Length > 0 ? modules : Module())}}],
        "tcbLevels":[{{(levels.Length > 0 ? levels : $"{Level("UpToDate")},{Level("OutOfDate", 2, 2, "INTEL-SA-00001")}")}}]{{head}}}
        """;

    public static string Module(string status = "UpToDate", int isvSvn = 5, string id = "TDX_01", string signer = "00", string attributes = "00") => $$"""
        {"id":"{{id}}","mrsigner":"{{signer}}{{new string('0', 94)}}","attributes":"{{attributes}}00000000000000","attributesMask":"FFFFFFFFFFFFFFFF","tcbLevels":[{"tcb":{"isvsvn":{{isvSvn}}},"tcbDate":"2026-01-01T00:00:00Z","tcbStatus":"{{status}}"},{"tcb":{"isvsvn":2},"tcbDate":"2025-01-01T00:00:00Z","tcbStatus":"OutOfDate","advisoryIDs":["INTEL-SA-00002"]}]}
        """;

    /// <summary>A level that a platform reaches whose parts are all <paramref name="sgx"/>, and a domain whose parts are all <paramref name="tdx"/>.</summary>
    public static string Level(string status, int sgx = 3, int tdx = 3, string? advisory = null) => $$"""
        {"tcb":{"sgxtcbcomponents":[{{Components(sgx)}}],"pcesvn":{{sgx}},"tdxtcbcomponents":[{{Components(tdx)}}]},"tcbDate":"2026-01-01T00:00:00Z","tcbStatus":"{{status}}"{{(advisory is null ? "" : $",\"advisoryIDs\":[\"{advisory}\"]")}}}
        """;

    public string QeIdentity(string id = "TD_QE", int version = 2, string signer = "11", int product = 2, string attributes = "11", string misc = "00", string status = "UpToDate", int isvSvn = 4, int number = 20, TimeSpan age = default) => $$"""
        {"id":"{{id}}","version":{{version}},"issueDate":"{{Time(_now - age - TimeSpan.FromDays(1))}}","nextUpdate":"{{Time(_now - age + TimeSpan.FromDays(29))}}","tcbEvaluationDataNumber":{{number}},"miscselect":"{{misc}}000000","miscselectMask":"FFFFFFFF","attributes":"{{attributes}}000000000000000000000000000000","attributesMask":"FBFFFFFFFFFFFFFF0000000000000000","mrsigner":"{{signer}}{{new string('1', 62)}}","isvprodid":{{product}},"tcbLevels":[{"tcb":{"isvsvn":{{isvSvn}}},"tcbDate":"2026-01-01T00:00:00Z","tcbStatus":"{{status}}"}]}
        """;

    public static string Pem(params byte[][] certificates) => string.Concat(certificates.Select(der => $"-----BEGIN CERTIFICATE-----\n{Convert.ToBase64String(der, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\n-----END CERTIFICATE-----\n"));

    public static byte[] PckExtension(byte sgx = 3, byte[]? fmspc = null)
    {
        const string arc = PckExtensions.Oid;
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            Member(writer, $"{arc}.1", () => writer.WriteOctetString(Enumerable.Repeat((byte)7, 16).ToArray()));
            Member(writer, $"{arc}.2", () =>
            {
                using (writer.PushSequence())
                {
                    for (int i = 1; i <= 17; i++)
                    {
                        Member(writer, $"{arc}.2.{i}", () => writer.WriteInteger(sgx));
                    }
                    Member(writer, $"{arc}.2.18", () => writer.WriteOctetString(Enumerable.Repeat(sgx, 16).ToArray()));
                }
            });
            Member(writer, $"{arc}.3", () => writer.WriteOctetString(new byte[2]));
            Member(writer, $"{arc}.4", () => writer.WriteOctetString(fmspc ?? Convert.FromHexString(Fmspc)));
            Member(writer, $"{arc}.5", () => writer.WriteEncodedValue([0x0a, 1, 1]));
            Member(writer, $"{arc}.6", () => writer.WriteOctetString(new byte[16]));
            Member(writer, $"{arc}.7", () =>
            {
                using (writer.PushSequence())
                {
                    Member(writer, $"{arc}.7.1", () => writer.WriteBoolean(true));
                    Member(writer, $"{arc}.7.3", () => writer.WriteBoolean(false));
                }
            });
        }
        return writer.Encode();
    }

    public void Dispose()
    {
        foreach (var key in new[] { _root, _authority, _pck, _collateral, _attestation })
        {
            key.Dispose();
        }
    }

    private static byte[] Header(int version)
    {
        var header = new byte[TdxQuote.HeaderSize];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)version);
        header[2] = 2;
        header[4] = 0x81;
        Convert.FromHexString("939a7233f79c4ca9940a0db3957f0607").CopyTo(header, 12);
        return header;
    }

    // Module 1.5, everything else 3 and later; no attribute but #VE off; x87, SSE and AVX.
    private static byte[] Body(bool report15)
    {
        var body = new byte[report15 ? TdReport.Size15 : TdReport.Size10];
        body.AsSpan(0, 16).Fill(3);
        (body[0], body[1]) = (5, 1);
        body[123] = 0x10;
        body[128] = 7;
        body.AsSpan(136, 48).Fill(0xaa);
        body.AsSpan(520, 64).Fill(0xdd);
        if (report15)
        {
            body.AsSpan(0, 16).CopyTo(body.AsSpan(584));
        }
        return body;
    }

    private static byte[] QeReport()
    {
        var report = new byte[Attestation.QeReport.Size];
        report[48] = 0x15;
        report.AsSpan(128, 32).Fill(0x11);
        report[256] = 2;
        report[258] = 4;
        return report;
    }

    private byte[] Certify(string name, ECDsa key, string issuer, ECDsa issuerKey, byte serial, bool authority, TimeSpan age = default, byte[]? sgx = null, X509Extension? also = null)
    {
        var request = new CertificateRequest(NameOf(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        if (sgx is { Length: > 0 })
        {
            request.CertificateExtensions.Add(new X509Extension(PckExtensions.Oid, sgx, false));
        }
        if (also is not null)
        {
            request.CertificateExtensions.Add(also);
        }
        return request.Create(NameOf(issuer), X509SignatureGenerator.CreateForECDsa(issuerKey), _now - age - TimeSpan.FromDays(30), _now - age + TimeSpan.FromDays(365), [serial]).RawData;
    }

    private static byte[] MakeList(string issuer, ECDsa key, byte[][] revoked, DateTimeOffset made, X509Extension? also = null, X509Extension? ofEach = null)
    {
        var generator = X509SignatureGenerator.CreateForECDsa(key);
        byte[] algorithm = generator.GetSignatureAlgorithmIdentifier(HashAlgorithmName.SHA256);
        var list = new AsnWriter(AsnEncodingRules.DER);
        using (list.PushSequence())
        {
            list.WriteInteger(1);
            list.WriteEncodedValue(algorithm);
            list.WriteEncodedValue(NameOf(issuer).RawData);
            list.WriteUtcTime(made - TimeSpan.FromDays(1), 2049);
            list.WriteUtcTime(made + TimeSpan.FromDays(29), 2049);
            if (revoked.Length > 0)
            {
                using (list.PushSequence())
                {
                    foreach (byte[] certificate in revoked)
                    {
                        using (list.PushSequence())
                        {
                            list.WriteInteger(Read(certificate).Serial);
                            list.WriteUtcTime(made - TimeSpan.FromDays(1), 2049);
                            Write(list, ofEach);
                        }
                    }
                }
            }
            if (also is not null)
            {
                using (list.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                {
                    Write(list, also);
                }
            }
        }
        byte[] signed = list.Encode();
        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue(signed);
            whole.WriteEncodedValue(algorithm);
            whole.WriteBitString(generator.SignData(signed, HashAlgorithmName.SHA256));
        }
        return whole.Encode();
    }

    private static void Write(AsnWriter writer, X509Extension? extension)
    {
        if (extension is not null)
        {
            using (writer.PushSequence())
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(extension.Oid!.Value!);
                writer.WriteBoolean(extension.Critical);
                writer.WriteOctetString(extension.RawData);
            }
        }
    }

    private static void Member(AsnWriter writer, string oid, Action value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            value();
        }
    }

    private static Certificate Read(byte[] der) => Certificate.TryParse(der, out var certificate) ? certificate : throw new ArgumentException("Not a certificate of ours.");

    private static string Components(int svn) => string.Join(',', Enumerable.Repeat($$"""{"svn":{{svn}}}""", 16));

    private static X500DistinguishedName NameOf(string name) => new($"CN={name}, O=Cloister Tests");

    private static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static byte[] Sign(ECDsa key, byte[] data) => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static byte[] Point(ECDsa key)
    {
        var point = key.ExportParameters(false).Q;
        return [.. point.X!, .. point.Y!];
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static byte[] UInt16(int value) => [(byte)(value & 0xff), (byte)(value >> 8)];

    private static byte[] UInt32(int value) => [.. UInt16(value & 0xffff), .. UInt16(value >> 16)];

    private static byte[] Apply(byte[] bytes, Action<byte[]>? spoil)
    {
        spoil?.Invoke(bytes);
        return bytes;
    }
}

/// <summary>What is other than it should be in a quote. Everything but <see cref="Finished"/> is changed before it is signed.</summary>
internal sealed record TdxQuoteParts
{
    public int Version { get; init; } = 4;
    public bool Report15 { get; init; }
    public Action<byte[]>? Header { get; init; }
    public Action<byte[]>? Body { get; init; }
    public Action<byte[]>? QeReport { get; init; }
    public byte[] AuthData { get; init; } = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    public ushort CertificationDataType { get; init; } = TdxQuote.PckChain;
    public byte[]? Chain { get; init; }
    public Action<byte[]>? Finished { get; init; }
}
