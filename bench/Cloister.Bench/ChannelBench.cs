using System.Security.Cryptography;
using Cloister.Channel;
using Cloister.Channel.Noise;
using Cloister.Channel.Records;
using Cloister.Primitives;

namespace Cloister.Bench;

/// <summary>The channel beside the bare primitives that it is made of, on one thread.</summary>
internal static class ChannelBench
{
    private static readonly byte[] StatementHash = new byte[32];

    public static IEnumerable<Row> Run()
    {
        yield return Handshake();
        yield return Records("64-byte data, sealed as a record of 83 bytes", 64, 83, 200_000, "≥ 3 × BCL AesGcm", AesGcm);
        yield return Records("64-byte data, beside the raw AEAD", 64, 83, 200_000, "", RawAead);
        yield return Records("16 KiB records (the largest), beside the raw AEAD", 16_365, 16_384, 8_000, "≥ 0.70", RawAead);
        yield return Opening("16 KiB records opened, beside the raw AEAD", 16_365, 16_384, 8_000, "≥ 0.70");
    }

    private static Row Handshake()
    {
        const int count = 400;
        using var key = X25519PrivateKey.Generate();
        var requests = new byte[SealedHandshake.RequestLength];
        using (var client = SealedHandshake.Initiate(key.PublicKey, StatementHash))
        {
            client.WriteRequest(new ChannelRequest(1, 1, ShapingProfile.Padded), requests);
        }

        var agreement = new byte[SealedHandshake.AgreementLength];
        void Respond()
        {
            for (int i = 0; i < count; i++)
            {
                using var enclave = SealedHandshake.Respond(key, StatementHash);
                enclave.ReadRequest(requests, out _);
                enclave.WriteAgreement(new ChannelAgreement(1, ShapingProfile.Padded), agreement);
                var (sealer, opener) = enclave.Split();
                sealer.Dispose();
                opener.Dispose();
            }
        }

        // What a responder cannot do without: a key pair, two agreements, one encapsulation with the check of its key, four AEAD calls.
        using var peer = X25519PrivateKey.Generate();
        using var kem = MlKem768PrivateKey.Generate();
        using var aead = ChaCha20Poly1305Key.Import(new byte[32]);
        byte[] secret = new byte[32], ciphertext = new byte[MlKem768PrivateKey.CiphertextSize], sealedKey = new byte[MlKem768PublicKey.Size + 16], sealedPayload = new byte[32], nonce = new byte[12];
        aead.Seal(nonce, kem.PublicKey.Bytes, default, sealedKey);
        aead.Seal(nonce, new byte[16], default, sealedPayload);
        byte[] openedKey = new byte[MlKem768PublicKey.Size], payload = new byte[16], sealedCiphertext = new byte[MlKem768PrivateKey.CiphertextSize + 16];
        void Primitives()
        {
            for (int i = 0; i < count; i++)
            {
                using var ephemeral = X25519PrivateKey.Generate();
                key.TryAgree(peer.PublicKey.Bytes, secret);
                ephemeral.TryAgree(peer.PublicKey.Bytes, secret);
                aead.TryOpen(nonce, sealedKey, default, openedKey);
                aead.TryOpen(nonce, sealedPayload, default, payload);
                if (MlKem768PublicKey.TryImport(openedKey, out var imported))
                {
                    imported.Encapsulate(ciphertext, secret);
                }
                aead.Seal(nonce, ciphertext, default, sealedCiphertext);
                aead.Seal(nonce, payload, default, sealedPayload);
            }
        }

        return SideBySide.Throughput("responder handshakes, beside the sum of their primitives", "/s", count, Respond, Primitives, "≥ 0.80");
    }

    private static Row Records(string name, int dataLength, int recordLength, int count, string target, Func<int, int, Action> anchor)
    {
        using var sealer = new RecordSealer(Cipher());
        byte[] data = RandomNumberGenerator.GetBytes(dataLength), record = new byte[recordLength];
        return SideBySide.Throughput(name, "MB/s", (double)count * dataLength / 1e6, () =>
        {
            for (int i = 0; i < count; i++)
            {
                sealer.Seal(RecordKind.Data, data, record);
            }
        }, anchor(dataLength, count), target);
    }

    private static Row Opening(string name, int dataLength, int recordLength, int count, string target)
    {
        // A record opens once: the same bytes again are a replay. So both sides seal and open, and the anchor does as much.
        using var sealer = new RecordSealer(Cipher());
        using var opener = new RecordOpener(Cipher());
        byte[] data = RandomNumberGenerator.GetBytes(dataLength), record = new byte[recordLength], plaintext = new byte[dataLength + 16], opened = new byte[dataLength], nonce = new byte[12];
        using var raw = new System.Security.Cryptography.ChaCha20Poly1305(new byte[32]);
        return SideBySide.Throughput(name, "MB/s", (double)count * dataLength / 1e6, () =>
        {
            for (int i = 0; i < count; i++)
            {
                sealer.Seal(RecordKind.Data, data, record);
                opener.OpenInPlace(record, out _, out _);
            }
        }, () =>
        {
            for (int i = 0; i < count; i++)
            {
                raw.Encrypt(nonce, data, plaintext.AsSpan(0, dataLength), plaintext.AsSpan(dataLength));
                raw.Decrypt(nonce, plaintext.AsSpan(0, dataLength), plaintext.AsSpan(dataLength), opened);
            }
        }, target);
    }

    private static Action AesGcm(int length, int count)
    {
        var aes = new AesGcm(new byte[32], 16);
        byte[] data = new byte[length], ciphertext = new byte[length], tag = new byte[16], nonce = new byte[12];
        return () =>
        {
            for (int i = 0; i < count; i++)
            {
                aes.Encrypt(nonce, data, ciphertext, tag);
            }
        };
    }

    private static Action RawAead(int length, int count)
    {
        var chacha = new System.Security.Cryptography.ChaCha20Poly1305(new byte[32]);
        byte[] data = new byte[length], ciphertext = new byte[length], tag = new byte[16], nonce = new byte[12];
        return () =>
        {
            for (int i = 0; i < count; i++)
            {
                chacha.Encrypt(nonce, data, ciphertext, tag);
            }
        };
    }

    private static CipherState Cipher()
    {
        var cipher = new CipherState(NoiseCipher.ChaChaPoly);
        cipher.InitializeKey(new byte[32]);
        return cipher;
    }
}
