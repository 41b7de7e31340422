using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cloister.Primitives;

namespace Cloister.Testing;

/// <summary>The platform's own RSA and ECDSA, and libsodium's Ed25519, as a checker that has to be waited for; and what it was asked.</summary>
/// <param name="say">What it says instead of what it found; null: that.</param>
internal sealed class PlatformChecker(Func<bool, bool?>? say = null) : SignatureChecker
{
    public ConcurrentQueue<SignatureQuestion> Asked { get; } = new();

    protected override async Task<bool?> CheckAsync(SignatureQuestion question)
    {
        Asked.Enqueue(question);
        await Task.Yield();
        bool? genuine = question.Scheme switch
        {
            SignatureScheme.RsaPss or SignatureScheme.RsaPkcs1 => Rsa(question),
            SignatureScheme.Ed25519                            => new Ed25519PublicKey(question.Key.Span).Verify(question.Message.Span, question.Signature.Span),
            _                                                  => Ecdsa(question),
        };
        return say is null || genuine is not { } known ? genuine : say(known);
    }

    private static bool Rsa(SignatureQuestion question)
    {
        using var key = RSA.Create(new RSAParameters { Modulus = question.Key.ToArray(), Exponent = question.Exponent.ToArray() });
        return key.VerifyData(question.Message.Span, question.Signature.Span, question.Hash, question.Scheme is SignatureScheme.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    // Null where the point is not on the curve.
    private static bool? Ecdsa(SignatureQuestion question)
    {
        int size = question.Key.Length / 2;
        try
        {
            using var key = ECDsa.Create(new ECParameters
            {
                Curve = question.Scheme is SignatureScheme.EcdsaP256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384,
                Q = new ECPoint { X = question.Key[1..(1 + size)].ToArray(), Y = question.Key[(1 + size)..].ToArray() },
            });
            return key.VerifyData(question.Message.Span, question.Signature.Span, question.Hash);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
