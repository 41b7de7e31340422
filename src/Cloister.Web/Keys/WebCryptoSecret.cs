using System.Runtime.InteropServices.JavaScript;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Unlockers;

namespace Cloister.Web.Keys;

/// <summary>
/// An unlocker's secret as a handle of WebCrypto that cannot be exported: the browser keeps it in IndexedDB for a device. What is derived from it as bytes signs in, or
/// opens a wrap that was made to its public key; the key that wraps by secret is a handle too.
/// </summary>
internal sealed class WebCryptoSecret(UnlockerKind kind, JSObject handle) : UnlockerSecret(kind)
{
    public JSObject Handle => handle;

    public override async ValueTask<Ed25519PublicKey> SignInKeyAsync(AccountNumber account)
    {
        using var key = await SignInKeyAsync();
        return key.PublicKey;
    }

    public override async ValueTask<byte[]> SignAsync(AccountNumber account, ReadOnlyMemory<byte> message)
    {
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        using var key = await SignInKeyAsync();
        key.Sign(message.Span, signature);
        return signature;
    }

    public override async ValueTask<byte[]> PublicKeyAsync(AccountNumber account)
    {
        var (x25519, mlKem) = await PrivateKeysAsync();
        using (x25519)
        using (mlKem)
        {
            return [.. x25519.PublicKey.Bytes, .. mlKem.PublicKey.Bytes];
        }
    }

    /// <summary>What opens a wrap to its public key: the caller's to dispose.</summary>
    public async Task<(X25519PrivateKey X25519, MlKem768PrivateKey MlKem)> PrivateKeysAsync()
    {
        byte[] scalar = await DeriveAsync("cloister unlocker v1 x25519", X25519PrivateKey.Size);
        byte[] seed = await DeriveAsync("cloister unlocker v1 ml-kem-768", MlKem768PrivateKey.SeedSize);
        var keys = (X25519PrivateKey.Import(scalar), MlKem768PrivateKey.ImportSeed(seed));
        CryptographicOperations.ZeroMemory(scalar);
        CryptographicOperations.ZeroMemory(seed);
        return keys;
    }

    protected override void Dispose(bool disposing)
    {
        handle.Dispose();
        base.Dispose(disposing);
    }

    private async Task<Ed25519PrivateKey> SignInKeyAsync()
    {
        byte[] seed = await DeriveAsync("cloister unlocker v1 sign-in", Ed25519PrivateKey.SeedSize);
        var key = Ed25519PrivateKey.ImportSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return key;
    }

    private Task<byte[]> DeriveAsync(string info, int length) => VaultModule.BytesAsync(VaultModule.DeriveAsync(handle, [], info, length));
}
