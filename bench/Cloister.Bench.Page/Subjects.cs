using System.Runtime.InteropServices.JavaScript;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Primitives;
using Cloister.Web.Proof;

namespace Cloister.Bench.Page;

/// <summary>What is measured in the page: each call is one appraisal, with the browser's signature checks as in the web app, or one signature check of ours with the import of its key.</summary>
internal static partial class Subjects
{
    private static readonly WebCryptoSignatures Browser = new();
    private static readonly Dictionary<string, Func<Task<bool>>> All = [];

    /// <summary>Takes the evidence that the server made.</summary>
    [JSExport]
    internal static void Load(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var now = DateTimeOffset.FromUnixTimeMilliseconds(root.GetProperty("now").GetInt64());
        byte[] Bytes(string name) => root.GetProperty(name).GetBytesFromBase64();

        foreach (var (name, bundle, demands) in ((string, string, string)[])[("snp", "bundle", "policy"), ("published", "publishedBundle", "publishedPolicy")])
        {
            byte[] bytes = Bytes(bundle);
            var policy = AppraisalPolicy.TryParse(Bytes(demands), out var read, out string? fault) ? read : throw new ArgumentException(fault);
            All[name] = () => Browser.RunAsync(() => Appraisal.Appraise(bytes, policy, now).IsAccepted);
        }

        byte[] quote = Bytes("quote");
        var intel = TdxPolicy.Strict with { Roots = [root.GetProperty("root").GetString()!] };
        var collateral = new TdxCollateral
        {
            TcbInfo = Bytes("tcbInfo"),
            QeIdentity = Bytes("qeIdentity"),
            TcbInfoIssuers = Bytes("issuers"),
            QeIdentityIssuers = Bytes("issuers"),
            PckRevocationList = Bytes("pckList"),
            RootRevocationList = Bytes("rootList"),
        };
        All["tdx"] = () => Browser.RunAsync(() => TdxVerification.Verify(quote, collateral, intel, now).IsAccepted);
        LoadChecks(Bytes("message"), Bytes);
    }

    /// <summary>Does it once. False where it is not accepted.</summary>
    [JSExport]
    internal static Task<bool> Run(string name) => All[name]();

    private static void LoadChecks(byte[] message, Func<string, byte[]> bytes)
    {
        byte[] modulus = bytes("rsaModulus"), exponent = bytes("rsaExponent"), rsa = bytes("rsaSignature");
        All["rsa"] = () => Task.FromResult(RsaPublicKey.TryImport(modulus, exponent, out var key) && key.VerifyPss(message, HashAlgorithmName.SHA384, rsa));

        byte[] p384Key = bytes("p384Point"), p384 = bytes("p384Signature");
        All["p384"] = () => Task.FromResult(EcdsaPublicKey.TryImport(EcdsaCurve.P384, p384Key, out var key) && key.Verify(message, HashAlgorithmName.SHA384, p384, EcdsaSignatureFormat.P1363));

        byte[] p256Key = bytes("p256Point"), p256 = bytes("p256Signature");
        All["p256"] = () => Task.FromResult(EcdsaPublicKey.TryImport(EcdsaCurve.P256, p256Key, out var key) && key.Verify(message, HashAlgorithmName.SHA256, p256, EcdsaSignatureFormat.P1363));

        byte[] ed25519Key = bytes("ed25519Key"), ed25519 = bytes("ed25519Signature");
        All["ed25519"] = () => Task.FromResult(new Ed25519PublicKey(ed25519Key).Verify(message, ed25519));
    }
}
