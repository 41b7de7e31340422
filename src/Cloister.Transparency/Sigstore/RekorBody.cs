using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloister.Wire;
using static Cloister.Transparency.ProtoJson;

namespace Cloister.Transparency;

/// <summary>What the log recorded must be what the bundle says: the same content, the same signature, the same signer.</summary>
/// <remarks>
/// Without this a genuine entry of somebody else's signature would stand for this one. The hash of the whole envelope that Rekor 1 records is not compared:
/// it is of the JSON that was sent to the log, which the bundle does not keep; payload, signature and signer are compared each by itself.
/// </remarks>
internal static class RekorBody
{
    /// <summary>Whether the entry is one of the kinds that are known and is of this signature.</summary>
    /// <param name="signer">The certificate in DER, or the SubjectPublicKeyInfo.</param>
    public static bool IsOf(RekorEntry entry, SigstoreBundle bundle, SigstoreArtifact artifact, byte[] signature, byte[] signer)
    {
        try
        {
            using var document = JsonDocument.Parse(entry.Body, Strict);
            var body = document.RootElement;
            if (Text(body, "kind") != entry.Kind || Text(body, "apiVersion") != entry.Version)
            {
                return false;
            }
            var content = new Recorded(bundle, artifact, signature, signer);
            var spec = Member(body, "spec");
            return (entry.Kind, entry.Version) switch
            {
                ("hashedrekord", "0.0.1") => content.IsHashedRekord1(spec),
                ("hashedrekord", "0.0.2") => content.IsHashedRekord2(Member(spec, "hashedRekordV002")),
                ("dsse", "0.0.1") => content.IsDsse1(spec),
                ("dsse", "0.0.2") => content.IsDsse2(Member(spec, "dsseV002")),
                ("intoto", "0.0.2") => content.IsInToto2(Member(spec, "content")),
                _ => false,
            };
        }
        catch (Exception e) when (IsFault(e))
        {
            return false;
        }
    }

    private sealed class Recorded(SigstoreBundle bundle, SigstoreArtifact artifact, byte[] signature, byte[] signer)
    {
        public bool IsHashedRekord1(JsonElement spec)
        {
            var (hash, signed) = (Member(Member(spec, "data"), "hash"), Member(spec, "signature"));
            return IsContent(Text(hash, "algorithm"), FromHex(Text(hash, "value")))
                && IsSignature(Bytes(signed, "content")) && IsSignerPem(Bytes(Member(signed, "publicKey"), "content"));
        }

        public bool IsHashedRekord2(JsonElement spec)
        {
            var (data, signed) = (Member(spec, "data"), Member(spec, "signature"));
            return IsContent(Text(data, "algorithm"), Bytes(data, "digest")) && IsSignature(Bytes(signed, "content")) && IsVerifier(Member(signed, "verifier"));
        }

        public bool IsDsse1(JsonElement spec)
        {
            var hash = Member(spec, "payloadHash");
            return IsPayload(Text(hash, "algorithm"), FromHex(Text(hash, "value")))
                && Only(spec, "signatures") is { } signed && IsSignature(Bytes(signed, "signature")) && IsSignerPem(Bytes(signed, "verifier"));
        }

        public bool IsDsse2(JsonElement spec)
        {
            var hash = Member(spec, "payloadHash");
            return IsPayload(Text(hash, "algorithm"), Bytes(hash, "digest"))
                && Only(spec, "signatures") is { } signed && IsSignature(Bytes(signed, "content")) && IsVerifier(Member(signed, "verifier"));
        }

        // Here the log encoded once more what was base64 already.
        public bool IsInToto2(JsonElement content)
        {
            var (hash, envelope) = (Member(content, "payloadHash"), Member(content, "envelope"));
            return IsPayload(Text(hash, "algorithm"), FromHex(Text(hash, "value"))) && Text(envelope, "payloadType") == bundle.Envelope?.PayloadType
                && Only(envelope, "signatures") is { } signed && IsSignature(FromBase64(Bytes(signed, "sig"))) && IsSignerPem(Bytes(signed, "publicKey"));
        }

        // A signature over an artifact is recorded with the artifact's hash, one over an envelope with the hash of what the envelope's signature covers.
        private bool IsContent(string algorithm, byte[] digest) => HashNames.Read(algorithm) is { } hash
            && (bundle.Envelope is { } envelope ? CryptographicOperations.HashData(hash, envelope.PreAuthenticationEncoding) : artifact.Hash(hash)) is { } content
            && content.AsSpan().SequenceEqual(digest);

        private bool IsPayload(string algorithm, byte[] digest) => bundle.Envelope is { } envelope && HashNames.Read(algorithm) is { } hash
            && CryptographicOperations.HashData(hash, envelope.Payload).AsSpan().SequenceEqual(digest);

        private bool IsSignature(byte[] recorded) => recorded.AsSpan().SequenceEqual(signature);

        private bool IsSignerPem(byte[] pem) =>
            SigstoreKey.TryReadPem(pem, bundle.Certificate is null ? "PUBLIC KEY" : "CERTIFICATE", out var der) && der.AsSpan().SequenceEqual(signer);

        private bool IsVerifier(JsonElement verifier) =>
            Bytes(Member(verifier, bundle.Certificate is null ? "publicKey" : "x509Certificate"), "rawBytes").AsSpan().SequenceEqual(signer);
    }

    private static JsonElement? Only(JsonElement element, string name) => List(element, name, 1) is [var only] ? only : null;

    private static byte[] FromHex(string text) => Hex.TryDecode(text, out var bytes) ? bytes : throw new FormatException();

    private static byte[] FromBase64(byte[] text) => Base64.TryDecode(Encoding.Latin1.GetString(text), out var bytes) ? bytes : throw new FormatException();
}
