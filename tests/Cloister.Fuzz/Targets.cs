using System.Collections.Frozen;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Channel.Exchanges;
using Cloister.Channel.Noise;
using Cloister.Channel.Records;
using Cloister.Client;
using Cloister.Enclave.Evidence;
using Cloister.Inference;
using Cloister.Inference.Generation;
using Cloister.Inference.Tokenization;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>Everything that reads bytes from outside. A target throws only where the code under it is wrong.</summary>
public static class Targets
{
    public delegate void Target(ReadOnlySpan<byte> input);

    // Made when first used: instrumented code may run only once the fuzzer has set its memory up.
    private static readonly Lazy<AppraisalPolicy> Policy = new(() => AppraisalPolicy.Base([]));
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Lazy<X25519PrivateKey> Key = new(() => X25519PrivateKey.Import(new byte[32]));

    public static FrozenDictionary<string, Target> All { get; } = new Dictionary<string, Target>
    {
        ["text"] = Text,
        ["snp-report"] = Report,
        ["certificate"] = Certificate,
        ["revocation-list"] = RevocationList,
        ["tdx-quote"] = TdxTargets.Quote,
        ["tcb-info"] = TdxTargets.Info,
        ["qe-identity"] = TdxTargets.Identity,
        ["signed-document"] = TdxTargets.Document,
        ["pck-extension"] = TdxTargets.Extensions,
        ["nvidia-report"] = NvidiaTargets.Report,
        ["nvidia-chain"] = NvidiaTargets.Chain,
        ["nvidia-evidence"] = NvidiaTargets.Json,
        ["manifest"] = NvidiaTargets.Manifest,
        ["corim"] = NvidiaTargets.Corim,
        ["xml"] = NvidiaTargets.Xml,
        ["ocsp"] = NvidiaTargets.Ocsp,
        ["nitro-document"] = NitroTargets.Document,
        ["cbor"] = NitroTargets.Cbor,
        ["tpm-quote"] = TpmTargets.Quote,
        ["tpm-key"] = TpmTargets.Key,
        ["event-log"] = TpmTargets.Log,
        ["hcl-report"] = TpmTargets.Hcl,
        ["statement"] = Statement,
        ["bundle"] = Bundle,
        ["policy"] = ReadPolicy,
        ["directory"] = Directory,
        ["binary-http"] = BinaryHttp,
        ["binary-http-stream"] = BinaryHttpStream,
        ["multiplexing"] = Multiplexing,
        ["certificate-table"] = CertificateTable,
        ["wanted-collateral"] = CollateralTargets.Wanted,
        ["collateral-set"] = CollateralTargets.Set,
        ["tpm-response"] = CollateralTargets.Tpm,
        ["handshake"] = HandshakeRequest,
        ["record"] = Record,
        ["tokenizer"] = ReadTokenizer,
        ["note"] = LogTargets.Note,
        ["checkpoint"] = LogTargets.ReadCheckpoint,
        ["cosignature"] = LogTargets.ReadCosignature,
        ["log-policy"] = LogTargets.Policy,
        ["tlog-proof"] = LogTargets.Proof,
        ["tile-path"] = LogTargets.Path,
        ["entry-bundle"] = LogTargets.Bundle,
        ["log-entry"] = LogTargets.Entry,
        ["witness-request"] = LogTargets.Request,
        ["sigstore-bundle"] = SigstoreTargets.Bundle,
        ["trusted-root"] = SigstoreTargets.TrustedRoot,
        ["rfc3161-timestamp"] = SigstoreTargets.Timestamp,
        ["sct-list"] = SigstoreTargets.CertificateTimestamps,
        ["sigstore-certificate"] = SigstoreTargets.Certificate,
        ["in-toto-statement"] = SigstoreTargets.Statement,
        ["ovmf-image"] = ReferenceTargets.Firmware,
        ["pe-image"] = ReferenceTargets.Image,
        ["partition-table"] = ReferenceTargets.Disk,
        ["account-listing"] = AccountTargets.Listing,
        ["account-session"] = AccountTargets.Session,
        ["head-feed"] = AccountTargets.Feed,
        ["pairing-link"] = AccountTargets.Link,
        ["signed-head"] = VaultTargets.SignedHead,
        ["change-batch"] = VaultTargets.Batch,
        ["change-page"] = VaultTargets.Page,
        ["epoch-record"] = VaultTargets.Epoch,
        ["sealed-item"] = VaultTargets.Item,
        ["unlocker-wrap"] = VaultTargets.UnlockerWrap,
        ["pairing-message"] = VaultTargets.Pairing,
        ["trustee-shares"] = VaultTargets.Shares,
        ["recovery-words"] = VaultTargets.Words,
        ["item-content"] = HistoryTargets.Content,
        ["history-order"] = HistoryTargets.Order,
        ["change-feed"] = HistoryTargets.Page,
        ["item-subtree"] = HistoryTargets.Tree,
        ["search-bucket"] = HistoryTargets.Bucket,
        ["search-index"] = HistoryTargets.Directory,
        ["search-text"] = HistoryTargets.Search,
        ["history-import"] = HistoryTargets.Import,
    }.ToFrozenDictionary();

    private static void Text(ReadOnlySpan<byte> input)
    {
        string text = Encoding.Latin1.GetString(input);
        Require(!Hex.TryDecode(text, out var hex) || Hex.Encode(hex) == text);
        Require(!Base64.TryDecode(text, out var standard) || Base64.Encode(standard) == text);
        Require(!Base64.TryDecodeUrl(text, out var url) || Base64.EncodeUrl(url) == text);
    }

