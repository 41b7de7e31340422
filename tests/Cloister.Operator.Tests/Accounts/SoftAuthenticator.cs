using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>A WebAuthn authenticator and the browser around it: one ES256 credential, its bytes written by hand (WebAuthn level 3, sections 6.1 and 6.5).</summary>
internal sealed class SoftAuthenticator(string origin)
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public byte[] CredentialId { get; } = RandomNumberGenerator.GetBytes(32);

    public byte[] UserHandle { get; private set; } = [];

    public string Origin { get; set; } = origin;

    public string Domain { get; set; } = "localhost";

    /// <summary>User present 1, verified 4, backup eligible 8, backed up 16.</summary>
    public byte Flags { get; set; } = 0x05;

    public uint Counter { get; set; }

    public string? Challenge { get; set; }

    public bool CrossOrigin { get; set; }

    public JsonObject Create(JsonNode options)
    {
        UserHandle = Api.Bytes(options["user"]!["id"]);
        byte[] clientData = ClientData("webauthn.create", options);
        byte[] attested = [.. new byte[16], .. BigEndian((ushort)CredentialId.Length), .. CredentialId, .. PublicKey()];
        byte[] authenticatorData = [.. AuthenticatorData((byte)(Flags | 0x40)), .. attested];
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        byte[] attestation = [0xA3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xA0, 0x68, .. "authData"u8, 0x59, .. BigEndian((ushort)authenticatorData.Length), .. authenticatorData];
        return Credential(new JsonObject { ["clientDataJSON"] = Api.Text(clientData), ["attestationObject"] = Api.Text(attestation), ["transports"] = new JsonArray("internal") });
    }

    public JsonObject Get(JsonNode options)
    {
        byte[] clientData = ClientData("webauthn.get", options);
        byte[] authenticatorData = AuthenticatorData(Flags);
        byte[] signature = _key.SignData([.. authenticatorData, .. SHA256.HashData(clientData)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return Credential(new JsonObject { ["clientDataJSON"] = Api.Text(clientData), ["authenticatorData"] = Api.Text(authenticatorData), ["signature"] = Api.Text(signature), ["userHandle"] = Api.Text(UserHandle) });
    }

    private JsonObject Credential(JsonObject response) => new() { ["id"] = Api.Text(CredentialId), ["rawId"] = Api.Text(CredentialId), ["type"] = "public-key", ["authenticatorAttachment"] = "platform", ["response"] = response };

    private byte[] ClientData(string type, JsonNode options) =>
        Encoding.UTF8.GetBytes(new JsonObject { ["type"] = type, ["challenge"] = Challenge ?? (string)options["challenge"]!, ["origin"] = Origin, ["crossOrigin"] = CrossOrigin }.ToJsonString());

    private byte[] AuthenticatorData(byte flags) => [.. SHA256.HashData(Encoding.UTF8.GetBytes(Domain)), flags, .. BigEndian(Counter)];

    // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
    private byte[] PublicKey()
    {
        var point = _key.ExportParameters(false).Q;
        return [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, .. point.X!, 0x22, 0x58, 0x20, .. point.Y!];
    }

    private static byte[] BigEndian(ushort value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] BigEndian(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
