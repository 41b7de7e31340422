using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using static Cloister.Transparency.ProtoJson;

namespace Cloister.Transparency;

/// <summary>A signature over an artifact that is elsewhere.</summary>
/// <param name="Digest">Which artifact the signer says it is; null where the bundle does not say.</param>
internal sealed record MessageSignature(byte[] Signature, HashAlgorithmName? Hash, byte[]? Digest)
{
    public static MessageSignature Read(JsonElement element)
    {
        RequireOnly(element, "messageDigest", "signature");
        byte[] signature = Bytes(element, "signature");
        if (Optional(element, "messageDigest") is not { } digest)
        {
            return new(signature, null, null);
        }
        RequireOnly(digest, "algorithm", "digest");
        return new(signature, HashNames.Read(Text(digest, "algorithm")) ?? throw new FormatException(), Bytes(digest, "digest"));
    }
}

/// <summary>A payload and who signed it (DSSE, version 1).</summary>
internal sealed record DsseEnvelope(string PayloadType, byte[] Payload, ImmutableArray<byte[]> Signatures)
{
    private const int MaxSignatures = 16;

    /// <summary>What is signed: type and payload, each behind its length, so that neither can pass for a part of the other.</summary>
    public byte[] PreAuthenticationEncoding =>
        [.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {Encoding.UTF8.GetByteCount(PayloadType)} {PayloadType} {Payload.Length} ")), .. Payload];

    public static DsseEnvelope Read(JsonElement element)
    {
        RequireOnly(element, "payload", "payloadType", "signatures");
        var signatures = List(element, "signatures", MaxSignatures).Select(signature =>
        {
            RequireOnly(signature, "sig", "keyid");
            _ = Optional(signature, "keyid") is { } id ? Text(id) : null;
            return Bytes(signature, "sig");
        });
        return new(Text(element, "payloadType"), Bytes(element, "payload"), [.. signatures]);
    }
}
