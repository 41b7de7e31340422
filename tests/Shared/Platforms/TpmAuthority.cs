using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;

namespace Cloister.Testing;

/// <summary>A stand-in for a TPM and for those who vouch for its key: event log, registers, quotes and certificates in the real formats.</summary>
internal sealed class TpmAuthority : IDisposable
{
    public static readonly byte[] Nonce = TpmQuote.ExtraDataOf(Enumerable.Repeat((byte)0xdd, 64).ToArray());

    private readonly DateTimeOffset _now;
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _ecdsa384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly RSA _root = RSA.Create(2048);
    private readonly ECDsa _authority = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TpmAuthority(DateTimeOffset now)
    {
        _now = now;
        RootCertificate = Certify("Test TPM Root", PublicOf(_root), "Test TPM Root", true, [1], HashAlgorithmName.SHA256, X509SignatureGenerator.CreateForRSA(_root, RSASignaturePadding.Pkcs1));
        AuthorityCertificate = Certify("Test TPM CA", new PublicKeyOf(Ecdsa: _authority), "Test TPM Root", true, [2], HashAlgorithmName.SHA384, X509SignatureGenerator.CreateForRSA(_root, RSASignaturePadding.Pkcs1));
        Root = Certificate.TryParse(RootCertificate, out var root) ? root.Key.Fingerprint : "";
    }

    public byte[] RootCertificate { get; }
    public byte[] AuthorityCertificate { get; }
    public string Root { get; }

    /// <summary>Everything that this authority's own quote shows, by its pinned key.</summary>
    public TpmPolicy Policy(TpmParts? parts = null)
    {
        parts ??= new TpmParts();
        var registers = Registers(parts.Log ?? Log(), parts.Bank);
        return new()
        {
            KeyTrust = new TpmPinnedKey([Name(parts)]),
            ExtraData = Nonce,
            Bank = parts.Bank,
            Registers = [0, 4, 7],
            Builds = [new TpmBuild("this one", registers.ToImmutableSortedDictionary(one => one.Key, one => Convert.ToHexStringLower(one.Value)))],
            EventLog = new EventLogPolicy
            {
                Registers = [0, 4, 7],
                Rules =
                [
                    new("secure boot", 7, EventDemand.PresentBeforeSeparator, [KnownEvents.SecureBoot(parts.Bank, on: true)]),
                    new("no debugging", 7, EventDemand.Absent, [KnownEvents.DebugMode(parts.Bank)]),
                    new("kernel", 4, EventDemand.Present, [KnownEvents.OfData(parts.Bank, "kernel"u8)]),
                    new("nothing else", 4, EventDemand.OnlyThese, [KnownEvents.CallingApplication(parts.Bank), KnownEvents.Separator(parts.Bank), KnownEvents.OfData(parts.Bank, "kernel"u8)]),
                ],
            },
            MinimumRsaBits = 2048,
            MinimumFirmwareVersion = 0x2024_0000_0000_0000,
        };
    }

    /// <summary>A start with secure boot on, of one kernel.</summary>
    public static EventLogWriter Log(EventLogKind kind = EventLogKind.Tpm)
    {
        var log = new EventLogWriter(kind);
        log.Measure(0, EventType.CrtmVersion, [0, 0]);
        log.Measure(7, EventType.EfiVariableDriverConfig, SecureBootVariable(1));
        log.Measure(4, EventType.EfiAction, Encoding.ASCII.GetBytes("Calling EFI Application from Boot Option"));
        foreach (int register in (int[])[0, 4, 7])
        {
            log.Measure(register, EventType.Separator, new byte[4]);
        }
        log.Measure(4, EventType.EfiBootServicesApplication, "kernel"u8.ToArray());
        return log;
    }

    public static byte[] SecureBootVariable(byte value) =>
        [.. new Guid("8be4df61-93ca-11d2-aa0d-00e098032b8c").ToByteArray(), 10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, .. Encoding.Unicode.GetBytes("SecureBoot"), value];

