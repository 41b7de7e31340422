using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cloister.Primitives;

/// <summary>Blocks of the ChaCha20 key stream (RFC 8439, section 2.3), eight at a time, where the processor has AVX-512.</summary>
/// <remarks>
/// A register holds one row of four blocks, so that eight take as long as one: each step waits for the one before it, and meanwhile
/// there is room for seven more. No branch and no address depends on a secret.
/// </remarks>
internal static unsafe class ChaCha20
{
    public const int NonceLength = 12;
    public const int BlockLength = 64;

    /// <summary>Four blocks.</summary>
    public const int RunLength = 4 * BlockLength;

    private const byte LanesBy1 = 0b00_11_10_01;
    private const byte LanesBy2 = 0b01_00_11_10;
    private const byte LanesBy3 = 0b10_01_00_11;

    public static bool IsSupported => Avx512F.IsSupported && BitConverter.IsLittleEndian;

    /// <summary>Writes two runs of four blocks under one key, each with a nonce and a first counter of its own.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="first">256 bytes, to be written; <paramref name="second"/> likewise.</param>
    public static void TwoRuns(byte* key, ReadOnlySpan<byte> firstNonce, uint firstCounter, byte* first, ReadOnlySpan<byte> secondNonce, uint secondCounter, byte* second)
    {
        var constants = FourTimes(Vector128.Create("expand 32-byte k"u8).AsUInt32());
        var keyLow = FourTimes(Vector128.Load((uint*)key));
        var keyHigh = FourTimes(Vector128.Load((uint*)(key + 16)));
        var firstRow = Counters(firstNonce, firstCounter);
        var secondRow = Counters(secondNonce, secondCounter);

        var (a, b, c, d) = (constants, keyLow, keyHigh, firstRow);
        var (e, f, g, h) = (constants, keyLow, keyHigh, secondRow);
        for (int i = 0; i < 10; i++)
        {
            // The quarter rounds on the columns of both runs, step by step so that they go side by side.
            a += b; e += f; d = Avx512F.RotateLeft(d ^ a, 16); h = Avx512F.RotateLeft(h ^ e, 16);
            c += d; g += h; b = Avx512F.RotateLeft(b ^ c, 12); f = Avx512F.RotateLeft(f ^ g, 12);
            a += b; e += f; d = Avx512F.RotateLeft(d ^ a, 8);  h = Avx512F.RotateLeft(h ^ e, 8);
            c += d; g += h; b = Avx512F.RotateLeft(b ^ c, 7);  f = Avx512F.RotateLeft(f ^ g, 7);
            b = Avx512F.Shuffle(b, LanesBy1); f = Avx512F.Shuffle(f, LanesBy1);
            c = Avx512F.Shuffle(c, LanesBy2); g = Avx512F.Shuffle(g, LanesBy2);
            d = Avx512F.Shuffle(d, LanesBy3); h = Avx512F.Shuffle(h, LanesBy3);

            // And on the diagonals, which now stand in columns.
            a += b; e += f; d = Avx512F.RotateLeft(d ^ a, 16); h = Avx512F.RotateLeft(h ^ e, 16);
            c += d; g += h; b = Avx512F.RotateLeft(b ^ c, 12); f = Avx512F.RotateLeft(f ^ g, 12);
            a += b; e += f; d = Avx512F.RotateLeft(d ^ a, 8);  h = Avx512F.RotateLeft(h ^ e, 8);
            c += d; g += h; b = Avx512F.RotateLeft(b ^ c, 7);  f = Avx512F.RotateLeft(f ^ g, 7);
            b = Avx512F.Shuffle(b, LanesBy3); f = Avx512F.Shuffle(f, LanesBy3);
            c = Avx512F.Shuffle(c, LanesBy2); g = Avx512F.Shuffle(g, LanesBy2);
            d = Avx512F.Shuffle(d, LanesBy1); h = Avx512F.Shuffle(h, LanesBy1);
        }

        Store(a + constants, b + keyLow, c + keyHigh, d + firstRow, first);
        Store(e + constants, f + keyLow, g + keyHigh, h + secondRow, second);
    }

    // The last row of four blocks in sequence: counter, then nonce.
    private static Vector512<uint> Counters(ReadOnlySpan<byte> nonce, uint counter)
    {
        var row = Vector128.Create(
            counter, BinaryPrimitives.ReadUInt32LittleEndian(nonce), BinaryPrimitives.ReadUInt32LittleEndian(nonce[4..]), BinaryPrimitives.ReadUInt32LittleEndian(nonce[8..]));
        return FourTimes(row) + Vector512.Create(0u, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0);
    }

    private static Vector512<uint> FourTimes(Vector128<uint> row) => Vector512.Create(Vector256.Create(row, row), Vector256.Create(row, row));

    // From a register per row to a register per block.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, byte* stream)
    {
        const byte LowerHalves = 0b01_00_01_00, UpperHalves = 0b11_10_11_10, EvenLanes = 0b10_00_10_00, OddLanes = 0b11_01_11_01;
        var (ab, cd) = (Avx512F.Shuffle4x128(a, b, LowerHalves), Avx512F.Shuffle4x128(c, d, LowerHalves));
        Avx512F.Shuffle4x128(ab, cd, EvenLanes).Store((uint*)stream);
        Avx512F.Shuffle4x128(ab, cd, OddLanes).Store((uint*)(stream + BlockLength));
        (ab, cd) = (Avx512F.Shuffle4x128(a, b, UpperHalves), Avx512F.Shuffle4x128(c, d, UpperHalves));
        Avx512F.Shuffle4x128(ab, cd, EvenLanes).Store((uint*)(stream + 2 * BlockLength));
        Avx512F.Shuffle4x128(ab, cd, OddLanes).Store((uint*)(stream + 3 * BlockLength));
    }
}
