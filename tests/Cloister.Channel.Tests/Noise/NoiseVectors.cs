using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Channel.Noise;
using Cloister.Primitives;
using Cloister.Testing;

namespace Cloister.Channel.Tests.Noise;

/// <summary>The published vectors of two other implementations, in their common JSON form.</summary>
internal sealed record NoiseVectorFile(IReadOnlyList<NoiseVector> Vectors)
{
    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static IReadOnlyList<NoiseVector> Read(string file) =>
        JsonSerializer.Deserialize<NoiseVectorFile>(Repository.Vector($"noise/{file}"), Format)!.Vectors;
}

internal sealed record NoiseVector
{
    public required string ProtocolName { get; init; }
    public required string InitPrologue { get; init; }
    public required string RespPrologue { get; init; }
    public required string InitEphemeral { get; init; }
    public string? RespEphemeral { get; init; }
    public string? InitStatic { get; init; }
    public string? RespStatic { get; init; }
    public string? InitRemoteStatic { get; init; }
    public string? RespRemoteStatic { get; init; }
    public IReadOnlyList<string> InitPsks { get; init; } = [];
    public IReadOnlyList<string> RespPsks { get; init; } = [];
    public string? HandshakeHash { get; init; }
    public required IReadOnlyList<NoiseMessage> Messages { get; init; }

    [JsonIgnore]
    public NoiseProtocol Protocol => NoiseProtocol.Parse(ProtocolName);

    public Handshake Initiator() =>
        new(Protocol, Role.Initiator, Bytes(InitPrologue), Keys(InitStatic, InitEphemeral, InitRemoteStatic, InitPsks));

    public Handshake Responder() =>
        new(Protocol, Role.Responder, Bytes(RespPrologue), Keys(RespStatic, RespEphemeral, RespRemoteStatic, RespPsks));

    private static HandshakeKeys Keys(string? @static, string? ephemeral, string? remoteStatic, IReadOnlyList<string> psks) => new()
    {
        Static = @static is null ? null : X25519PrivateKey.Import(Bytes(@static)),
        Ephemeral = ephemeral is null ? null : X25519PrivateKey.Import(Bytes(ephemeral)),
        RemoteStatic = remoteStatic is null ? null : new X25519PublicKey(Bytes(remoteStatic)),
        Psks = [.. psks.Select(Bytes)],
    };

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);
}

internal sealed record NoiseMessage(string Payload, string Ciphertext);
