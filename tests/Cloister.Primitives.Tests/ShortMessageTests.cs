using System.Buffers.Binary;
using System.Security.Cryptography;
using CsCheck;

namespace Cloister.Primitives.Tests;

/// <summary>What is made ahead for the next message of a sequence must never be taken for another one.</summary>
public class ShortMessageTests
{
    private static readonly byte[] Aad = "associated"u8.ToArray();

    // In order, again, out of order, with jumps, opening and sealing in turns, with the key replaced in between: always what the platform makes.
    [Fact]
    public void Any_order_of_nonces_gives_what_the_platform_gives() =>
        Gen.Select(Gen.ULong[0, 6], Gen.Int[0, 500], Gen.Int[0, 9]).Array[1, 60].Sample(steps =>
        {
            byte[] secret = RandomNumberGenerator.GetBytes(32);
            using var key = ChaCha20Poly1305Key.Import(secret);
            foreach (var (number, length, what) in steps)
            {
                byte[] message = RandomNumberGenerator.GetBytes(length), expected = Platform(secret, number, message), sealedBytes = new byte[expected.Length];
                if (what < 5)
                {
                    key.Seal(Nonce(number), message, Aad, sealedBytes);
                    Assert.Equal(expected, sealedBytes);
                }
                else if (what < 9)
                {
                    byte[] opened = new byte[length];
                    Assert.True(key.TryOpen(Nonce(number), expected, Aad, opened));
                    Assert.Equal(message, opened);
                }
                else
                {
                    RandomNumberGenerator.Fill(secret);
                    key.Replace(secret);
                }
            }
        });

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(uint.MaxValue)]
    public void The_number_after_the_last_is_no_trap(ulong last)
    {
        byte[] secret = new byte[32];
        using var key = ChaCha20Poly1305Key.Import(secret);
        foreach (ulong number in (ulong[])[last, unchecked(last + 1), 0])
        {
            byte[] sealedBytes = new byte[17];
            key.Seal(Nonce(number), [7], Aad, sealedBytes);
            Assert.Equal(Platform(secret, number, [7]), sealedBytes);
        }
    }

    private static byte[] Platform(byte[] secret, ulong number, byte[] message)
    {
        using var platform = new ChaCha20Poly1305(secret);
        byte[] sealedBytes = new byte[message.Length + 16];
        platform.Encrypt(Nonce(number), message, sealedBytes.AsSpan(0, message.Length), sealedBytes.AsSpan(message.Length), Aad);
        return sealedBytes;
    }

    private static byte[] Nonce(ulong number)
    {
        byte[] nonce = new byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(nonce.AsSpan(4), number);
        return nonce;
    }
}
