using Cloister.Channel.Noise;

namespace Cloister.Channel.Tests.Noise;

public class NoiseVectorTests(ITestOutputHelper output)
{
    private static readonly string[] Suites = ["_25519_ChaChaPoly_SHA256", "_25519_AESGCM_SHA256"];

    [Theory]
    [InlineData("cacophony.json", 118)]
    [InlineData("snow.json", 102)]
    public void Every_published_vector_of_our_suites_passes(string file, int count)
    {
        var vectors = NoiseVectorFile.Read(file);
        var ours = vectors.Where(vector => Suites.Any(suite => vector.ProtocolName.EndsWith(suite, StringComparison.Ordinal))).ToList();

        foreach (var vector in ours)
        {
            Run(vector);
        }

        output.WriteLine($"{file}: {ours.Count} of {vectors.Count} vectors are of {string.Join(" or ", Suites)} and ran, {ours.DistinctBy(vector => vector.ProtocolName).Count()} protocols.");
        Assert.Equal(count, ours.Count);
    }

    private static void Run(NoiseVector vector)
    {
        using var initiator = vector.Initiator();
        using var responder = vector.Responder();
        bool oneWay = vector.Protocol.Pattern.Messages.Count == 1;

        int next = 0;
        for (; !initiator.IsComplete; next++)
        {
            var (sender, receiver) = next % 2 == 0 ? (initiator, responder) : (responder, initiator);
            Exchange(vector, next, sender, receiver);
        }
        Assert.True(responder.IsComplete);
        Assert.Equal(initiator.Hash.ToArray(), responder.Hash.ToArray());
        if (vector.HandshakeHash is { } hash)
        {
            Assert.Equal(hash, Convert.ToHexStringLower(initiator.Hash));
        }

        var (initiatorSends, initiatorReceives) = initiator.Split();
        var (responderSends, responderReceives) = responder.Split();
        for (; next < vector.Messages.Count; next++)
        {
            bool first = oneWay || next % 2 == 0;
            Transport(vector, next, first ? initiatorSends : responderSends, first ? responderReceives : initiatorReceives);
        }
    }

    private static void Exchange(NoiseVector vector, int index, Handshake sender, Handshake receiver)
    {
        byte[] payload = Convert.FromHexString(vector.Messages[index].Payload);
        byte[] message = new byte[payload.Length + sender.Overhead];
        byte[] received = new byte[payload.Length];

        Assert.Equal(ChannelFault.None, sender.Write(payload, message, out int length));
        Assert.Equal(message.Length, length);
        Assert.Equal((vector.ProtocolName, index, vector.Messages[index].Ciphertext), (vector.ProtocolName, index, Convert.ToHexStringLower(message)));
        Assert.Equal(ChannelFault.None, receiver.Read(message, received, out length));
        Assert.Equal(payload, received[..length]);
    }

    private static void Transport(NoiseVector vector, int index, CipherState sending, CipherState receiving)
    {
        byte[] payload = Convert.FromHexString(vector.Messages[index].Payload);
        byte[] message = new byte[payload.Length + 16];
        byte[] received = new byte[payload.Length];

        sending.Encrypt([], payload, message);
        Assert.Equal((vector.ProtocolName, index, vector.Messages[index].Ciphertext), (vector.ProtocolName, index, Convert.ToHexStringLower(message)));
        Assert.True(receiving.TryDecrypt([], message, received));
        Assert.Equal(payload, received);
    }
}
