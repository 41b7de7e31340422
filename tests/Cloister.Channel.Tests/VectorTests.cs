using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cloister.Channel.Noise;
using Cloister.Channel.Records;
using Cloister.Channel.Tests.Noise;
using Cloister.Testing;

namespace Cloister.Channel.Tests;

/// <summary>Holds docs/spec/vectors/channel.json to the code: section 10 of the specification.</summary>
public class VectorTests
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // The file is what other implementations are tested against. If this fails, the protocol has changed: that needs a new
    // version in sections 2 and 3 and a new file beside this one, not another content for it.
    [Fact]
    public void The_published_session_is_what_the_code_makes()
    {
        string made = JsonSerializer.Serialize(MakeSession(), Format) + "\n";
        string path = Path.Combine(Repository.Root, "docs", "spec", "vectors", "channel.json");
        string beside = Path.Combine(AppContext.BaseDirectory, "channel.json");
        File.WriteAllText(beside, made);
        Assert.True(File.Exists(path), $"{path} is missing; what the code makes is in {beside}.");
        Assert.Equal(File.ReadAllText(path), made);
    }

    private static object MakeSession()
    {
        var session = new FixedSession();
        using var client = FixedSession.ClientThatAsked();
        using var enclave = FixedSession.Enclave();
        Assert.Equal(ChannelFault.None, enclave.ReadRequest(session.FirstMessage, out _));
        Assert.Equal(ChannelFault.None, enclave.WriteAgreement(FixedSession.Agreement, new byte[SealedHandshake.AgreementLength]));
        Assert.Equal(ChannelFault.None, client.ReadAgreement(session.SecondMessage, out _));

        var (clientSealer, clientOpener) = client.Split();
        var (enclaveSealer, enclaveOpener) = enclave.Split();
        return new
        {
            protocol = SealedHandshake.ProtocolName,
            static_private = Hex(FixedSession.StaticPrivate),
            client_ephemeral_private = Hex(FixedSession.ClientEphemeral),
            client_kem_seed = Hex(FixedSession.KemSeed),
            enclave_ephemeral_private = Hex(FixedSession.EnclaveEphemeral),
            encapsulation_seed = Hex(FixedSession.EncapsulationSeed),
            statement_hash = Hex(FixedSession.StatementHash),
            request = Payload(FixedSession.Request.Write),
            agreement = Payload(FixedSession.Agreement.Write),
            first_message = Hex(session.FirstMessage),
            second_message = Hex(session.SecondMessage),
            handshake_hash = Hex(session.HandshakeHash),
            records = new[]
            {
                Exchange("client", clientSealer, enclaveOpener, RecordKind.Data, "hello", 256),
                Exchange("enclave", enclaveSealer, clientOpener, RecordKind.Data, "hello to you", 256),
                Exchange("enclave", enclaveSealer, clientOpener, RecordKind.Data, "", 1024),
                Exchange("client", clientSealer, enclaveOpener, RecordKind.DataThenRekey, "the last under this key", 256),
                Exchange("client", clientSealer, enclaveOpener, RecordKind.Data, "the first under the next", 256),
                Exchange("enclave", enclaveSealer, clientOpener, RecordKind.Close, "", 256),
                Exchange("client", clientSealer, enclaveOpener, RecordKind.Close, "", 256),
            },
        };
    }

    private static object Exchange(string from, RecordSealer sealer, RecordOpener opener, RecordKind kind, string text, int size)
    {
        byte[] data = Encoding.ASCII.GetBytes(text);
        byte[] record = new byte[size];
        sealer.Seal(kind, data, record);
        string sent = Hex(record);

        Assert.Equal(ChannelFault.None, opener.OpenInPlace(record, out var opened, out int length));
        Assert.Equal((kind, data.Length), (opened, length));
        return new { from, kind = (int)kind, data = Hex(data), record = sent };
    }

    private delegate void PayloadWriter(Span<byte> payload);

    private static string Payload(PayloadWriter write)
    {
        byte[] payload = new byte[16];
        write(payload);
        return Hex(payload);
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