    /// <summary>What the registers 0, 4 and 7 hold after the log, by this file's own reckoning.</summary>
    public static SortedDictionary<int, byte[]> Registers(EventLogWriter log, TpmHash bank)
    {
        var registers = new SortedDictionary<int, byte[]>();
        foreach (int register in (int[])[0, 4, 7])
        {
            registers.Add(register, log.Replay(register, bank));
        }
        return registers;
    }

    public TpmEvidence Evidence(TpmParts? parts = null)
    {
        parts ??= new TpmParts();
        var log = parts.Log ?? Log();
        byte[] values = [.. Registers(log, parts.Bank).SelectMany(one => one.Value)];
        var hash = parts.Scheme is TpmScheme.Ecdsa && parts.LargeCurve ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;

        var quote = new BigEndian();
        quote.UInt32(0xff544347).UInt16(0x8018).Sized([0, 0x0b, .. new byte[32]]).Sized(parts.ExtraData ?? Nonce);
        quote.Bytes([0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 7, 0, 0, 0, 2, 1]).Bytes([0x20, 0x24, 1, 1, 0, 0, 0, 1]);
        quote.UInt32(1).UInt16((ushort)parts.Bank).Bytes([3, 0x91, 0, 0]).Sized(CryptographicOperations.HashData(hash, values));
        byte[] signed = Apply(quote.ToArray(), parts.Quote);

        return new()
        {
            Quote = Apply((byte[])signed.Clone(), parts.Finished),
            Signature = Apply(Sign(parts, signed, hash), parts.Signature),
            Key = Key(parts),
            RegisterValues = Apply(values, parts.Values),
            EventLog = log.ToArray(),
            Certificates = Pem(KeyCertificate(parts), AuthorityCertificate, RootCertificate),
            HclReport = Hcl(parts),
        };
    }

    public static string Name(byte[] key) => $"000b{Convert.ToHexStringLower(SHA256.HashData(key))}";

    public string Name(TpmParts parts) => Name(Key(parts));

    /// <summary>A certificate for the attestation key.</summary>
    public byte[] KeyCertificate(TpmParts? parts = null, TimeSpan age = default, bool purpose = true, bool byAnother = false, bool authority = false, X509Extension? also = null) => Certify(
        "Test AK", parts?.Scheme is TpmScheme.Ecdsa ? new PublicKeyOf(Ecdsa: parts.LargeCurve ? _ecdsa384 : _ecdsa) : PublicOf(_rsa), "Test TPM CA", authority, [3], HashAlgorithmName.SHA256,
        X509SignatureGenerator.CreateForECDsa(byAnother ? _ecdsa : _authority), age, purpose, also);

    /// <summary>Another certificate for the authority above it.</summary>
    public byte[] Authority(X509Extension also) =>
        Certify("Test TPM CA", new PublicKeyOf(Ecdsa: _authority), "Test TPM Root", true, [2], HashAlgorithmName.SHA384, X509SignatureGenerator.CreateForRSA(_root, RSASignaturePadding.Pkcs1), also: also);

    public static byte[] Pem(params byte[][] certificates) =>
        Encoding.ASCII.GetBytes(string.Concat(certificates.Select(der => $"{new string(PemEncoding.Write("CERTIFICATE", der))}\n")));

    /// <summary>What binds the report of <see cref="Hcl"/>: the report data of a processor's report.</summary>
    public byte[] HardwareReportData(TpmParts? parts = null) => [.. SHA256.HashData(Claims(parts)), .. new byte[32]];

