using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;

namespace Cloister.Testing;

/// <summary>A stand-in for NVIDIA and for machines with its GPUs: device chains, signed reports, manifests, and answers about revocation, all in the real format.</summary>
internal sealed class NvidiaAuthority : IDisposable
{
    public const string Driver = "590.12";
    public const string Vbios = "96.00.A5.00.01";
    public const string SwitchBios = "96.10.55.00.01";
    public const int Measurements = 64;

    public static readonly byte[] Nonce = SHA256.HashData("wanted"u8);
    public static readonly byte[] FirmwareId = SHA384.HashData("firmware"u8);
    public static readonly int[] DriverIndexes = [7, 21, 22, 23, 35];
    public static readonly int[] VbiosIndexes = [0, 1, 2, 9, 12];

    private readonly DateTimeOffset _now;
    private readonly List<ECDsa> _keys = [];
    private byte _serial;

    public NvidiaAuthority(DateTimeOffset now)
    {
        _now = now;
        Root = Issue("Test Device Identity CA", null);
        Identity = Issue("Test GH100 Identity", Root);
        Provisioner = Issue("Test Provisioner", Identity);
        ManifestRoot = Issue("Test Manifest Root", null);
        ManifestAuthority = Issue("Test Reference Value CA", ManifestRoot);
        ManifestIssuer = Issue("Test Reference Value L3", ManifestAuthority, pathLength: 0);
        ManifestSigner = Issue("Test Signer", ManifestIssuer, authority: false);
        Gpu = Device(0);
        Second = Device(1);
        Switch = Device(8, isSwitch: true);
    }

    public Holder Root { get; }
    public Holder Identity { get; }
    public Holder Provisioner { get; }
    public Holder ManifestRoot { get; }
    public Holder ManifestAuthority { get; }
    public Holder ManifestIssuer { get; }
    public Holder ManifestSigner { get; }

    public MachineDevice Gpu { get; }
    public MachineDevice Second { get; }
    public MachineDevice Switch { get; }

    /// <summary>Who holds a key, with the certificate that says so.</summary>
    internal sealed record Holder(string Name, ECDsa Key, byte[] Certificate, Holder? Issuer)
    {
        public string Fingerprint => Attestation.Certificate.TryParse(Certificate, out var read) ? read.Key.Fingerprint : throw new InvalidOperationException();
    }

    internal sealed record MachineDevice(bool IsSwitch, Holder BootRom, Holder Leaf);

    public NvidiaPolicy Policy(int gpus = 1) => NvidiaPolicy.Strict(gpus) with { DeviceRoots = [Root.Fingerprint], ManifestRoots = [ManifestRoot.Fingerprint] };

    /// <summary>For two GPUs in protected PCIe mode with one switch.</summary>
    public NvidiaPolicy FabricPolicy => Policy(2) with { SwitchCount = 1, Modes = [NvidiaMode.ProtectedPcie] };

    public NvidiaEvidence Evidence(NvidiaParts? parts = null) => new() { Gpus = [Report(Gpu, parts)] };

    public NvidiaEvidence FabricEvidence(Action<Dictionary<int, byte[]>>? gpu = null, Action<Dictionary<int, byte[]>>? @switch = null) => new()
    {
        Gpus = [Report(Gpu, new NvidiaParts { Fields = Fabric(gpu) }), Report(Second, new NvidiaParts { Fields = Fabric(null) })],
        Switches = [Report(Switch, new NvidiaParts { Fields = @switch })],
    };

    public NvidiaCollateral Collateral() => new()
    {
        Manifests = [Manifest(), Manifest(new NvidiaManifestParts { IsVbios = true }), Manifest(new NvidiaManifestParts { IsVbios = true, Product = "LS10", Version = SwitchBios })],
        OcspResponses = [.. Certified().Select(subject => (ReadOnlyMemory<byte>)Answer(subject))],
    };

