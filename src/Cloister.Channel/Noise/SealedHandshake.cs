using Cloister.Channel.Records;
using Cloister.Primitives;

namespace Cloister.Channel.Noise;

/// <summary>The one handshake that the product speaks, with its prologue and its payloads. Docs/spec/channel.md, sections 1 to 3.</summary>
/// <remarks>The enclave calls <see cref="ReadRequest"/> and <see cref="WriteAgreement"/>, the client the other two. Any fault wipes the keys.</remarks>
internal sealed class SealedHandshake : IDisposable
{
    public const string ProtocolName = "Noise_NKhfs_25519+MLKEM768_ChaChaPoly_SHA256";

    /// <summary>The only version there is.</summary>
    public const byte Version = 1;

    public const int StatementHashLength = 32;

    /// <summary>e, then e1 and the payload with a tag each.</summary>
    public const int RequestLength = X25519PublicKey.Size + MlKem768PublicKey.Size + AeadKey.TagSize + ChannelRequest.Length + AeadKey.TagSize;

    /// <summary>e, then ekem1 and the payload with a tag each.</summary>
    public const int AgreementLength = X25519PublicKey.Size + MlKem768PrivateKey.CiphertextSize + AeadKey.TagSize + ChannelAgreement.Length + AeadKey.TagSize;

    private static readonly NoiseProtocol Protocol = NoiseProtocol.Parse(ProtocolName);

    private readonly Handshake _handshake;

    private SealedHandshake(Role role, HandshakeKeys keys, ReadOnlySpan<byte> statementHash)
    {
        if (statementHash.Length != StatementHashLength)
        {
            throw new ArgumentException($"Must be {StatementHashLength} bytes.", nameof(statementHash));
        }

        Span<byte> prologue = stackalloc byte[20 + StatementHashLength];
        "cloister channel v1\0"u8.CopyTo(prologue);
        statementHash.CopyTo(prologue[20..]);
        _handshake = new Handshake(Protocol, role, prologue, keys);
    }

    /// <summary>The client's side, to the enclave that holds the private half of <paramref name="channelKey"/>.</summary>
    public static SealedHandshake Initiate(X25519PublicKey channelKey, ReadOnlySpan<byte> statementHash) =>
        Initiate(new HandshakeKeys { RemoteStatic = channelKey }, statementHash);

    /// <summary>The enclave's side. The key stays the caller's.</summary>
    public static SealedHandshake Respond(X25519PrivateKey channelKey, ReadOnlySpan<byte> statementHash) =>
        Respond(new HandshakeKeys { Static = channelKey }, statementHash);

    internal static SealedHandshake Initiate(HandshakeKeys keys, ReadOnlySpan<byte> statementHash) => new(Role.Initiator, keys, statementHash);

    internal static SealedHandshake Respond(HandshakeKeys keys, ReadOnlySpan<byte> statementHash) => new(Role.Responder, keys, statementHash);

    /// <summary>The session's name: the same on both sides, and no other session has it. 32 bytes.</summary>
    public ReadOnlySpan<byte> Hash => _handshake.Hash;

    /// <param name="message"><see cref="RequestLength"/> bytes.</param>
    public ChannelFault WriteRequest(ChannelRequest request, Span<byte> message)
    {
        Span<byte> payload = stackalloc byte[ChannelRequest.Length];
        request.Write(payload);
        return _handshake.Write(payload, message, out _);
    }

    public ChannelFault ReadRequest(ReadOnlySpan<byte> message, out ChannelRequest request)
    {
        request = default;
        Span<byte> payload = stackalloc byte[ChannelRequest.Length];
        return message.Length != RequestLength ? Refuse(ChannelFault.BadLength)
             : _handshake.Read(message, payload, out _) is var fault and not ChannelFault.None ? fault
             : !ChannelRequest.TryParse(payload, out request, out _) ? Refuse(ChannelFault.BadPayload)
             : ChannelFault.None;
    }

    /// <param name="message"><see cref="AgreementLength"/> bytes.</param>
    public ChannelFault WriteAgreement(ChannelAgreement agreement, Span<byte> message)
    {
        Span<byte> payload = stackalloc byte[ChannelAgreement.Length];
        agreement.Write(payload);
        return _handshake.Write(payload, message, out _);
    }

    public ChannelFault ReadAgreement(ReadOnlySpan<byte> message, out ChannelAgreement agreement)
    {
        agreement = default;
        Span<byte> payload = stackalloc byte[ChannelAgreement.Length];
        return message.Length != AgreementLength ? Refuse(ChannelFault.BadLength)
             : _handshake.Read(message, payload, out _) is var fault and not ChannelFault.None ? fault
             : !ChannelAgreement.TryParse(payload, out agreement, out _) ? Refuse(ChannelFault.BadPayload)
             : ChannelFault.None;
    }

    /// <summary>Ends the handshake, as its caller sees a fault in what was asked for.</summary>
    public ChannelFault Refuse(ChannelFault fault)
    {
        _handshake.Dispose();
        return fault;
    }

    /// <summary>After both messages: the keys of what we send and of what we receive. The handshake is over.</summary>
    public (RecordSealer Sealer, RecordOpener Opener) Split()
    {
        var (sending, receiving) = _handshake.Split();
        return (new RecordSealer(sending), new RecordOpener(receiving));
    }

    public void Dispose() => _handshake.Dispose();
}
