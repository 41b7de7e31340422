using System.Collections.Immutable;
using System.Globalization;
using Cloister.Wire;

namespace Cloister.Enclave.Evidence;

/// <summary>A TPM 2.0, as much of it as attests: registers, a quote over them, and the key that signs it (TCG <i>TPM 2.0 Library</i>, part 3).</summary>
/// <remarks>
/// It speaks over any stream that carries commands and responses as they are: <c>/dev/tpmrm0</c>, or the socket of a software TPM. Not for several callers
/// at once: a fault leaves the stream where nobody knows, so it is not used after one.
/// </remarks>
public sealed class TpmDevice(Stream stream) : IDisposable
{
    /// <summary>Where Linux shows the machine's TPM, with a resource manager in front.</summary>
    public const string UsualPath = "/dev/tpmrm0";

    /// <summary>Registers in a bank.</summary>
    public const int Registers = 24;

    /// <summary>The longest qualifying data, in bytes: a digest of SHA-512.</summary>
    public const int MaxQualifyingData = 64;

    private const int HeaderSize = 10;
    private const int MaxResponse = 4096;
    private const int SelectionSize = Registers / 8;

    // Ours to choose: how often a command is sent that the TPM does not begin.
    private const int Attempts = 8;

    private const uint Yielded = 0x908, Testing = 0x90A, Retry = 0x922;

    // Part 2, sections 6.3, 6.5 and 7.4.
    private const ushort Sha256 = 0x000B;
    private const ushort NoScheme = 0x0010;
    private const ushort NoSessions = 0x8001;
    private const ushort Sessions = 0x8002;
    private const uint Password = 0x4000_0009;
    private const uint PcrReadCommand = 0x17E;
    private const uint ReadPublicCommand = 0x173;
    private const uint QuoteCommand = 0x158;