    /// <summary>Everybody of whom it is asked whether they are revoked.</summary>
    public Holder[] Certified() => [Identity, Provisioner, Gpu.BootRom, Second.BootRom, Switch.BootRom, ManifestAuthority, ManifestIssuer, ManifestSigner];

    public MachineDevice Device(int number, bool isSwitch = false, NvidiaLeaf? leaf = null)
    {
        leaf ??= new NvidiaLeaf();
        var bootRom = Issue($"Test BROM {number}", Provisioner);
        string chip = leaf.Chip ?? (isSwitch ? "LS_10" : "GH100");
        var made = Issue($"Test FMC {number}", leaf.By ?? bootRom, authority: leaf.IsAuthority, leaf.Usage, age: leaf.Age, extensions:
        [
            new X509Extension("2.5.29.17", DeviceName($"{leaf.Maker}:{chip}:48B02D{number:X10}"), false),
            leaf.Blackwell ? new X509Extension("2.23.133.5.4.1.1", TcbInfo(leaf.FirmwareId), false) : new X509Extension("2.23.133.5.4.1", CompositeDeviceId(leaf.FirmwareId), false),
        ], issuer: bootRom);
        return new MachineDevice(isSwitch, bootRom, made);
    }

    public NvidiaDeviceEvidence Report(MachineDevice device, NvidiaParts? parts = null)
    {
        parts ??= new NvidiaParts();
        var report = new MemoryStream();
        report.Write([0x11, 0xe0, 1, 0xff]);
        report.Write(parts.Nonce ?? Nonce);
        report.Write([0, 0x11, 0x60, 0, 0, Measurements]);

        var values = Enumerable.Range(0, Measurements).Select(Value).ToArray();
        parts.Measured?.Invoke(values);
        int size = values.Length * 55;
        report.Write([.. UInt16(size), 0]);
        for (int i = 0; i < values.Length; i++)
        {
            report.Write([(byte)(i + 1), 1, 51, 0, 1, 48, 0]);
            report.Write(values[i]);
        }
        report.Write(SHA256.HashData("device"u8));

        var fields = device.IsSwitch ? SwitchFields() : GpuFields();
        parts.Fields?.Invoke(fields);
        byte[] opaque = [.. fields.SelectMany(field => (byte[])[.. UInt16(field.Key), .. UInt16(field.Value.Length), .. field.Value]), .. parts.AfterFields];
        report.Write(UInt16(opaque.Length));
        report.Write(opaque);

        byte[] signed = report.ToArray();
        parts.Unsigned?.Invoke(signed);
        byte[] whole = [.. signed, .. device.Leaf.Key.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)];
        parts.Finished?.Invoke(whole);
        return new NvidiaDeviceEvidence(whole, Encoding.ASCII.GetBytes(TdxAuthority.Pem(parts.Chain ?? ChainOf(device))));
    }

    public byte[][] ChainOf(MachineDevice device) => [device.Leaf.Certificate, device.BootRom.Certificate, Provisioner.Certificate, Identity.Certificate, Root.Certificate];

    /// <summary>What a device measures where nothing is wrong.</summary>
    public static byte[] Value(int index) => index % 5 == 4 ? new byte[48] : SHA384.HashData([(byte)index]);

    /// <summary>What a manifest lists for an index: one value, but for one index.</summary>
    public static byte[][] GoldenValues(NvidiaManifestParts parts, int index) =>
        parts.Golden?.Invoke(index) ?? (index == 21 ? [.. Enumerable.Range(0, 11).Select(i => SHA384.HashData([(byte)i, 0])), Value(index)] : [Value(index)]);

    public byte[] Manifest(NvidiaManifestParts? parts = null)
    {
        parts ??= new NvidiaManifestParts();
        string canonical = Document(parts, canonical: true, "");
        string digest = Convert.ToBase64String(SHA384.HashData(Encoding.ASCII.GetBytes(canonical)));
        const string namespaces = $" xmlns=\"{Swid}\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:ns0=\"{Swid}\" xmlns:ns2=\"{Hashes}\"";
        byte[] signedInfo = Encoding.ASCII.GetBytes(SignedInfo(digest, namespaces, canonical: true));
        byte[] signature = (parts.Signer ?? ManifestSigner).Key.SignData(signedInfo, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

        var certificates = (parts.Chain ?? [ManifestSigner.Certificate, ManifestIssuer.Certificate, ManifestAuthority.Certificate, ManifestRoot.Certificate])
            .Select(der => $"<ds:X509Certificate>{Convert.ToBase64String(der, Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\n")}\n</ds:X509Certificate>");
        string element = $"<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{SignedInfo(digest, "", canonical: false)}<ds:SignatureValue>{Convert.ToBase64String(signature)}</ds:SignatureValue>"
            + $"<ds:KeyInfo><ds:X509Data>{string.Concat(certificates)}</ds:X509Data></ds:KeyInfo></ds:Signature>";
        string document = Document(parts, canonical: false, element) + "\n\n";
        return Encoding.UTF8.GetBytes(parts.Finished?.Invoke(document) ?? document);
    }

    /// <summary>The same manifest, canonical, without its signature: written by hand, not by the code under test.</summary>
    public static string CanonicalManifest(NvidiaManifestParts? parts = null) => Document(parts ?? new NvidiaManifestParts(), canonical: true, "");

    public byte[] Answer(Holder subject, NvidiaAnswer? parts = null)
    {
        parts ??= new NvidiaAnswer();
        var issuer = parts.Issuer ?? subject.Issuer!;
        var data = new AsnWriter(AsnEncodingRules.DER);
        var made = _now - parts.Age;
        using (data.PushSequence())
        {
            using (data.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
            {
                data.WriteEncodedValue(NameOf(issuer.Name).RawData);
            }
            data.WriteGeneralizedTime(made, omitFractionalSeconds: true);
            using (data.PushSequence())
            {
                using (data.PushSequence())
                {
                    WriteCertificateId(data, subject, issuer, parts.Hash);
                    WriteStatus(data, parts.Status);
                    data.WriteGeneralizedTime(made, omitFractionalSeconds: true);
                    if (parts.Lifetime is { } lifetime)
                    {
                        using (data.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                        {
                            data.WriteGeneralizedTime(made + lifetime, omitFractionalSeconds: true);
                        }
                    }
                }
            }
        }
        return Enveloped(data.Encode(), parts.Signer?.Key ?? issuer.Key, parts.Signer?.Certificate, parts.Finished);
    }

    /// <summary>Somebody whom an issuer lets answer for it.</summary>
    public Holder Responder(Holder issuer, string purpose = "1.3.6.1.5.5.7.3.9", TimeSpan age = default, Holder? by = null) =>
        Issue("Test Responder", by ?? issuer, authority: false, age: age, extensions: [new X509EnhancedKeyUsageExtension(new OidCollection { new Oid(purpose) }, true)], issuer: issuer);

    public Holder Issue(string name, Holder? by, bool authority = true, X509KeyUsageFlags? usage = null, int? pathLength = null, TimeSpan age = default, X509Extension[]? extensions = null, Holder? issuer = null, ECDsa? key = null)
    {
        key ??= NewKey();
        issuer ??= by;
        var request = new CertificateRequest(NameOf(name), key, HashAlgorithmName.SHA384);
        if (authority)
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, pathLength is not null, pathLength ?? 0, true));
        }
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage ?? (authority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature), true));
        foreach (var extension in extensions ?? [])
        {
            request.CertificateExtensions.Add(extension);
        }
        byte[] certificate = request.Create(NameOf(issuer?.Name ?? name), X509SignatureGenerator.CreateForECDsa(by?.Key ?? key), _now - age - TimeSpan.FromDays(30), _now - age + TimeSpan.FromDays(365), [1, ++_serial]).RawData;
        return new Holder(name, key, certificate, issuer);
    }

    public static byte[] Pdis(params ulong[] pdis) => [.. pdis.SelectMany(BitConverter.GetBytes)];

    public void Dispose()
    {
        foreach (var key in _keys)
        {
            key.Dispose();
        }
    }

    private const string Swid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
    private const string Hashes = "http://www.w3.org/2001/04/xmlenc#sha384";
    private const ulong SwitchPdi = 0x203eb31ad9ed0008;

    private ECDsa NewKey()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        _keys.Add(key);
        return key;
    }

    private static Dictionary<int, byte[]> GpuFields() => new()
    {
        [6] = [0x00, 0xa5, 0x00, 0x96, 1, 0, 0, 0],
        [14] = [0x37, 4, 0, 0],
        [15] = [.. "885"u8, 0, 0, 0, 0, 0, 0],
        [17] = [.. "G520"u8, 0],
        [18] = [.. "0200"u8, 0],
        [3] = [.. "590.12"u8, 0],
        [11] = [0xaa],
        [20] = FirmwareId,
        [21] = [0x55],
        [34] = [1, 0],
        [36] = [1, 0],
    };

    private static Dictionary<int, byte[]> SwitchFields() => new()
    {
        [6] = [.. "96.10.55.00.01"u8],
        [22] = [.. BitConverter.GetBytes(SwitchPdi).Reverse()],
        [26] = [.. Pdis(7, 9, 9, 7, 0, 0, 7, 9), .. new byte[64]],
        [25] = [2, 0],
    };

    private static Action<Dictionary<int, byte[]>> Fabric(Action<Dictionary<int, byte[]>>? spoil) => fields =>
    {
        (fields[21], fields[36], fields[22]) = ([0xaa], [2, 0], Pdis(SwitchPdi, SwitchPdi, 0));
        spoil?.Invoke(fields);
    };

    private static string Document(NvidiaManifestParts parts, bool canonical, string signature)
    {
        string tagId = Convert.ToHexStringLower(SHA384.HashData(Encoding.ASCII.GetBytes(parts.Version + parts.IsVbios)));
        string identity = canonical
            ? $"corpus=\"false\" name=\"{parts.Product}\" patch=\"false\" supplemental=\"false\" tagId=\"{tagId}\" tagVersion=\"0\" version=\"1.0\""
            : $"corpus=\"false\" name='{parts.Product}' patch=\"false\"\n  supplemental=\"false\" tagId=\"{tagId}\" version=\"1.0\" tagVersion=\"0\" ";
        string meta = canonical
            ? $"PayloadType=\"direct\" colloquialVersion=\"{parts.Version}\" edition=\"GPU\" product=\"{parts.Product}\" ns1:BindingSpec=\"RIMIM\" ns1:PlatformManufacturerId=\"5703\""
            : $"colloquialVersion=\"{parts.Version}\" edition=\"GPU\" product=\"{parts.Product}\" ns1:PlatformManufacturerId=\"5703\" PayloadType=\"direct\" ns1:BindingSpec=\"RIMIM\"";
        var text = new StringBuilder();
        text.Append($"<SoftwareIdentity xmlns=\"{Swid}\" xmlns:ns0=\"{Swid}\" xmlns:ns2=\"{Hashes}\" {identity}>\n");
        text.Append($"    <ns0:Entity name=\"Test Corporation > all\" role=\"softwareCreator tagCreator\"{End("ns0:Entity")}\n");
        text.Append($"    <ns0:Meta xmlns:ns1=\"https://trustedcomputinggroup.org/rim/\" {meta}{End("ns0:Meta")}\n");
        text.Append($"    <ns0:Payload xmlns:SHA384=\"{Hashes}\"{(canonical ? "" : $" xmlns:ns2=\"{Hashes}\"")}>\n");
        for (int i = 0; i < Measurements; i++)
        {
            Resource(text, parts, i, canonical);
        }
        return text.Append($"    </ns0:Payload>\n{signature}</SoftwareIdentity>").ToString();

        string End(string name) => canonical ? $"></{name}>" : "/>";
    }

    private static void Resource(StringBuilder text, NvidiaManifestParts parts, int index, bool canonical)
    {
        bool active = (parts.Indexes ?? (parts.IsVbios ? VbiosIndexes : DriverIndexes)).Contains(index);
        byte[][] values = active ? GoldenValues(parts, index) : [new byte[48]];
        var hashes = values.Select((value, i) => $"ns2:Hash{i}=\"{Convert.ToHexStringLower(value)}\"").ToArray();
        text.Append(canonical
            ? $"        <ns0:Resource active=\"{active}\" alternatives=\"{values.Length}\" index=\"{index}\" name=\"Measurement_{index}\" size=\"48\" type=\"Measurement\" {string.Join(' ', hashes.OrderBy(hash => hash[..hash.IndexOf('=', StringComparison.Ordinal)], StringComparer.Ordinal))}></ns0:Resource>\n"
            : $"        <ns0:Resource type=\"Measurement\" index=\"{index}\" active=\"{active}\" alternatives=\"{values.Length}\" {string.Join(' ', hashes)} name=\"Measurement_{index}\" size=\"48\"/>\n");
    }

    private static string SignedInfo(string digest, string namespaces, bool canonical)
    {
        string Empty(string name, string algorithm) => canonical ? $"<ds:{name} Algorithm=\"{algorithm}\"></ds:{name}>" : $"<ds:{name} Algorithm=\"{algorithm}\"/>";
        return $"<ds:SignedInfo{namespaces}>{Empty("CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11")}{Empty("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384")}"
            + $"<ds:Reference URI=\"\"><ds:Transforms>{Empty("Transform", "http://www.w3.org/2000/09/xmldsig#enveloped-signature")}{Empty("Transform", "http://www.w3.org/2006/12/xml-c14n11")}</ds:Transforms>"
            + $"{Empty("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#sha384")}<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>";
    }

    private static void WriteCertificateId(AsnWriter data, Holder subject, Holder issuer, HashAlgorithmName hash)
    {
        using var key = X509CertificateLoader.LoadCertificate(issuer.Certificate);
        using (data.PushSequence())
        {
            using (data.PushSequence())
            {
                data.WriteObjectIdentifier(hash.Name switch { "SHA256" => "2.16.840.1.101.3.4.2.1", "SHA384" => "2.16.840.1.101.3.4.2.2", _ => "1.3.14.3.2.26" });
            }
            data.WriteOctetString(CryptographicOperations.HashData(hash, NameOf(issuer.Name).RawData));
            data.WriteOctetString(CryptographicOperations.HashData(hash, key.GetPublicKey()));
            using var certificate = X509CertificateLoader.LoadCertificate(subject.Certificate);
            data.WriteInteger(certificate.SerialNumberBytes.Span);
        }
    }

    private void WriteStatus(AsnWriter data, OcspStatus status)
    {
        if (status is OcspStatus.Revoked)
        {
            using (data.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
            {
                data.WriteGeneralizedTime(_now - TimeSpan.FromDays(2), omitFractionalSeconds: true);
            }
        }
        else
        {
            data.WriteNull(new Asn1Tag(TagClass.ContextSpecific, status is OcspStatus.Good ? 0 : 2));
        }
    }

    private static byte[] Enveloped(byte[] data, ECDsa key, byte[]? certificate, Action<byte[]>? finished)
    {
        var generator = X509SignatureGenerator.CreateForECDsa(key);
        var basic = new AsnWriter(AsnEncodingRules.DER);
        using (basic.PushSequence())
        {
            basic.WriteEncodedValue(data);
            basic.WriteEncodedValue(generator.GetSignatureAlgorithmIdentifier(HashAlgorithmName.SHA384));
            basic.WriteBitString(generator.SignData(data, HashAlgorithmName.SHA384));
            if (certificate is not null)
            {
                using (basic.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                using (basic.PushSequence())
                {
                    basic.WriteEncodedValue(certificate);
                }
            }
        }
        var response = new AsnWriter(AsnEncodingRules.DER);
        using (response.PushSequence())
        {
            response.WriteEncodedValue([0x0a, 1, 0]);
            using (response.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (response.PushSequence())
            {
                response.WriteObjectIdentifier("1.3.6.1.5.5.7.48.1.1");
                response.WriteOctetString(basic.Encode());
            }
        }
        byte[] encoded = response.Encode();
        finished?.Invoke(encoded);
        return encoded;
    }

    private static byte[] DeviceName(string name)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            writer.WriteObjectIdentifier("1.3.6.1.4.1.412.274.1");
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            {
                writer.WriteCharacterString(UniversalTagNumber.UTF8String, name);
            }
        }
        return writer.Encode();
    }

    private static byte[] CompositeDeviceId(byte[]? firmware)
    {
        using var device = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            writer.WriteEncodedValue(device.ExportSubjectPublicKeyInfo());
            WriteFwid(writer, firmware);
        }
        return writer.Encode();
    }

    private static byte[] TcbInfo(byte[]? firmware)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.UTF8String, "NVIDIA", new Asn1Tag(TagClass.ContextSpecific, 0));
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 6)))
            {
                WriteFwid(writer, firmware);
            }
        }
        return writer.Encode();
    }

    private static void WriteFwid(AsnWriter writer, byte[]? firmware)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("2.16.840.1.101.3.4.2.2");
            writer.WriteOctetString(firmware ?? FirmwareId);
        }
    }

    private static byte[] UInt16(int value) => [(byte)(value & 0xff), (byte)(value >> 8)];

    private static X500DistinguishedName NameOf(string name) => new($"CN={name}, O=Cloister Tests");
}

