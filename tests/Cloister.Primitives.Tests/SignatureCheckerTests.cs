using System.Security.Cryptography;
using Cloister.Testing;

namespace Cloister.Primitives.Tests;

public class SignatureCheckerTests
{
    private static readonly byte[] Message = "the same words"u8.ToArray();

    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly ECDsa P256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly Ed25519PrivateKey Ed25519 = Ed25519PrivateKey.Generate();
    private static readonly ECDsa P384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);

    /// <summary>One genuine signature of each scheme, and how it is verified.</summary>
    private static (byte[] Signature, Func<byte[], byte[], bool> Verify) Signed(SignatureScheme scheme)
    {
        switch (scheme)
        {
            case SignatureScheme.RsaPss or SignatureScheme.RsaPkcs1:
                var numbers = Rsa.ExportParameters(false);
                Assert.True(RsaPublicKey.TryImport(numbers.Modulus, numbers.Exponent, out var rsa));
                return scheme is SignatureScheme.RsaPss
                    ? (Rsa.SignData(Message, HashAlgorithmName.SHA384, RSASignaturePadding.Pss), (message, signature) => rsa.VerifyPss(message, HashAlgorithmName.SHA384, signature))
                    : (Rsa.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), (message, signature) => rsa.VerifyPkcs1(message, HashAlgorithmName.SHA256, signature));
            case SignatureScheme.Ed25519:
                byte[] made = new byte[Ed25519PrivateKey.SignatureSize];
                Ed25519.Sign(Message, made);
                return (made, (message, signature) => Ed25519.PublicKey.Verify(message, signature));
            default:
                var (curve, signer, hash) = scheme is SignatureScheme.EcdsaP256 ? (EcdsaCurve.P256, P256, HashAlgorithmName.SHA256) : (EcdsaCurve.P384, P384, HashAlgorithmName.SHA384);
                var point = signer.ExportParameters(false).Q;
                Assert.True(EcdsaPublicKey.TryImport(curve, [4, .. point.X!, .. point.Y!], out var ecdsa));
                return (signer.SignData(Message, hash, DSASignatureFormat.Rfc3279DerSequence), (message, signature) => ecdsa.Verify(message, hash, signature, EcdsaSignatureFormat.Der));
        }
    }

    public static TheoryData<SignatureScheme> Schemes => [.. Enum.GetValues<SignatureScheme>()];

    [Theory, MemberData(nameof(Schemes))]
    public async Task What_the_checker_is_asked_is_what_is_verified(SignatureScheme scheme)
    {
        var (signature, verify) = Signed(scheme);
        var checker = new PlatformChecker();
        Assert.True(await checker.RunAsync(() => verify(Message, signature)));
        Assert.False(await checker.RunAsync(() => verify([.. Message, 0], signature)));
        Assert.Equal(2, checker.Asked.Count);
        Assert.All(checker.Asked, question => Assert.Equal(scheme, question.Scheme));
    }

    [Theory, MemberData(nameof(Schemes))]
    public async Task Its_answer_counts(SignatureScheme scheme)
    {
        var (signature, verify) = Signed(scheme);
        Assert.False(await new PlatformChecker(_ => false).RunAsync(() => verify(Message, signature)));
        Assert.True(await new PlatformChecker(_ => true).RunAsync(() => verify([.. Message, 0], signature)));
    }

    [Theory, MemberData(nameof(Schemes))]
    public async Task What_it_cannot_say_is_checked_here(SignatureScheme scheme)
    {
        var (signature, verify) = Signed(scheme);
        Assert.True(await new PlatformChecker(_ => null).RunAsync(() => verify(Message, signature)));
        Assert.False(await new PlatformChecker(_ => null).RunAsync(() => verify([.. Message, 0], signature)));
    }

    [Theory, MemberData(nameof(Schemes))]
    public async Task A_form_that_is_none_is_refused_without_a_question(SignatureScheme scheme)
    {
        var (signature, verify) = Signed(scheme);
        var checker = new PlatformChecker(_ => true);
        Assert.False(await checker.RunAsync(() => verify(Message, [.. signature, 0])));
        Assert.False(await checker.RunAsync(() => verify(Message, [])));
        Assert.Empty(checker.Asked);
    }

    // A verification that goes another way the second time meets signatures that nobody asked about.
    [Theory, MemberData(nameof(Schemes))]
    public async Task An_answer_is_about_its_question_alone(SignatureScheme scheme)
    {
        var (signature, verify) = Signed(scheme);
        int runs = 0;
        Assert.False(await new PlatformChecker(_ => true).RunAsync(() => verify(++runs == 1 ? Message : [.. Message, 0], signature)));
        Assert.Equal(2, runs);

        byte[] other = [.. signature];
        other[^1] ^= 1;
        runs = 0;
        Assert.False(await new PlatformChecker(_ => true).RunAsync(() => verify(Message, ++runs == 1 ? signature : other)));

        runs = 0;
        Assert.True(await new PlatformChecker(_ => false).RunAsync(() => ++runs == 1 ? verify([.. Message, 0], signature) : verify(Message, signature)));
    }

    // Whether a point is one of the curve is the browser's to say where it verifies with it, and ours where it says nothing.
    [Theory]
    [InlineData(SignatureScheme.EcdsaP256)]
    [InlineData(SignatureScheme.EcdsaP384)]
    public async Task A_point_beside_its_curve_is_no_key(SignatureScheme scheme)
    {
        var (curve, signer) = scheme is SignatureScheme.EcdsaP256 ? (EcdsaCurve.P256, P256) : (EcdsaCurve.P384, P384);
        var point = signer.ExportParameters(false).Q;
        byte[] good = [4, .. point.X!, .. point.Y!], bad = [.. good[..^1], (byte)(good[^1] ^ 1)];
        byte[] signature = signer.SignData(Message, HashAlgorithmName.SHA256);
        foreach (byte[] bytes in (byte[][])[good, bad])
        {
            foreach (var answer in (Func<bool, bool?>[])[genuine => genuine, _ => null])
            {
                var imported = new List<bool>();
                var checker = new PlatformChecker(answer);
                bool accepted = await checker.RunAsync(() =>
                {
                    bool read = EcdsaPublicKey.TryImport(curve, bytes, Backend.Managed, out var key);
                    imported.Add(read);
                    return read && key!.Verify(Message, HashAlgorithmName.SHA256, signature, EcdsaSignatureFormat.P1363);
                });
                Assert.Equal(bytes == good, accepted);
                Assert.Equal([true, bytes == good], imported);
                Assert.Single(checker.Asked);
            }
        }

        // Where the hash alone is at hand, nobody is asked: then the first run looks for itself.
        await new PlatformChecker().RunAsync(() => EcdsaPublicKey.TryImport(curve, bad, Backend.Managed, out var key) && key.VerifyHash(SHA256.HashData(Message), signature, EcdsaSignatureFormat.P1363) ? throw new InvalidOperationException() : 0);

        // One that is only met the second time was not asked about.
        int runs = 0;
        Assert.False(await new PlatformChecker(_ => true).RunAsync(() => EcdsaPublicKey.TryImport(curve, ++runs == 1 ? good : bad, Backend.Managed, out _)));
    }

    [Fact]
    public async Task Nor_does_it_hold_for_another_key_hash_or_scheme()
    {
        using RSA second = RSA.Create(2048);
        byte[] signature = Rsa.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        foreach (int other in Enumerable.Range(0, 4))
        {
            int runs = 0;
            bool accepted = await new PlatformChecker(_ => true).RunAsync(() =>
            {
                var numbers = (runs++ == 1 && other == 0 ? second : Rsa).ExportParameters(false);
                byte[] exponent = runs == 2 && other == 1 ? [3] : numbers.Exponent!;
                Assert.True(RsaPublicKey.TryImport(numbers.Modulus, exponent, out var key));
                var hash = runs == 2 && other == 2 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
                return runs == 2 && other == 3 ? key.VerifyPkcs1(Message, hash, signature) : key.VerifyPss(Message, hash, signature);
            });
            Assert.False(accepted);
            Assert.Equal(2, runs);
        }
    }

    [Fact]
    public async Task Nothing_of_it_outlives_the_run()
    {
        var (signature, verify) = Signed(SignatureScheme.EcdsaP384);
        await Assert.ThrowsAsync<InvalidOperationException>(() => new PlatformChecker().RunAsync(bool () => throw new InvalidOperationException()));
        Assert.False(verify([.. Message, 0], signature));
        Assert.True(await new PlatformChecker(_ => true).RunAsync(() => verify([.. Message, 0], signature)));
        Assert.False(verify([.. Message, 0], signature));

        int runs = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => new PlatformChecker(_ => true).RunAsync(() => ++runs == 1 ? verify([.. Message, 0], signature) : throw new InvalidOperationException()));
        Assert.False(verify([.. Message, 0], signature));
    }

    [Fact]
    public async Task What_is_asked_twice_is_answered_once()
    {
        var (signature, verify) = Signed(SignatureScheme.RsaPss);
        var checker = new PlatformChecker();
        Assert.True(await checker.RunAsync(() => verify(Message, signature) && verify(Message, signature)));
        Assert.Single(checker.Asked);
    }
}
