using System.Runtime.CompilerServices;

namespace Cloister.Primitives;

/// <summary>The one-time authenticator of RFC 8439, section 2.5, on 64-bit words. No branch and no address depends on a secret.</summary>
internal unsafe struct Poly1305
{
    public const int BlockLength = 16;

    // r, clamped, and 5/4 of its upper word; the accumulator, partly reduced modulo 2^130 - 5; s, added at the end.
    private readonly ulong _r0, _r1, _fiveQuartersOfR1, _s0, _s1;
    private ulong _h0, _h1, _h2;

    /// <param name="key">32 bytes, used for one message.</param>
    public Poly1305(byte* key)
    {
        _r0 = *(ulong*)key & 0x0fff_fffc_0fff_ffff;
        _r1 = *(ulong*)(key + 8) & 0x0fff_fffc_0fff_fffc;
        _fiveQuartersOfR1 = _r1 + (_r1 >> 2);
        (_s0, _s1) = (*(ulong*)(key + 16), *(ulong*)(key + 24));
    }

    /// <summary>Takes the data in and zeros up to the next block, as the AEAD of section 2.8 wants it.</summary>
    [SkipLocalsInit]
    public void Absorb(byte* data, int length)
    {
        var local = this;
        byte* last = data + (length & -BlockLength);
        for (; data < last; data += BlockLength)
        {
            local.Absorb(*(ulong*)data, *(ulong*)(data + 8));
        }
        if ((length & (BlockLength - 1)) is var rest and > 0)
        {
            ulong* padded = stackalloc ulong[2];
            (padded[0], padded[1]) = (0, 0);
            Unsafe.CopyBlockUnaligned(padded, data, (uint)rest);
            local.Absorb(padded[0], padded[1]);
        }
        this = local;
    }

    /// <summary>h = (h + block + 2^128) · r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Absorb(ulong low, ulong high)
    {
        unchecked
        {
            ulong h0 = _h0 + low;
            ulong carry = Carry(h0, low);
            ulong h1 = _h1 + high;
            ulong carries = Carry(h1, high);
            h1 += carry;
            ulong h2 = _h2 + 1 + carries + Carry(h1, carry);

            // r0 and r1 are small enough, being clamped, that the sums of products stay below 2^128. The words of weight 2^128 and
            // up come back as 5/4 times themselves, since 2^130 is 5 and r1 is a multiple of 4.
            ulong d0High = Math.BigMul(h0, _r0, out ulong d0);
            ulong moreHigh = Math.BigMul(h1, _fiveQuartersOfR1, out ulong more);
            d0 += more;
            d0High += moreHigh + Carry(d0, more);

            ulong d1High = Math.BigMul(h0, _r1, out ulong d1);
            moreHigh = Math.BigMul(h1, _r0, out more);
            d1 += more;
            d1High += moreHigh + Carry(d1, more);
            more = h2 * _fiveQuartersOfR1;
            d1 += more;
            d1High += Carry(d1, more);

            h1 = d1 + d0High;
            ulong d2 = (h2 * _r0) + d1High + Carry(h1, d0High);

            ulong folded = (d2 & ~3UL) + (d2 >> 2);
            _h0 = d0 + folded;
            carry = Carry(_h0, folded);
            _h1 = h1 + carry;
            _h2 = (d2 & 3) + Carry(_h1, carry);
        }
    }

    /// <param name="tag">16 bytes, to be written.</param>
    public readonly void Finish(byte* tag)
    {
        unchecked
        {
            // g = h - (2^130 - 5), which is the reduced value where it is not negative.
            ulong g0 = _h0 + 5;
            ulong carry = Carry(g0, 5);
            ulong g1 = _h1 + carry;
            ulong g2 = _h2 + Carry(g1, carry);
            ulong reduced = 0 - (g2 >> 2 & 1);
            ulong h0 = (_h0 & ~reduced) | (g0 & reduced);
            ulong h1 = (_h1 & ~reduced) | (g1 & reduced);

            h0 += _s0;
            *(ulong*)tag = h0;
            *(ulong*)(tag + 8) = h1 + _s1 + Carry(h0, _s0);
        }
    }

    // 1 where adding the term went over.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Carry(ulong sum, ulong term) => sum < term ? 1UL : 0;
}