    public byte[] Hcl(TpmParts? parts = null, string? claims = null)
    {
        byte[] text = claims is null ? Claims(parts) : Encoding.UTF8.GetBytes(claims);
        var report = new byte[Math.Max(2600, 1236 + text.Length)];
        "HCLA"u8.CopyTo(report);
        report[4] = 2;
        BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(8), 1184);
        report[12] = 2;
        BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(1216), 20 + text.Length);
        (report[1220], report[1224], report[1228]) = (1, 2, 1);
        BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(1232), text.Length);
        text.CopyTo(report, 1236);
        return report;
    }

    public void Dispose()
    {
        foreach (AsymmetricAlgorithm key in (AsymmetricAlgorithm[])[_rsa, _ecdsa, _ecdsa384, _root, _authority])
        {
            key.Dispose();
        }
    }

    /// <summary>The attestation key's public part.</summary>
    public byte[] Key(TpmParts parts)
    {
        var key = new BigEndian();
        key.UInt16(parts.Scheme is TpmScheme.Ecdsa ? (ushort)0x23 : (ushort)1).UInt16(0x0b).UInt32(0x0005_0072).Sized([]).UInt16(0x10).UInt16((ushort)parts.Scheme);
        key.UInt16(parts.Scheme is TpmScheme.Ecdsa && parts.LargeCurve ? (ushort)0x0c : (ushort)0x0b);
        if (parts.Scheme is TpmScheme.Ecdsa)
        {
            var point = (parts.LargeCurve ? _ecdsa384 : _ecdsa).ExportParameters(false).Q;
            key.UInt16(parts.LargeCurve ? (ushort)4 : (ushort)3).UInt16(0x10).Sized(point.X!).Sized(point.Y!);
        }
        else
        {
            key.UInt16(2048).UInt32(0).Sized(_rsa.ExportParameters(false).Modulus!);
        }
        return Apply(key.ToArray(), parts.Key);
    }

    private byte[] Sign(TpmParts parts, byte[] quote, HashAlgorithmName hash)
    {
        var signature = new BigEndian().UInt16((ushort)parts.Scheme).UInt16(hash == HashAlgorithmName.SHA384 ? (ushort)0x0c : (ushort)0x0b);
        if (parts.Scheme is TpmScheme.Ecdsa)
        {
            byte[] numbers = (parts.LargeCurve ? _ecdsa384 : _ecdsa).SignData(quote, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            return signature.Sized(numbers[..(numbers.Length / 2)]).Sized(numbers[(numbers.Length / 2)..]).ToArray();
        }
        return signature.Sized(_rsa.SignData(quote, hash, parts.Scheme is TpmScheme.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)).ToArray();
    }

    private byte[] Claims(TpmParts? parts) => Encoding.UTF8.GetBytes(
        $$"""{"keys":[{"kid":"{{parts?.ClaimedKey ?? "HCLAkPub"}}","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"{{Convert.ToBase64String(_rsa.ExportParameters(false).Modulus!).TrimEnd('=').Replace('+', '-').Replace('/', '_')}}"}],"vm-configuration":{"secure-boot":true},"user-data":"00"}""");

    private byte[] Certify(string name, PublicKeyOf key, string issuer, bool authority, byte[] serial, HashAlgorithmName hash, X509SignatureGenerator generator, TimeSpan age = default, bool purpose = false, X509Extension? also = null)
    {
        var subject = new X500DistinguishedName($"CN={name}, O=Cloister Tests");
        var request = key.Rsa is null ? new CertificateRequest(subject, key.Ecdsa!, hash) : new CertificateRequest(subject, key.Rsa, hash, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        if (purpose)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("2.23.133.8.3")], false));
        }
        if (also is not null)
        {
            request.CertificateExtensions.Add(also);
        }
        return request.Create(new X500DistinguishedName($"CN={issuer}, O=Cloister Tests"), generator, _now - age - TimeSpan.FromDays(30), _now - age + TimeSpan.FromDays(365), serial).RawData;
    }

    private static PublicKeyOf PublicOf(RSA key) => new(Rsa: key);

    private static byte[] Apply(byte[] bytes, Action<byte[]>? spoil)
    {
        spoil?.Invoke(bytes);
        return bytes;
    }

    private sealed record PublicKeyOf(RSA? Rsa = null, ECDsa? Ecdsa = null);

    private sealed class BigEndian
    {
        private readonly List<byte> _bytes = [];

        public BigEndian UInt16(ushort value) => Bytes([(byte)(value >> 8), (byte)(value & 0xff)]);

        public BigEndian UInt32(uint value) => UInt16((ushort)(value >> 16)).UInt16((ushort)(value & 0xffff));

        public BigEndian Sized(byte[] value) => UInt16((ushort)value.Length).Bytes(value);

        public BigEndian Bytes(byte[] value)
        {
            _bytes.AddRange(value);
            return this;
        }

        public byte[] ToArray() => [.. _bytes];
    }
}

