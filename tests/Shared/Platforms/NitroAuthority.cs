using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;

namespace Cloister.Testing;

/// <summary>A stand-in for AWS and for one of its hypervisors: root → region → zone → instance → enclave on P-384, and documents in the real format.</summary>
internal sealed class NitroAuthority : IDisposable
{
    public const string Instance = "i-0123456789abcdef0";

    private readonly DateTimeOffset _now;
    private readonly Dictionary<NitroTier, ECDsa> _keys = Enum.GetValues<NitroTier>().ToDictionary(tier => tier, _ => ECDsa.Create(ECCurve.NamedCurves.nistP384));
    private readonly byte[][] _chain;

    public NitroAuthority(DateTimeOffset now)
    {
        _now = now;
        _chain = [.. Enum.GetValues<NitroTier>().Select(tier => Certify(tier))];
        RootFingerprint = Certificate.TryParse(_chain[0], out var root) ? root.Key.Fingerprint : throw new ArgumentException("Not a certificate of ours.");
    }

    public string RootFingerprint { get; }

    /// <summary>What a document without parts of its own passes.</summary>
    public NitroPolicy Policy => new()
    {
        Roots = [RootFingerprint],
        Builds = [Build],
        ImageSigners = [NitroBuild.Unsigned],
        MaximumAge = TimeSpan.FromHours(1),
        UserData = Enumerable.Repeat((byte)0xdd, 64).ToArray(),
    };

    public static NitroBuild Build { get; } = new(Register(0xa0), Register(0xa1), Register(0xa2));

