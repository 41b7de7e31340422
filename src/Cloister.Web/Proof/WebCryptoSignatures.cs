using System.Runtime.InteropServices.JavaScript;
using Cloister.Primitives;

namespace Cloister.Web.Proof;

/// <summary>The browser's own RSA and ECDSA: compiled, and in other threads than the page's. Which odd Ed25519 signatures count, each browser decides for itself: it is not asked.</summary>
internal sealed partial class WebCryptoSignatures : SignatureChecker
{
    private const string Module = "signatures";

    // Begun before anything is asked: it comes over the network.
    private readonly Task _import = JSHost.ImportAsync(Module, "../signatures.js");

    protected override async Task<bool?> CheckAsync(SignatureQuestion question)
    {
        if (question.Scheme is SignatureScheme.Ed25519)
        {
            return null;
        }
        try
        {
            await _import;
            return await VerifyAsync(question.Scheme.ToString(), question.Hash.Name!, question.Key.ToArray(), question.Exponent.ToArray(), question.Message.ToArray(), question.Signature.ToArray());
        }
        catch (JSException)
        {
            return null;
        }
    }

    [JSImport("verify", Module)]
    private static partial Task<bool> VerifyAsync(string scheme, string hash, byte[] key, byte[] exponent, byte[] message, byte[] signature);
}
