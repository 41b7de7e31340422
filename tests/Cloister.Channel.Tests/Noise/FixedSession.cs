using System.Security.Cryptography;
using System.Text;
using Cloister.Channel.Noise;
using Cloister.Primitives;

namespace Cloister.Channel.Tests.Noise;

/// <summary>One session in which nothing is random, so that its messages are always the same.</summary>
internal sealed class FixedSession
{
    public static readonly byte[] StatementHash = Fixed("statement", 32);
    public static readonly byte[] StaticPrivate = Fixed("static", 32);
    public static readonly byte[] ClientEphemeral = Fixed("client ephemeral", 32);
    public static readonly byte[] EnclaveEphemeral = Fixed("enclave ephemeral", 32);
    public static readonly byte[] KemSeed = Fixed("kem seed", 64);
    public static readonly byte[] EncapsulationSeed = Fixed("encapsulation", 32);

    public static readonly ChannelRequest Request = new(1, 1, ShapingProfile.Padded);
    public static readonly ChannelAgreement Agreement = new(1, ShapingProfile.Padded);

    public FixedSession()
    {
        using var client = Client();
        using var enclave = Enclave();
        (FirstMessage, SecondMessage) = (new byte[SealedHandshake.RequestLength], new byte[SealedHandshake.AgreementLength]);
        client.WriteRequest(Request, FirstMessage);
        enclave.ReadRequest(FirstMessage, out _);
        enclave.WriteAgreement(Agreement, SecondMessage);
        HandshakeHash = enclave.Hash.ToArray();
    }

    public byte[] FirstMessage { get; }

    public byte[] SecondMessage { get; }

    public byte[] HandshakeHash { get; }

    public static byte[] KemKey => MlKem768PrivateKey.ImportSeed(KemSeed).PublicKey.Bytes.ToArray();

    public static X25519PrivateKey StaticKey() => X25519PrivateKey.Import(StaticPrivate);

    public static SealedHandshake Client() => SealedHandshake.Initiate(new HandshakeKeys
    {
        RemoteStatic = StaticKey().PublicKey,
        Ephemeral = X25519PrivateKey.Import(ClientEphemeral),
        KemEphemeral = MlKem768PrivateKey.ImportSeed(KemSeed),
    }, StatementHash);

    public static SealedHandshake Enclave() => SealedHandshake.Respond(new HandshakeKeys
    {
        Static = StaticKey(),
        Ephemeral = X25519PrivateKey.Import(EnclaveEphemeral),
        Encapsulate = static (key, ciphertext, secret) => key.Encapsulate(EncapsulationSeed, ciphertext, secret),
    }, StatementHash);

    public static SealedHandshake ClientThatAsked()
    {
        var client = Client();
        Assert.Equal(ChannelFault.None, client.WriteRequest(Request, new byte[SealedHandshake.RequestLength]));
        return client;
    }

    /// <summary>The first message of a client that sends another encapsulation key, with everything else in order.</summary>
    public static byte[] FirstMessageWith(ReadOnlySpan<byte> kemKey)
    {
        using var ephemeral = X25519PrivateKey.Import(ClientEphemeral);
        using var symmetric = new SymmetricState(NoiseProtocol.Parse(SealedHandshake.ProtocolName));
        byte[] message = new byte[SealedHandshake.RequestLength];
        byte[] payload = new byte[ChannelRequest.Length];
        byte[] secret = new byte[32];
        Request.Write(payload);

        symmetric.MixHash([.. "cloister channel v1\0"u8, .. StatementHash]);
        symmetric.MixHash(StaticKey().PublicKey.Bytes);
        ephemeral.PublicKey.Bytes.CopyTo(message);
        symmetric.MixHash(message.AsSpan(0, 32));
        ephemeral.TryAgree(StaticKey().PublicKey.Bytes, secret);
        symmetric.MixKey(secret);
        symmetric.EncryptAndHash(kemKey, message.AsSpan(32, 1200));
        symmetric.EncryptAndHash(payload, message.AsSpan(1232));
        return message;
    }

    private static byte[] Fixed(string label, int length) => SHA512.HashData(Encoding.ASCII.GetBytes($"cloister test {label}"))[..length];
}
