using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

public class SignatureTests(Chromium chromium)
{
    private static readonly byte[] Message = "the same words"u8.ToArray();

    private sealed record Question(string Scheme, string Hash, byte[] Key, byte[] Exponent, byte[] Message, byte[] Signature);

    [Fact]
    public async Task The_browser_checks_what_the_hardware_and_its_maker_signed()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.Page.AddInitScriptAsync("""
            globalThis.verified = [];
            const verify = SubtleCrypto.prototype.verify;
            SubtleCrypto.prototype.verify = function (algorithm, ...rest) {
              globalThis.verified.push(algorithm.name);
              return verify.call(this, algorithm, ...rest);
            };
            """);
        await visitor.EnterAsync(house);
        Assert.Equal("ECDSA RSA-PSS RSA-PSS RSA-PSS RSA-PSS", await visitor.Page.EvaluateAsync<string>("() => globalThis.verified.sort().join(' ')"));
        visitor.AssertNoComplaints();
    }

    [Theory]
    [InlineData("ECDSA", "Snp.Signature")]
    [InlineData("RSA-PSS", "Snp.Chain")]
    public async Task What_it_finds_not_genuine_is_refused(string algorithm, string check)
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.Page.AddInitScriptAsync($$"""
            const verify = SubtleCrypto.prototype.verify;
            SubtleCrypto.prototype.verify = function (algorithm, ...rest) {
              return algorithm.name === "{{algorithm}}" ? Promise.resolve(false) : verify.call(this, algorithm, ...rest);
            };
            """);
        await visitor.Page.GotoAsync(house.Address.ToString());
        var alert = visitor.Page.GetByRole(Microsoft.Playwright.AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("The enclave was refused. Nothing was sent.", new() { Timeout = 60_000 });
        await alert.GetByText("See every check").ClickAsync();
        await Expect(visitor.Page.Locator($"[data-check=\"{check}\"] .verdict")).ToHaveTextAsync("Failed");
        Assert.Empty(visitor.Sockets);
    }

    [Fact]
    public async Task What_it_cannot_check_the_page_checks_itself()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.Page.AddInitScriptAsync("SubtleCrypto.prototype.verify = () => Promise.reject(new DOMException('not here', 'NotSupportedError'));");
        await visitor.EnterAsync(house);
        await visitor.AskAsync("Are you there?");
        await Expect(visitor.Page.Locator(".question")).ToHaveTextAsync("Are you there?");
    }

    [Fact]
    public async Task It_accepts_what_the_platform_made_and_nothing_else()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.EnterAsync(house);

        foreach (var (question, genuine) in Questions())
        {
            string given = JsonSerializer.Serialize(new[] { question.Key, question.Exponent, question.Message, question.Signature });
            bool answer = await visitor.Page.EvaluateAsync<bool>($$"""
                async () => {
                  const { verify } = await import("./signatures.js");
                  return verify("{{question.Scheme}}", "{{question.Hash}}", ...{{given}}.map(one => Uint8Array.from(atob(one), character => character.charCodeAt(0))));
                }
                """);
            Assert.True(answer == genuine, $"{question.Scheme} {question.Hash}: {answer}");
        }
    }

    private static IEnumerable<(Question Question, bool Genuine)> Questions()
    {
        using var rsa = RSA.Create(4096);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var numbers = rsa.ExportParameters(true);
        foreach (var hash in (HashAlgorithmName[])[HashAlgorithmName.SHA256, HashAlgorithmName.SHA384, HashAlgorithmName.SHA512])
        {
            Question Rsa(string scheme, byte[] signature) => new(scheme, hash.Name!, numbers.Modulus!, numbers.Exponent!, Message, signature);
            Question Ecdsa(string scheme, ECDsa key) => key.ExportParameters(false).Q is var point ? new(scheme, hash.Name!, [4, .. point.X!, .. point.Y!], [], Message, key.SignData(Message, hash)) : throw new InvalidOperationException();

            foreach (var question in (Question[])[Rsa("RsaPss", rsa.SignData(Message, hash, RSASignaturePadding.Pss)), Rsa("RsaPkcs1", rsa.SignData(Message, hash, RSASignaturePadding.Pkcs1)), Ecdsa("EcdsaP256", p256), Ecdsa("EcdsaP384", p384)])
            {
                byte[] other = [.. question.Signature];
                other[^1] ^= 1;
                yield return (question, true);
                yield return (question with { Signature = other }, false);
                yield return (question with { Signature = new byte[other.Length] }, false);
                yield return (question with { Signature = [.. question.Signature, 0] }, false);
                yield return (question with { Message = [.. Message, 0] }, false);
                yield return (question with { Hash = hash.Name is "SHA256" ? "SHA384" : "SHA256" }, false);
            }

            // A salt of another length; a DigestInfo without the NULL of its algorithm.
            yield return (Rsa("RsaPss", WithSaltOf(20, rsa, hash)), false);
            byte[] digestInfo = WithoutNull(hash);
            byte[] encoded = [0, 1, .. Enumerable.Repeat((byte)0xff, 512 - 3 - digestInfo.Length), 0, .. digestInfo];
            byte[] signature = BigInteger.ModPow(new(encoded, true, true), new(numbers.D, true, true), new(numbers.Modulus, true, true)).ToByteArray(true, true);
            yield return (Rsa("RsaPkcs1", [.. new byte[512 - signature.Length], .. signature]), false);
        }
    }

    private static byte[] WithSaltOf(int length, RSA key, HashAlgorithmName hash)
    {
        var signer = new PssSigner(new RsaEngine(), hash.Name switch { "SHA256" => new Sha256Digest(), "SHA384" => new Sha384Digest(), _ => (IDigest)new Sha512Digest() }, length);
        signer.Init(true, DotNetUtilities.GetRsaKeyPair(key).Private);
        signer.BlockUpdate(Message);
        return signer.GenerateSignature();
    }

    private static byte[] WithoutNull(HashAlgorithmName hash)
    {
        byte[] digest = CryptographicOperations.HashData(hash, Message);
        byte last = hash.Name switch { "SHA256" => 1, "SHA384" => 2, _ => 3 };
        return [0x30, (byte)(15 + digest.Length), 0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last, 4, (byte)digest.Length, .. digest];
    }
}
