using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Enclave.Evidence;
using Cloister.Testing;

namespace Cloister.Cli.Tests.Collateral;

/// <summary>NVIDIA's manifests and what its responder says, of certificates that the tests make.</summary>
public class NvidiaCollateralTests
{
    private const string Driver = "NV_GPU_DRIVER_GH100_550.144.03";

    private static readonly X509Certificate2[] Device = Certify("device root", "device authority", "device");
    private static readonly X509Certificate2[] Signer = Certify("manifest root", "manifest authority", "manifest signer");

    [Fact]
    public async Task Manifests_come_with_the_status_of_every_certificate_but_roots_and_the_devices_own()
    {
        await using var helper = await StartAsync(Manifest(Signer));
        var round = await helper.RunAsync();
        Assert.True(round.IsWhole, string.Join(' ', round.Faults));
        var set = Set(helper);
        Assert.Equal(Driver, Assert.Single(set.Manifests).Id);
        Assert.Equal(Manifest(Signer), Encoding.UTF8.GetString(Convert.FromBase64String(set.Manifests[0].Content)));
        Assert.Equal(new[] { Device[1], Signer[0], Signer[1] }.Select(Digest), set.Revocation.Select(answer => answer.Certificate));

        helper.Asked();
        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.Empty(helper.Asked());
        helper.Time.Advance(TimeSpan.FromHours(13));
        Assert.True((await helper.RunAsync()).IsWhole);
        Assert.Equal(["/ocsp", "/ocsp", "/ocsp"], helper.Asked());
    }

    [Fact]
    public async Task NVIDIAs_own_manifest_is_read()
    {
        await using var helper = await StartAsync(Encoding.UTF8.GetString(Repository.Vector($"nvidia/{Driver}.xml")));
        var round = await helper.RunAsync();
        Assert.True(round.IsWhole, string.Join(' ', round.Faults));
        Assert.True(Set(helper).Revocation.Length > 1);
    }

    public static TheoryData<string, string, Func<byte[], byte[]>> Spoiled => new()
    {
        { "is not the manifest", """{"id":"another","rim":"PGEvPg=="}""", request => Response(request) },
        { "is not the manifest", $$"""{"id":"{{Driver}}","rim":"?"}""", request => Response(request) },
        { "is not the manifest", $$"""{"id":"{{Driver}}","rim":"PGEvPg=="}""", request => Response(request) },
        { "is not the manifest", $$"""{"id":"{{Driver}}"}""", request => Response(request) },
        { "is not the manifest", "[]", request => Response(request) },
        { "is not the manifest", Json("<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hostname\">]>" + Manifest(Signer)), request => Response(request) },
        { "is not the status of 'device authority'", Json(Manifest(Signer)), _ => [] },
        { "is not the status of 'device authority'", Json(Manifest(Signer)), request => Response(request, status: 6) },
        { "is not the status of 'device authority'", Json(Manifest(Signer)), request => Response(request, other: true) },
        { "expired on", Json(Manifest(Signer)), request => Response(request, age: TimeSpan.FromDays(3)) },
    };

    [Theory, MemberData(nameof(Spoiled))]
    public async Task A_faulty_answer_is_one_sentence(string words, string manifest, Func<byte[], byte[]> respond)
    {
        await using var helper = await StartAsync("");
        helper.Makers.Things[$"/v1/rim/{Driver}"] = new Served(Encoding.UTF8.GetBytes(manifest));
        helper.Makers.Things["/ocsp"] = new Served([], Respond: respond);
        var round = await helper.RunAsync();
        Assert.False(round.IsWhole);
        Assert.Contains(words, Assert.Single(round.Faults));
        Assert.Empty(Directory.GetFiles(helper.Endorsements.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public async Task A_chain_that_is_none_is_one_sentence(string chain)
    {
        await using var helper = await Helper.StartAsync(new WantedCollateral { Nvidia = new NvidiaWant { Manifests = [], Chains = [chain] } });
        Assert.Contains("A GPU's certificate chain", Assert.Single((await helper.RunAsync()).Faults));
    }

    private static async Task<Helper> StartAsync(string manifest)
    {
        var helper = await Helper.StartAsync(new WantedCollateral { Nvidia = new NvidiaWant { Manifests = [Driver], Chains = [string.Concat(Device.Select(certificate => certificate.ExportCertificatePem() + "\n"))] } });
        helper.Makers.Things[$"/v1/rim/{Driver}"] = new Served(Encoding.UTF8.GetBytes(Json(manifest)));
        helper.Makers.Things["/ocsp"] = new Served([], Respond: request => Response(request));
        return helper;
    }

    private static NvidiaSet Set(Helper helper) => NvidiaSet.TryParse(helper.Endorsements.Read(NvidiaSet.FileName, NvidiaSet.MaxSize), out var set) ? set : throw new InvalidDataException();

    private static string Digest(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

    // As the service writes it, with members that nobody here needs.
    private static string Json(string xml) => $$"""{"id":"{{Driver}}","rim":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(xml))}}","sha256":"0","last_updated":"2026-01-01"}""";

    private static string Manifest(X509Certificate2[] chain) =>
        $"<SoftwareIdentity><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:KeyInfo><ds:X509Data>{string.Concat(chain.Select(certificate => $"<ds:X509Certificate>{Convert.ToBase64String(certificate.RawData, Base64FormattingOptions.InsertLineBreaks)}</ds:X509Certificate>"))}</ds:X509Data></ds:KeyInfo></ds:Signature></SoftwareIdentity>";

    /// <summary>From the last of the names up to the first.</summary>
    private static X509Certificate2[] Certify(params string[] names)
    {
        var chain = new List<X509Certificate2>();
        X509Certificate2? issuer = null;
        foreach (string name in names)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA384);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1000));
            issuer = issuer is null ? request.CreateSelfSigned(from, to) : request.Create(issuer, from, issuer.NotAfter, [(byte)chain.Count, 7]).CopyWithPrivateKey(key);
            chain.Insert(0, issuer);
        }
        return [.. chain];
    }

    // RFC 6960, section 4.2.1, without a signature worth its name: the helper verifies none.
    private static byte[] Response(byte[] request, byte status = 0, bool other = false, TimeSpan age = default)
    {
        byte[] asked = new AsnReader(request, AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadSequence().ReadSequence().ReadEncodedValue().ToArray();
        if (other)
        {
            asked[^1] ^= 1;
        }
        var made = DateTimeOffset.UtcNow - age;
        var data = new AsnWriter(AsnEncodingRules.DER);
        using (data.PushSequence())
        {
            using (data.PushSequence())
            {
                data.WriteOctetString([1], new Asn1Tag(TagClass.ContextSpecific, 2));
                data.WriteGeneralizedTime(made, omitFractionalSeconds: true);
                using (data.PushSequence())
                using (data.PushSequence())
                {
                    data.WriteEncodedValue(asked);
                    data.WriteNull(new Asn1Tag(TagClass.ContextSpecific, 0));
                    data.WriteGeneralizedTime(made, omitFractionalSeconds: true);
                    using (data.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                    {
                        data.WriteGeneralizedTime(made.AddDays(2), omitFractionalSeconds: true);
                    }
                }
            }
            data.WriteBitString([0]);
        }
        var whole = new AsnWriter(AsnEncodingRules.DER);
        using (whole.PushSequence())
        {
            whole.WriteEncodedValue([0x0a, 1, status]);
            using (whole.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (whole.PushSequence())
            {
                whole.WriteObjectIdentifier("1.3.6.1.5.5.7.48.1.1");
                whole.WriteOctetString(data.Encode());
            }
        }
        return whole.Encode();
    }
}