/// <summary>What is other than it should be in a quote. <see cref="Quote"/> and <see cref="Key"/> are changed before they are signed or named, the rest afterwards.</summary>
internal sealed record TpmParts
{
    public TpmScheme Scheme { get; init; } = TpmScheme.RsaSsa;
    public bool LargeCurve { get; init; }
    public TpmHash Bank { get; init; } = TpmHash.Sha256;
    public byte[]? ExtraData { get; init; }
    public EventLogWriter? Log { get; init; }
    public string? ClaimedKey { get; init; }
    public Action<byte[]>? Quote { get; init; }
    public Action<byte[]>? Key { get; init; }
    public Action<byte[]>? Finished { get; init; }
    public Action<byte[]>? Signature { get; init; }
    public Action<byte[]>? Values { get; init; }
}

/// <summary>Writes event logs with SHA-256 and SHA-384.</summary>
internal sealed class EventLogWriter
{
    private readonly List<byte> _bytes = [];
    private readonly List<(int Register, byte[] Data)> _measured = [];
    private readonly EventLogKind _kind;
    private byte _locality;

    public EventLogWriter(EventLogKind kind = EventLogKind.Tpm)
    {
        _kind = kind;
        byte[] hashes = kind is EventLogKind.Tpm ? [2, 0, 0, 0, 0x0b, 0, 32, 0, 0x0c, 0, 48, 0] : [1, 0, 0, 0, 0x0c, 0, 48, 0];
        byte[] header = [.. "Spec ID Event03\0"u8, 0, 0, 0, 0, 0, 2, 0, 2, .. hashes, 0];
        _bytes.AddRange([kind is EventLogKind.Tdx ? (byte)1 : (byte)0, 0, 0, 0, 3, 0, 0, 0, .. new byte[20], (byte)header.Length, 0, 0, 0, .. header]);
    }

    public EventLogWriter Measure(int register, EventType type, byte[] data)
    {
        _measured.Add((register, data));
        Write(register, type, SHA256.HashData(data), SHA384.HashData(data), data);
        return this;
    }

    /// <summary>An event that is written down, not measured.</summary>
    public EventLogWriter Note(byte[] data, int register = 0)
    {
        Write(register, EventType.NoAction, new byte[32], new byte[48], data);
        return this;
    }

    public EventLogWriter StartupLocality(byte locality)
    {
        _locality = locality;
        return Note([.. "StartupLocality\0"u8, locality]);
    }

    public EventLogWriter Raw(byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public byte[] Replay(int register, TpmHash bank)
    {
        byte[] value = new byte[bank is TpmHash.Sha256 ? 32 : 48];
        value[^1] = register == 0 ? _locality : (byte)0;
        foreach (var (_, data) in _measured.Where(one => one.Register == register))
        {
            value = bank is TpmHash.Sha256 ? SHA256.HashData([.. value, .. SHA256.HashData(data)]) : SHA384.HashData([.. value, .. SHA384.HashData(data)]);
        }
        return value;
    }

    public byte[] ToArray() => [.. _bytes];

    private void Write(int register, EventType type, byte[] sha256, byte[] sha384, byte[] data)
    {
        var head = new byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(head, _kind is EventLogKind.Tdx ? register + 1 : register);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), (uint)type);
        head[8] = _kind is EventLogKind.Tdx ? (byte)1 : (byte)2;
        _bytes.AddRange(head);
        if (_kind is EventLogKind.Tpm)
        {
            _bytes.AddRange([0x0b, 0, .. sha256]);
        }
        _bytes.AddRange([0x0c, 0, .. sha384]);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, data.Length);
        _bytes.AddRange([.. length, .. data]);
    }
}
