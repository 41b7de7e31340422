using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Ledger;

namespace Cloister.Vault.Unlockers;

/// <summary>What is wrong with shares that were brought together.</summary>
public enum SharesFaultKind : byte
{
    None = 0,
    /// <summary>A share is not readable: a letter is missing or another.</summary>
    Unreadable = 1,
    /// <summary>A share belongs to another set.</summary>
    Mixed = 2,
    /// <summary>The same share twice.</summary>
    Repeated = 3,
    /// <summary>Fewer than are needed.</summary>
    TooFew = 4,
}

/// <param name="Position">Which share, counted from 1; for too few, how many are needed.</param>
public readonly record struct SharesFault(SharesFaultKind Kind, int Position);

/// <summary>Shares for people one trusts, of which some number suffices (docs/spec/vault.md, section 4): Shamir's scheme over GF(2⁸), byte by byte. Fewer say nothing about the secret.</summary>
/// <remarks>A share that was changed on purpose, checksum and all, gives another secret, which then opens nothing; who changed it is not told.</remarks>
public static class Trustees
{
    // The specification's.
    private const int Least = 2;
    private const int Most = 16;
    private const int SetSize = 8;
    private const int ChecksumSize = 4;
    private const int HeaderSize = 4 + SetSize;
    private const int ShareSize = HeaderSize + MemorySecret.Size + ChecksumSize;

    /// <summary>Makes a new secret and its shares.</summary>
    /// <param name="needed">How many suffice: 2 to <paramref name="shares"/>.</param>
    /// <param name="shares">How many there are: at most 16.</param>
    /// <returns>The unlocker's identity, its secret (32 bytes, to be wiped by the caller), and the shares, each to be given to one person.</returns>
    public static (Identity Unlocker, byte[] Secret, ImmutableArray<string> Shares) Generate(int needed, int shares)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(needed, Least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shares, Most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(needed, shares);
        byte[] secret = RandomNumberGenerator.GetBytes(MemorySecret.Size);
        return (UnlockerOf(secret), secret, Split(secret, needed, shares, RandomNumberGenerator.GetBytes(SetSize), RandomNumberGenerator.GetBytes((needed - 1) * MemorySecret.Size)));
    }

    /// <summary>Joins shares again. With the right ones this is the secret; whether they were right, the wrap tells.</summary>
    public static bool TryJoin(IReadOnlyList<string> shares, out Identity unlocker, out byte[] secret, out SharesFault fault)
    {
        (unlocker, secret) = (default, []);
        var read = new List<byte[]>();
        for (int i = 0; i < shares.Count; i++)
        {
            if (!TryRead(shares[i], out byte[] share))
            {
                fault = new(SharesFaultKind.Unreadable, i + 1);
                return false;
            }
            if (read.Count > 0 && !SameSet(read[0], share))
            {
                fault = new(SharesFaultKind.Mixed, i + 1);
                return false;
            }
            if (read.Exists(other => other[3] == share[3]))
            {
                fault = new(SharesFaultKind.Repeated, i + 1);
                return false;
            }
            read.Add(share);
        }
        int needed = read.Count > 0 ? read[0][1] : Least;
        if (read.Count < needed)
        {
            fault = new(SharesFaultKind.TooFew, needed);
            return false;
        }
        fault = default;
        secret = Interpolate(read[..needed]);
        unlocker = UnlockerOf(secret);
        return true;
    }

    // Share i is the polynomial's value at i, whose constant term is the secret.
    internal static ImmutableArray<string> Split(ReadOnlySpan<byte> secret, int needed, int shares, ReadOnlySpan<byte> set, ReadOnlySpan<byte> coefficients)
    {
        var texts = ImmutableArray.CreateBuilder<string>(shares);
        Span<byte> share = stackalloc byte[ShareSize];
        for (int x = 1; x <= shares; x++)
        {
            ReadOnlySpan<byte> header = [1, (byte)needed, (byte)shares, (byte)x];
            header.CopyTo(share);
            set.CopyTo(share[4..]);
            for (int i = 0; i < MemorySecret.Size; i++)
            {
                byte value = 0;
                for (int power = needed - 2; power >= 0; power--)
                {
                    value = Multiply((byte)(value ^ coefficients[(power * MemorySecret.Size) + i]), (byte)x);
                }
                share[HeaderSize + i] = (byte)(value ^ secret[i]);
            }
            SHA256.HashData(share[..^ChecksumSize]).AsSpan(0, ChecksumSize).CopyTo(share[^ChecksumSize..]);
            texts.Add(CrockfordBase32.Encode(share));
        }
        CryptographicOperations.ZeroMemory(share);
        return texts.MoveToImmutable();
    }

    private static bool TryRead(string? text, out byte[] share)
    {
        share = new byte[ShareSize];
        return text is { Length: <= 256 } && CrockfordBase32.TryDecode(text.Trim(), share)
            && share[0] == 1 && share[1] >= Least && share[1] <= share[2] && share[2] <= Most && share[3] >= 1 && share[3] <= share[2]
            && SHA256.HashData(share.AsSpan(0, ShareSize - ChecksumSize)).AsSpan(0, ChecksumSize).SequenceEqual(share.AsSpan(ShareSize - ChecksumSize));
    }

    private static bool SameSet(byte[] left, byte[] right) => left.AsSpan(0, 3).SequenceEqual(right.AsSpan(0, 3)) && left.AsSpan(4, SetSize).SequenceEqual(right.AsSpan(4, SetSize));

    // Lagrange's formula at 0.
    private static byte[] Interpolate(List<byte[]> shares)
    {
        byte[] secret = new byte[MemorySecret.Size];
        foreach (byte[] share in shares)
        {
            byte weight = 1;
            foreach (byte[] other in shares.Where(other => other != share))
            {
                weight = Multiply(weight, Multiply(other[3], Invert((byte)(other[3] ^ share[3]))));
            }
            for (int i = 0; i < secret.Length; i++)
            {
                secret[i] ^= Multiply(weight, share[HeaderSize + i]);
            }
        }
        return secret;
    }

    private static Identity UnlockerOf(byte[] secret)
    {
        using var held = MemorySecret.Import(UnlockerKind.Trustees, secret);
        return held.OwnIdentity();
    }

    // Without branches and tables that depend on the secret.
    private static byte Multiply(byte a, byte b)
    {
        int product = 0, left = a;
        for (int bit = 0; bit < 8; bit++)
        {
            product ^= left & -((b >> bit) & 1);
            left = ((left << 1) ^ (0x11b & -((left >> 7) & 1))) & 0xff;
        }
        return (byte)(product & 0xff);
    }

    // a²⁵⁴.
    private static byte Invert(byte a)
    {
        byte power = a, inverse = 1;
        for (int i = 0; i < 7; i++)
        {
            power = Multiply(power, power);
            inverse = Multiply(inverse, power);
        }
        return inverse;
    }
}
