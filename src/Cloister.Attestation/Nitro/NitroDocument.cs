using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What AWS's hypervisor says of an enclave, in the envelope that it signed (docs/spec/nitro.md, sections 1 and 2).</summary>
/// <remarks>Whether it is genuine and wanted is asked by <see cref="NitroVerification"/>.</remarks>
public sealed class NitroDocument
{
    /// <summary>The longest that is read, in bytes: the longest payload and the envelope around it. Real ones have under 5 KiB.</summary>
    public const int MaxSize = MaxPayload + 128;

    /// <summary>Ours to choose: the most certificates above the enclave's own. Real documents carry four.</summary>
    public const int MaxCaBundle = 8;

    internal const string ProtectedField = "protected";

    private const string Envelope = "COSE_Sign1", Unprotected = "unprotected", PayloadString = "payload", SignatureString = "signature", Content = "document";
    private const int MaxHeader = 64, MaxPayload = 16 * 1024, MaxCertificate = 1024, MaxUserData = 1024, MaxModuleId = 64;
    private const int RegisterSize = 48, MaxRegisters = 32, Members = 9;

    // The longest time that a date can hold.
    private static readonly ulong LastMillisecond = (ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private NitroDocument(byte[] payload, byte[] signature) => (Payload, Signature) = (payload, signature);

    /// <summary>The hypervisor's name for the enclave: <c>i-…-enc…</c>.</summary>
    public string ModuleId { get; private set; } = "";

    /// <summary>When it was made, by the hypervisor's clock.</summary>
    public DateTimeOffset Timestamp { get; private set; }

    /// <summary>The locked registers by their number, 48 bytes each: extensions with SHA-384.</summary>
    public ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Pcrs { get; private set; } = ImmutableSortedDictionary<int, ReadOnlyMemory<byte>>.Empty;

    /// <summary>DER; its key signed the document.</summary>
    public ReadOnlyMemory<byte> Certificate { get; private set; }

    /// <summary>DER, the root's first: each makes the next, the last one makes <see cref="Certificate"/>.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> CaBundle { get; private set; } = [];

    /// <summary>What the enclave asked to have signed with it; null where it asked for nothing.</summary>
    public ReadOnlyMemory<byte>? UserData { get; private set; }

    public ReadOnlyMemory<byte>? Nonce { get; private set; }

    public ReadOnlyMemory<byte>? PublicKey { get; private set; }

    /// <summary>The exact bytes of the document within its envelope.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>r ‖ s on P-384.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>The instance that the enclave belongs to, <c>i-</c> and 8 or 17 hexadecimal digits; null where <see cref="ModuleId"/> is of another form.</summary>
    public string? Instance =>
        ModuleId.Split("-enc") is [var instance, var enclave] && instance.StartsWith("i-", StringComparison.Ordinal)
        && instance.Length - 2 is 8 or 17 && instance.AsSpan(2).IndexOfAnyExcept(HexDigits) < 0
        && enclave.Length == 16 && enclave.AsSpan().IndexOfAnyExcept(HexDigits) < 0 ? instance : null;

    internal byte[] SignedBytes => CoseSign1.SignedBytes(ProtectedHeader, Payload.Span);

    private static ReadOnlySpan<char> HexDigits => "0123456789abcdef";

    // {1: -35}: ECDSA with SHA-384. No other header is known to anybody, so it has one encoding.
    private static ReadOnlySpan<byte> ProtectedHeader => [0xa1, 0x01, 0x38, 0x22];

    /// <summary>The register's value; empty where the document does not list it.</summary>
    internal ReadOnlySpan<byte> Pcr(int index) => Pcrs.TryGetValue(index, out var value) ? value.Span : default;

    /// <summary>What PCR4 holds on an instance: one extension of zeros.</summary>
    internal static byte[] MeasureInstance(string instance) => SHA384.HashData([.. new byte[RegisterSize], .. Encoding.ASCII.GetBytes(instance)]);

    public static bool TryParse(ReadOnlySpan<byte> source, [NotNullWhen(true)] out NitroDocument? document, out WireError error)
    {
        document = null;
        var reader = new CborReader(source);
        reader.TryReadTag(CoseSign1.Tag);
        Require(ref reader, Envelope, 4, reader.ReadArray(Envelope, 4));
        bool es384 = reader.ReadBytes(ProtectedField, MaxHeader).SequenceEqual(ProtectedHeader);
        Require(ref reader, ProtectedField, true, es384);
        reader.ReadMap(Unprotected, 0);
        byte[] payload = reader.ReadBytes(PayloadString, MaxPayload).ToArray();
        int payloadOffset = reader.Offset - payload.Length;
        byte[] signature = reader.ReadBytes(SignatureString, CoseSign1.SignatureSize).ToArray();
        Require(ref reader, SignatureString, CoseSign1.SignatureSize, signature.Length);
        reader.ExpectEnd(Envelope);

        error = reader.Error;
        if (!reader.Failed)
        {
            var inner = new CborReader(payload);
            var read = new NitroDocument(payload, signature);
            read.ReadPayload(ref inner);
            error = inner.Failed ? inner.Error with { Offset = inner.Error.Offset + payloadOffset } : default;
            document = inner.Failed ? null : read;
        }
        return document is not null;
    }

    /// <summary>The field is of the envelope, not of the document within.</summary>
    internal static bool IsOfEnvelope(string field) => field is Envelope or Unprotected or PayloadString or SignatureString;

    // AWS writes the members in one order; nothing hangs on it. A name twice or an unknown one is refused.
    private void ReadPayload(scoped ref CborReader reader)
    {
        var missing = new HashSet<string> { "module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle" };
        var optional = new HashSet<string> { "public_key", "user_data", "nonce" };
        int pairs = reader.ReadMap(Content, Members, mayBeIndefinite: true);
        for (int pair = 0; !reader.Failed && (pairs == CborReader.Indefinite ? !reader.TryReadBreak() : pair < pairs); pair++)
        {
            string name = Encoding.UTF8.GetString(reader.ReadText(Content, 16));
            if (!missing.Remove(name) && !optional.Remove(name))
            {
                reader.Refuse(Content, Members, pair);
            }
            ReadMember(ref reader, name);
        }
        Require(ref reader, Content, 0, missing.Count);
        reader.ExpectEnd(Content);
    }

    private void ReadMember(scoped ref CborReader reader, string name)
    {
        switch (name)
        {
            case "module_id":
                ModuleId = Encoding.UTF8.GetString(reader.ReadText(name, MaxModuleId));
                Require(ref reader, name, true, ModuleId.Length > 0);
                break;
            case "digest":
                Require(ref reader, name, true, reader.ReadText(name, 8).SequenceEqual("SHA384"u8));
                break;
            case "timestamp":
                ulong milliseconds = reader.ReadUnsigned(name);
                Require(ref reader, name, true, milliseconds > 0 && milliseconds <= LastMillisecond);
                Timestamp = reader.Failed ? default : DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
                break;
            case "pcrs":
                ReadRegisters(ref reader);
                break;
            case "certificate":
                Certificate = ReadCertificate(ref reader, name);
                break;
            case "cabundle":
                ReadCaBundle(ref reader);
                break;
            case "public_key":
                PublicKey = ReadOptional(ref reader, name);
                break;
            case "user_data":
                UserData = ReadOptional(ref reader, name);
                break;
            case "nonce":
                Nonce = ReadOptional(ref reader, name);
                break;
        }
    }

    private void ReadRegisters(scoped ref CborReader reader)
    {
        var registers = ImmutableSortedDictionary.CreateBuilder<int, ReadOnlyMemory<byte>>();
        int count = reader.ReadMap("pcrs", MaxRegisters);
        Require(ref reader, "pcrs", true, count > 0);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            ulong index = reader.ReadUnsigned("pcrs");
            byte[] value = reader.ReadBytes("pcrs", RegisterSize).ToArray();
            Require(ref reader, "pcrs", true, index < MaxRegisters && value.Length == RegisterSize && registers.TryAdd((int)index, value));
        }
        Pcrs = registers.ToImmutable();
    }

    private void ReadCaBundle(scoped ref CborReader reader)
    {
        var bundle = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        int count = reader.ReadArray("cabundle", MaxCaBundle);
        Require(ref reader, "cabundle", true, count > 0);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            bundle.Add(ReadCertificate(ref reader, "cabundle"));
        }
        CaBundle = bundle.ToImmutable();
    }

    private static byte[] ReadCertificate(scoped ref CborReader reader, string field)
    {
        byte[] der = reader.ReadBytes(field, MaxCertificate).ToArray();
        Require(ref reader, field, true, der.Length > 0);
        return der;
    }

    // AWS writes null for what was not asked for, whatever its specification says.
    private static ReadOnlyMemory<byte>? ReadOptional(scoped ref CborReader reader, string field) =>
        reader.TryReadNull() ? (ReadOnlyMemory<byte>?)null : reader.ReadBytes(field, MaxUserData).ToArray();

    private static void Require(scoped ref CborReader reader, string field, int wanted, int found)
    {
        if (wanted != found)
        {
            reader.Refuse(field, wanted, found);
        }
    }

    private static void Require(scoped ref CborReader reader, string field, bool wanted, bool found) => Require(ref reader, field, wanted ? 1 : 0, found ? 1 : 0);
}
