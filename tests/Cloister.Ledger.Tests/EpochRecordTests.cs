using System.Security.Cryptography;
using Cloister.Primitives;
using CsCheck;

namespace Cloister.Ledger.Tests;

public class EpochRecordTests
{
    private static readonly byte[] FirstSeed = new byte[32];
    private static readonly byte[] SecondSeed = [.. Enumerable.Repeat((byte)1, 32)];

    [Fact]
    public void Records_read_back() => Gen.Select(Gen.Byte.Array[10], Gen.UInt[1, 5], Gen.Byte.Array[32]).Sample((account, epoch, commitment) =>
    {
        byte[] bytes = Make(AccountNumber.Read(account), epoch, commitment, FirstSeed, SecondSeed);
        Assert.True(EpochRecord.TryParse(bytes, out var record, out var error), $"{error}");
        Assert.Equal(bytes, record.Bytes.ToArray());
        Assert.Equal((AccountNumber.Read(account), epoch), (record.Account, record.Epoch));
        Assert.Equal(commitment, record.KeyCommitment.ToArray());
        Assert.Equal(bytes, (byte[])[.. record.AssociatedData.Span, .. record.SealedHeadKey.Span, .. record.SealedPrevious.Span, .. bytes[^64..]]);
        Assert.Equal(bytes[..^64], record.SignedBytes.ToArray());
    }, iter: 100);

    // The lengths are the specification's: 96 bytes that everybody reads, 76 and 60 sealed, 64 of signature.
    [Theory]
    [InlineData(1u, 96 + 76 + 64)]
    [InlineData(2u, 96 + 76 + 60 + 64)]
    public void The_format_is_the_agreed_one(uint epoch, int length)
    {
        byte[] bytes = Make(default, epoch, new byte[32], FirstSeed, FirstSeed);
        Assert.Equal(length, bytes.Length);
        Assert.Equal("cloister epoch v1\0", System.Text.Encoding.ASCII.GetString(bytes, 0, 18));
        Assert.Equal(epoch, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(28)));
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(2u)]
    public void Cut_and_lengthened_records_are_none(uint epoch)
    {
        byte[] bytes = Make(default, epoch, new byte[32], FirstSeed, FirstSeed);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(EpochRecord.TryParse(bytes.AsSpan(0, length), out _, out _));
        }
        Assert.False(EpochRecord.TryParse([.. bytes, 0], out _, out _));
    }

    [Fact]
    public void Epochs_count_from_one()
    {
        byte[] bytes = Make(default, 1, new byte[32], FirstSeed, FirstSeed);
        bytes[31] = 0;
        Assert.False(EpochRecord.TryParse(bytes, out _, out var error));
        Assert.Equal("epoch", error.Field);
    }

    [Fact]
    public void Each_spoiled_byte_is_refused_or_no_longer_signed()
    {
        byte[] first = Make(default, 1, new byte[32], FirstSeed, FirstSeed), second = Make(default, 2, new byte[32], SecondSeed, FirstSeed);
        Assert.True(Read(first)!.IsFirst());
        Assert.True(Read(second)!.Follows(Read(first)!));
        for (int at = 0; at < second.Length; at++)
        {
            Assert.False(at < first.Length && Read(Spoil(first, at)) is { } one && one.IsFirst(), $"{at}");
            Assert.False(Read(Spoil(second, at)) is { } other && other.Follows(Read(first)!), $"{at}");
        }
    }

    [Fact]
    public void An_epoch_follows_the_one_before_of_the_same_account_by_its_key()
    {
        var first = Read(Make(default, 1, new byte[32], FirstSeed, FirstSeed))!;
        Assert.False(Read(Make(default, 3, new byte[32], SecondSeed, FirstSeed))!.Follows(first));
        Assert.False(Read(Make(AccountNumber.Read([1, .. new byte[9]]), 2, new byte[32], SecondSeed, FirstSeed))!.Follows(first));
        Assert.False(Read(Make(default, 2, new byte[32], SecondSeed, SecondSeed))!.Follows(first));
        Assert.False(Read(Make(default, 1, new byte[32], FirstSeed, SecondSeed))!.IsFirst());
        Assert.False(Read(Make(default, 2, new byte[32], FirstSeed, FirstSeed))!.IsFirst());
        Assert.False(first.Follows(Read(Make(default, uint.MaxValue, new byte[32], FirstSeed, FirstSeed))!));
    }

    private static EpochRecord? Read(byte[] bytes) => EpochRecord.TryParse(bytes, out var record, out _) ? record : null;

    private static byte[] Spoil(byte[] bytes, int at)
    {
        byte[] spoiled = [.. bytes];
        spoiled[at] ^= 1;
        return spoiled;
    }

    private static byte[] Make(AccountNumber account, uint epoch, byte[] commitment, byte[] headSeed, byte[] signingSeed)
    {
        using var head = Ed25519PrivateKey.ImportSeed(headSeed);
        using var signing = Ed25519PrivateKey.ImportSeed(signingSeed);
        byte[] content = [.. EpochRecord.Begin(account, epoch, head.PublicKey, commitment), .. RandomNumberGenerator.GetBytes(EpochRecord.SealedHeadKeySize + (epoch == 1 ? 0 : EpochRecord.SealedPreviousSize))];
        byte[] signature = new byte[64];
        signing.Sign(content, signature);
        return [.. content, .. signature];
    }
}