/// <summary>What is other than it should be in a device's report. Everything but <see cref="Finished"/> and <see cref="Chain"/> is changed before it is signed.</summary>
internal sealed record NvidiaParts
{
    public byte[]? Nonce { get; init; }
    public Action<byte[][]>? Measured { get; init; }
    public Action<Dictionary<int, byte[]>>? Fields { get; init; }
    public byte[] AfterFields { get; init; } = [];
    public Action<byte[]>? Unsigned { get; init; }
    public Action<byte[]>? Finished { get; init; }
    public byte[][]? Chain { get; init; }
}

/// <summary>What is other than it should be in a device's own certificate.</summary>
internal sealed record NvidiaLeaf
{
    public string Maker { get; init; } = "NVIDIA";
    public string? Chip { get; init; }
    public byte[]? FirmwareId { get; init; }
    public bool Blackwell { get; init; }
    public bool IsAuthority { get; init; }
    public X509KeyUsageFlags? Usage { get; init; }
    public TimeSpan Age { get; init; }
    public NvidiaAuthority.Holder? By { get; init; }
}

/// <summary>What a manifest says, and what is changed once it is signed.</summary>
internal sealed record NvidiaManifestParts
{
    public bool IsVbios { get; init; }
    public string Product { get; init; } = "GH100";
    public string Version { get => field ?? (IsVbios ? NvidiaAuthority.Vbios : NvidiaAuthority.Driver); init; }
    public int[]? Indexes { get; init; }
    public Func<int, byte[][]?>? Golden { get; init; }
    public NvidiaAuthority.Holder? Signer { get; init; }
    public byte[][]? Chain { get; init; }
    public Func<string, string>? Finished { get; init; }
}

/// <summary>What is other than it should be in an answer about revocation.</summary>
internal sealed record NvidiaAnswer
{
    public OcspStatus Status { get; init; } = OcspStatus.Good;
    public TimeSpan Age { get; init; } = TimeSpan.FromHours(1);
    public TimeSpan? Lifetime { get; init; } = TimeSpan.FromDays(4);
    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA384;
    public NvidiaAuthority.Holder? Issuer { get; init; }
    public NvidiaAuthority.Holder? Signer { get; init; }
    public Action<byte[]>? Finished { get; init; }
}
