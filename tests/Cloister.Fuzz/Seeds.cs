using System.Buffers;
using System.Text;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Channel.Exchanges;
using Cloister.Channel.Noise;
using Cloister.Primitives;
using Cloister.Simulation;

namespace Cloister.Fuzz;

/// <summary>One or two well-formed inputs per target, to search from.</summary>
internal static class Seeds
{
    public static void Write(string folder)
    {
        var now = DateTimeOffset.UtcNow;
        using var authority = DevelopmentAuthority.Create(now);
        using var key = X25519PrivateKey.Import(new byte[32]);
        var bundle = SimulatedEnclave.Bundle(authority, key.PublicKey, now);

        Save("text", "00ff10"u8, "QUI="u8, "QUI_-w"u8);
        Save("snp-report", Convert.FromBase64String(bundle.Evidence.Report));
        Save("certificate", Convert.FromBase64String(bundle.Evidence.Certificates[0]), Convert.FromBase64String(bundle.Evidence.Certificates[2]));
        Save("revocation-list", Convert.FromBase64String(bundle.Evidence.RevocationList!));
        Save("statement", bundle.Statement.Span);
        Save("bundle", bundle.ToBytes());
        Save("policy", SimulatedEnclave.Policy(authority).ToBytes(), AppraisalPolicy.Base([]).ToBytes());
        Save("directory", Encoding.ASCII.GetBytes($$"""{"enclaves":[{"name":"one","bundle":"{{Convert.ToBase64String(bundle.ToBytes()[..90])}}"}]}"""));
        Save("binary-http", Request(false), Request(true), Response(false), Response(true));
        Save("binary-http-stream", Request(true), Response(true), Response(false));

        var request = new byte[SealedHandshake.RequestLength];
        using var client = SealedHandshake.Initiate(key.PublicKey, new byte[32]);
        client.WriteRequest(new ChannelRequest(1, 1, ShapingProfile.Padded), request);
        Save("handshake", request);
        Save("record", [1, 0, 2, 65, 66, 0, 0], [2, 0, 0, 0], [3, 0, 0]);
        Save("tokenizer",
            """{"added_tokens":[{"id":3,"content":"<s>"}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},"model":{"type":"BPE","vocab":{"H":0,"e":1,"He":2},"merges":["H e"]}}"""u8,
            """{"normalizer":{"type":"Prepend","prepend":"▁"},"model":{"type":"BPE","byte_fallback":true,"unk_token":"<unk>","vocab":{"<unk>":0,"<0x41>":1,"▁":2},"merges":[["a","b"]]}}"""u8);

        void Save(string target, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default, ReadOnlySpan<byte> third = default, ReadOnlySpan<byte> fourth = default)
        {
            string corpus = Directory.CreateDirectory(Path.Combine(folder, target)).FullName;
            File.WriteAllBytes(Path.Combine(corpus, "1"), first);
            WriteMore(Path.Combine(corpus, "2"), second);
            WriteMore(Path.Combine(corpus, "3"), third);
            WriteMore(Path.Combine(corpus, "4"), fourth);
        }
    }

    private static void WriteMore(string file, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            File.WriteAllBytes(file, bytes);
        }
    }

    private static byte[] Request(bool indeterminate) => Message(new BinaryHttpMessage(new RequestHead("POST", "http", "enclave", "/v1/x?y", [new("content-type", "text/plain")]), null, "hello"u8.ToArray(), [new("a", "b")]), indeterminate);

    private static byte[] Response(bool indeterminate) => Message(new BinaryHttpMessage(null, new ResponseHead(200, [new("content-type", "text/plain")]), "hello"u8.ToArray(), []), indeterminate);

    private static byte[] Message(BinaryHttpMessage message, bool indeterminate)
    {
        var buffer = new ArrayBufferWriter<byte>();
        BinaryHttpCodec.WriteMessage(buffer, message, indeterminate);
        return buffer.WrittenSpan.ToArray();
    }
}
