using System.Buffers;
using System.Buffers.Binary;
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
        _ = SnpEvidence.TryParse(bundle.Evidence[0].Content.Span, out var evidence);
        Save("snp-report", Convert.FromBase64String(evidence!.Report));
        Save("certificate", Convert.FromBase64String(evidence.Certificates[0]), Convert.FromBase64String(evidence.Certificates[2]));
        Save("revocation-list", Convert.FromBase64String(evidence.RevocationList!));
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
        Save("multiplexing", [.. Frames((FrameCode.Offer, 0), (FrameCode.Content, 5), (FrameCode.ContentWritingCompleted, 0), (FrameCode.ContentProcessed, 0), (FrameCode.ChannelTerminated, 0))],
            [.. Frames((FrameCode.OfferAccepted, 0), (FrameCode.Content, 5), (FrameCode.ContentProcessed, 0), (FrameCode.ContentWritingCompleted, 0), (FrameCode.ChannelTerminated, 0))]);
        Save("certificate-table", Table(evidence));
        Save("record", [1, 0, 2, 65, 66, 0, 0], [2, 0, 0, 0], [3, 0, 0]);
        Save("tokenizer",
            """{"added_tokens":[{"id":3,"content":"<s>"}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},"model":{"type":"BPE","vocab":{"H":0,"e":1,"He":2},"merges":["H e"]}}"""u8,
            """{"normalizer":{"type":"Prepend","prepend":"▁"},"model":{"type":"BPE","byte_fallback":true,"unk_token":"<unk>","vocab":{"<unk>":0,"<0x41>":1,"▁":2},"merges":[["a","b"]]}}"""u8);
        TdxSeeds.Write(now, SaveAs);
        ReferenceSeeds.Write(SaveAs);
        NvidiaSeeds.Write(now, SaveAs);
        NitroSeeds.Write(now, SaveAs);
        TpmSeeds.Write(now, SaveAs);
        CollateralSeeds.Write(now, evidence, SaveAs);
        HistorySeeds.Write(SaveAs);
        VaultSeeds.Write(SaveAs);
        AccountSeeds.Write(SaveAs);
        LogSeeds.Write((target, seed) => Save(target, seed));
        SigstoreSeeds.Write(now, (target, first, second) => Save(target, first, second));

        void SaveAs(string target, int number, byte[] seed) => File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, target)).FullName, $"{number}"), seed);

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

    private static List<byte> Frames(params (FrameCode Code, int Length)[] frames)
    {
        var bytes = new List<byte>();
        var buffer = new byte[Frame.MaxControlLength];
        foreach (var (code, length) in frames)
        {
            // An offer and what follows it comes from who offered; an acceptance and what follows it from the other.
            bool offered = frames[0].Code is FrameCode.Offer;
            int written = code is FrameCode.Content ? Frame.WriteHeader(buffer, new(code, 1, offered, length)) : Frame.WriteControl(buffer, code, 1, offered, Exchanges.Window);
            bytes.AddRange(buffer.AsSpan(0, written));
            bytes.AddRange(new byte[length]);
        }
        return bytes;
    }

    // Offsets behind the entries and the empty one that ends them.
    private static byte[] Table(SnpEvidence evidence)
    {
        string[] names = ["63da758d-e664-4564-adc5-f4b93be8accd", "4ab7b379-bbac-4fe4-a02f-05aef327c782", "c0b406a4-a803-4952-9743-3fb6014cd0ae"];
        var table = new byte[24 * 4 + 3 * 8];
        for (int entry = 0; entry < names.Length; entry++)
        {
            new Guid(names[entry]).TryWriteBytes(table.AsSpan(24 * entry), bigEndian: true, out _);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(24 * entry + 16), 96 + 8 * entry);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(24 * entry + 20), 8);
            Convert.FromBase64String(evidence.Certificates[entry]).AsSpan(0, 8).CopyTo(table.AsSpan(96 + 8 * entry));
        }
        return table;
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