    /// <summary>Another certificate for the key of that tier.</summary>
    public byte[] Certify(NitroTier tier, Func<NitroShape, NitroShape>? change = null)
    {
        var shape = new NitroShape
        {
            Authority = tier is not NitroTier.Enclave,
            PathLength = tier is NitroTier.Root or NitroTier.Enclave ? null : NitroTier.Instance - tier,
            Usage = tier is NitroTier.Enclave ? X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation : X509KeyUsageFlags.KeyCertSign,
            NotBefore = _now - (tier is NitroTier.Enclave ? TimeSpan.FromSeconds(3) : TimeSpan.FromDays(1)),
            NotAfter = _now + (tier is NitroTier.Enclave ? TimeSpan.FromHours(3) : TimeSpan.FromDays(10)),
            Key = _keys[tier],
            Signer = tier is NitroTier.Root ? tier : tier - 1,
        };
        shape = change?.Invoke(shape) ?? shape;

        var request = new CertificateRequest(NameOf(tier), shape.Key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(shape.Constraints ?? new X509BasicConstraintsExtension(shape.Authority, shape.PathLength is not null, shape.PathLength ?? 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(shape.Usage, true));
        if (shape.Also is { } also)
        {
            request.CertificateExtensions.Add(also);
        }
        var issuer = NameOf(tier is NitroTier.Root ? tier : tier - 1);
        return request.Create(issuer, X509SignatureGenerator.CreateForECDsa(_keys[shape.Signer]), shape.NotBefore, shape.NotAfter, [(byte)(tier + 1)]).RawData;
    }

    /// <summary>The whole chain, with another certificate in the place of one.</summary>
    public byte[][] Chain(NitroTier tier, Func<NitroShape, NitroShape> change) => [.. _chain.Select((der, index) => index == (int)tier ? Certify(tier, change) : der)];

    /// <summary>The whole chain as it should be.</summary>
    public byte[][] Chain() => [.. _chain];

    public byte[] Document(NitroParts? parts = null)
    {
        parts ??= new NitroParts();
        byte[][] chain = parts.Chain ?? _chain;
        var members = new List<(string Name, byte[] Value)>
        {
            ("module_id", TestCbor.Text(parts.ModuleId)),
            ("digest", TestCbor.Text("SHA384")),
            ("timestamp", TestCbor.Head(0, (ulong)(_now - parts.Age).ToUnixTimeMilliseconds())),
            ("pcrs", TestCbor.Map([.. Registers(parts).Select(one => (TestCbor.Head(0, (ulong)one.Key), TestCbor.Bytes(one.Value)))])),
            ("certificate", TestCbor.Bytes(chain[^1])),
            ("cabundle", TestCbor.Array([.. chain[..^1].Select(TestCbor.Bytes)])),
            ("public_key", TestCbor.BytesOrNull(parts.PublicKey)),
            ("user_data", TestCbor.BytesOrNull(parts.UserData)),
            ("nonce", TestCbor.BytesOrNull(parts.Nonce)),
        };
        parts.Members?.Invoke(members);
        var pairs = members.Select(member => (TestCbor.Text(member.Name), member.Value)).ToArray();
        byte[] payload = parts.Definite ? TestCbor.Map(pairs) : TestCbor.IndefiniteMap(pairs);
        payload = parts.Payload?.Invoke(payload) ?? payload;

        byte[] signed = TestCbor.Array(TestCbor.Text("Signature1"), TestCbor.Bytes(parts.Protected), TestCbor.Bytes([]), TestCbor.Bytes(payload));
        byte[] signature = _keys[NitroTier.Enclave].SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        byte[] document = [.. parts.Tagged ? [0xd2] : Array.Empty<byte>(), .. TestCbor.Array(TestCbor.Bytes(parts.Protected), TestCbor.Map(), TestCbor.Bytes(payload), TestCbor.Bytes(signature))];
        parts.Finished?.Invoke(document);
        return document;
    }

    public void Dispose()
    {
        foreach (var key in _keys.Values)
        {
            key.Dispose();
        }
    }

    // As real documents list them: sixteen, of which those that nothing was measured into are zero.
    private static SortedDictionary<int, byte[]> Registers(NitroParts parts)
    {
        var registers = new SortedDictionary<int, byte[]>();
        for (int index = 0; index < 16; index++)
        {
            registers[index] = index < 4 ? [.. Enumerable.Repeat((byte)(0xa0 + index), 48)] : new byte[48];
        }
        registers[4] = SHA384.HashData([.. new byte[48], .. Encoding.ASCII.GetBytes(Instance)]);
        parts.Registers?.Invoke(registers);
        return registers;
    }

    private static string Register(byte value) => Convert.ToHexStringLower([.. Enumerable.Repeat(value, 48)]);

    private static X500DistinguishedName NameOf(NitroTier tier) => new($"CN={tier}.test.nitro-enclaves, O=Cloister Tests");
}

internal enum NitroTier { Root, Region, Zone, Instance, Enclave }

internal sealed record NitroShape
{
    public required bool Authority { get; init; }
    public required int? PathLength { get; init; }
    public required X509KeyUsageFlags Usage { get; init; }
    public required DateTimeOffset NotBefore { get; init; }
    public required DateTimeOffset NotAfter { get; init; }
    public required ECDsa Key { get; init; }
    public required NitroTier Signer { get; init; }

    /// <summary>In the place of the basic constraints.</summary>
    public X509Extension? Constraints { get; init; }

    /// <summary>Beside the two that each has.</summary>
    public X509Extension? Also { get; init; }
}

/// <summary>What is other than it should be in a document. Everything but <see cref="Finished"/> is changed before it is signed.</summary>
internal sealed record NitroParts
{
    public bool Tagged { get; init; }

    /// <summary>The map's length in front of it, as AWS wrote it in earlier years, and not a break behind it.</summary>
    public bool Definite { get; init; }

    public byte[] Protected { get; init; } = [0xa1, 0x01, 0x38, 0x22];
    public string ModuleId { get; init; } = $"{NitroAuthority.Instance}-enc0123456789abcdef";
    public TimeSpan Age { get; init; } = TimeSpan.FromSeconds(1);
    public Action<SortedDictionary<int, byte[]>>? Registers { get; init; }

    /// <summary>Root first, the enclave's own last.</summary>
    public byte[][]? Chain { get; init; }

    public byte[]? PublicKey { get; init; }
    public byte[]? UserData { get; init; } = [.. Enumerable.Repeat((byte)0xdd, 64)];
    public byte[]? Nonce { get; init; }
    public Action<List<(string Name, byte[] Value)>>? Members { get; init; }
    public Func<byte[], byte[]>? Payload { get; init; }
    public Action<byte[]>? Finished { get; init; }
}