    /// <exception cref="IOException">There is no TPM.</exception>
    public static TpmDevice Open(string path = UsualPath) => new(new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));

    /// <summary>The registers of the SHA-256 bank, 32 bytes each, in the order of <paramref name="registers"/>. They may change before a quote: the quote's digest tells.</summary>
    /// <param name="registers">Ascending, none twice, each from 0 to 23.</param>
    /// <exception cref="IOException">The TPM refuses, or answers with something else. The message is one clear sentence.</exception>
    public async Task<ImmutableArray<byte[]>> ReadRegistersAsync(ImmutableArray<int> registers, CancellationToken cancellation = default)
    {
        Check(registers);
        var values = ImmutableArray.CreateBuilder<byte[]>();
        while (values.Count < registers.Length)
        {
            // It answers with as many as fit, from the first.
            var rest = registers[values.Count..];
            byte[] response = await ExecuteAsync(NoSessions, PcrReadCommand, Selection(rest), cancellation);
            var read = ReadValues(response, rest);
            values.AddRange(read.IsEmpty ? throw Malformed("registers") : read);
        }
        return values.ToImmutable();
    }

    /// <summary>The public area of a loaded or persistent key: TPMT_PUBLIC, as part 2 writes it.</summary>
    /// <exception cref="IOException">The TPM has no such key.</exception>
    public async Task<byte[]> ReadPublicAsync(uint key, CancellationToken cancellation = default)
    {
        byte[] response = await ExecuteAsync(NoSessions, ReadPublicCommand, UInt32(key), cancellation);
        var reader = new WireReader(response);
        byte[] area = Sized(ref reader, "outPublic");
        Sized(ref reader, "name");
        Sized(ref reader, "qualifiedName");
        reader.ExpectEnd("public");
        return reader.Failed ? throw Malformed("a key") : area;
    }

    /// <summary>Has the TPM sign what its registers hold, with a key that has no password.</summary>
    /// <param name="qualifyingData">Comes back in the quote: what it is bound to, at most <see cref="MaxQualifyingData"/> bytes.</param>
    /// <exception cref="IOException">The TPM refuses, or answers with something else.</exception>
    public async Task<TpmAnswer> QuoteAsync(uint key, ReadOnlyMemory<byte> qualifyingData, ImmutableArray<int> registers, CancellationToken cancellation = default)
    {
        Check(registers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(qualifyingData.Length, MaxQualifyingData, nameof(qualifyingData));

        byte[] session = [.. UInt32(Password), 0, 0, 0, 0, 0];
        byte[] parameters = [.. UInt16(qualifyingData.Length), .. qualifyingData.Span, .. UInt16(NoScheme), .. Selection(registers)];
        byte[] response = await ExecuteAsync(Sessions, QuoteCommand, [.. UInt32(key), .. UInt32((uint)session.Length), .. session, .. parameters], cancellation);
        return ReadQuote(response);
    }

    public void Dispose() => stream.Dispose();

    /// <summary>Sends one command and gives what stands behind the response's header.</summary>
    internal async Task<byte[]> ExecuteAsync(ushort tag, uint command, byte[] body, CancellationToken cancellation)
    {
        byte[] request = [.. UInt16(tag), .. UInt32((uint)(HeaderSize + body.Length)), .. UInt32(command), .. body];
        for (int attempt = 1; ; attempt++)
        {
            byte[] response = await SendAsync(request, cancellation);
            var (answered, code) = Header(response);
            if (code is Yielded or Testing or Retry && attempt < Attempts)
            {
                // It did not begin: the same command, a little later (part 2, section 6.6.3).
                await Task.Delay(TimeSpan.FromMilliseconds(10 << attempt), cancellation);
                continue;
            }
            return code != 0 ? throw new IOException(string.Create(CultureInfo.InvariantCulture, $"The TPM refuses command {command:x}: {code:x}."))
                : answered == tag ? response[HeaderSize..] : throw Malformed("a command");
        }
    }

    private async Task<byte[]> SendAsync(byte[] request, CancellationToken cancellation)
    {
        // The kernel takes a command in one piece.
        await stream.WriteAsync(request, cancellation);
        await stream.FlushAsync(cancellation);

        byte[] response = new byte[MaxResponse];
        int length = 0, size = HeaderSize;
        while (length < size)
        {
            int read = await stream.ReadAsync(response.AsMemory(length), cancellation);
            length += read > 0 ? read : throw new IOException("The TPM went away in the middle of a response.");
            size = length >= HeaderSize ? Size(response) : HeaderSize;
        }
        return length == size ? response[..size] : throw Malformed("a command");
    }

    private static int Size(byte[] response)
    {
        var reader = new WireReader(response.AsSpan(2, 4));
        uint size = reader.UInt32BigEndian("responseSize");
        return size is >= HeaderSize and <= MaxResponse ? (int)size : throw Malformed("a command");
    }

    private static (ushort Tag, uint Code) Header(byte[] response)
    {
        var reader = new WireReader(response.AsSpan(0, HeaderSize));
        ushort tag = reader.UInt16BigEndian("tag");
        reader.UInt32BigEndian("responseSize");
        return (tag, reader.UInt32BigEndian("responseCode"));
    }

    // TPML_PCR_SELECTION of one bank, and TPML_DIGEST (part 2, sections 10.9.7 and 10.9.6).
    private static ImmutableArray<byte[]> ReadValues(byte[] response, ImmutableArray<int> asked)
    {
        var reader = new WireReader(response);
        reader.UInt32BigEndian("pcrUpdateCounter");
        reader.Expect("pcrSelectionOut", [0, 0, 0, 1, 0, (byte)Sha256, SelectionSize]);
        byte[] selected = reader.Bytes("pcrSelect", SelectionSize).ToArray();
        uint count = reader.UInt32BigEndian("count");
        var values = ImmutableArray.CreateBuilder<byte[]>();
        while (!reader.Failed && values.Count < count && values.Count < asked.Length)
        {
            reader.Expect("size", [0, 32]);
            values.Add(reader.Bytes("digest", 32).ToArray());
        }
        reader.ExpectEnd("pcrValues");
        bool fits = !reader.Failed && values.Count == count && selected.AsSpan().SequenceEqual(Bitmap(asked[..values.Count]));
        return fits ? values.ToImmutable() : throw Malformed("registers");
    }

    private static TpmAnswer ReadQuote(byte[] response)
    {
        var reader = new WireReader(response);
        uint size = reader.UInt32BigEndian("parameterSize");
        var parameters = reader.Bytes("parameters", (int)Math.Min(size, MaxResponse));
        if (reader.Failed)
        {
            throw Malformed("a quote");
        }
        var inner = new WireReader(parameters);
        byte[] attest = Sized(ref inner, "quoted");
        byte[] signature = inner.Bytes("signature", inner.Remaining).ToArray();
        return inner.Failed || attest.Length == 0 || signature.Length == 0 ? throw Malformed("a quote") : new TpmAnswer(attest, signature);
    }

    // TPM2B: a length of two bytes, and so many.
    private static byte[] Sized(scoped ref WireReader reader, string field) => reader.Bytes(field, reader.UInt16BigEndian(field)).ToArray();

    private static void Check(ImmutableArray<int> registers)
    {
        for (int i = 0; i < registers.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(registers[i], Registers, nameof(registers));
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(registers[i], i == 0 ? -1 : registers[i - 1], nameof(registers));
        }
    }

    private static byte[] Selection(ImmutableArray<int> registers) => [0, 0, 0, 1, .. UInt16(Sha256), SelectionSize, .. Bitmap(registers)];

    private static byte[] Bitmap(ImmutableArray<int> registers)
    {
        byte[] bitmap = new byte[SelectionSize];
        foreach (int register in registers)
        {
            bitmap[register / 8] |= (byte)(1 << register % 8);
        }
        return bitmap;
    }

    private static byte[] UInt16(int value) => [(byte)(value >> 8), (byte)(value & 0xff)];

    private static byte[] UInt32(uint value) => [.. UInt16((int)(value >> 16)), .. UInt16((int)(value & 0xffff))];

    private static IOException Malformed(string what) => new($"The TPM's answer about {what} is malformed.");
}

/// <summary>What a TPM signed.</summary>
/// <param name="Attest">TPMS_ATTEST, the exact bytes.</param>
/// <param name="Signature">TPMT_SIGNATURE over them.</param>
public sealed record TpmAnswer(byte[] Attest, byte[] Signature);