    private static void Report(ReadOnlySpan<byte> input)
    {
        if (SnpReport.TryParse(input, out var report, out var error))
        {
            Span<byte> signature = stackalloc byte[96];
            report.TryGetSignature(signature);
            Require(input.Length == SnpReport.Size && report.Signed.Length == SnpReport.SignedSize);
        }
        else
        {
            Require(error.Fault is not WireFault.None && error.ToString().Length > 0);
        }
    }

    private static void Certificate(ReadOnlySpan<byte> input)
    {
        if (Attestation.Certificate.TryParse(input.ToArray(), out var certificate))
        {
            certificate.IsSignedBy(certificate);
        }
    }

    private static void RevocationList(ReadOnlySpan<byte> input) => _ = Attestation.RevocationList.TryParse(input.ToArray(), out _);

    private static void Statement(ReadOnlySpan<byte> input)
    {
        if (EnclaveStatement.TryParse(input, out var statement))
        {
            Require(EnclaveStatement.TryParse(statement.ToBytes(), out _));
        }
    }

    private static void Bundle(ReadOnlySpan<byte> input) => Require(!Appraisal.Appraise(input.ToArray(), Policy.Value, Now).IsAccepted);

    private static void ReadPolicy(ReadOnlySpan<byte> input)
    {
        if (AppraisalPolicy.TryParse(input, out var policy, out _))
        {
            Require(AppraisalPolicy.TryParse(policy.ToBytes(), out _, out _));
        }
    }

    private static void Directory(ReadOnlySpan<byte> input)
    {
        try
        {
            EnclaveDirectory.Parse(input);
        }
        catch (JsonException)
        {
            // How that room refuses.
        }
    }

    private static void BinaryHttp(ReadOnlySpan<byte> input)
    {
        bool read = BinaryHttpCodec.TryReadMessage(input, out var message, out var fault);
        Require(read == fault is BinaryHttpFault.None && read == message is not null);
    }

    private static void BinaryHttpStream(ReadOnlySpan<byte> input)
    {
        var reader = new BinaryHttpReader(PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(input.ToArray())));
        try
        {
            _ = input is [0 or 2, ..] ? (object)Now(reader.ReadRequestHeadAsync(default)) : Now(reader.ReadResponseHeadAsync(default));
            var buffer = new byte[64];
            while (Now(reader.ReadContentAsync(buffer, default)) > 0)
            {
            }
        }
        catch (BinaryHttpException)
        {
            // How that room refuses.
        }

        static T Now<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("It waits for more of a whole input.");
    }

    // As the enclave's side, and as a client's with an exchange begun. All is there at once, so nothing waits.
    private static void Multiplexing(ReadOnlySpan<byte> input)
    {
        var taken = new List<Exchange>();
        var enclave = Multiplexer.ForEnclave(new Peer(input.ToArray()), exchange => { taken.Add(exchange); return taken.Count % 3 != 0; });
        Require(enclave.Completion.IsCompleted && taken.All(exchange => exchange.Completion.IsCompleted || exchange.Input.TryRead(out _)));

        var peer = new Peer(input.ToArray(), begins: false);
        var client = Multiplexer.ForClient(peer);
        var writer = new BinaryHttpWriter(client.Begin());
        writer.WriteHead(new RequestHead("GET", "http", "enclave", "/", []));
        Require(writer.EndAsync([], default).AsTask().IsCompleted);
        peer.Begin();
        Require(client.Completion.IsCompleted);
    }

    private static void CertificateTable(ReadOnlySpan<byte> input)
    {
        try
        {
            SnpCertificateTable.Read(input);
        }
        catch (IOException)
        {
            // How that room refuses.
        }
    }

    private static void HandshakeRequest(ReadOnlySpan<byte> input)
    {
        using var handshake = SealedHandshake.Respond(Key.Value, new byte[32]);
        handshake.ReadRequest(input, out _);
    }

    // The plaintext of a record, as an authentic but broken peer would send it.
    private static void Record(ReadOnlySpan<byte> input)
    {
        if (input.Length > MessageTransport.MaxMessageLength - AeadKey.TagSize)
        {
            return;
        }
        var cipher = new CipherState(NoiseCipher.ChaChaPoly);
        cipher.InitializeKey(new byte[32]);
        var record = new byte[input.Length + AeadKey.TagSize];
        cipher.Encrypt([], input, record);
        cipher.InitializeKey(new byte[32]);

        using var opener = new RecordOpener(cipher);
        var fault = opener.OpenInPlace(record, out _, out int length);
        Require(length >= 0 && length <= input.Length && (fault is ChannelFault.None || length == 0));
    }

    private static void ReadTokenizer(ReadOnlySpan<byte> input)
    {
        try
        {
            if (JsonNode.Parse(input) is JsonObject json)
            {
                var tokenizer = Tokenizer.Load(json);
                using var ids = new TokenList();
                tokenizer.Encode("Hello, world! ünïcödé 👋", ids, atStart: true);
                tokenizer.Decode(ids.Span);
            }
        }
        catch (Exception e) when (e is ModelException or JsonException)
        {
            // How that room refuses.
        }
    }

    internal static void Require(bool holds)
    {
        if (!holds)
        {
            throw new InvalidOperationException("What must hold of every input does not hold of this one.");
        }
    }
}
