using System.Security.Cryptography;
using Cloister.Primitives;
using CsCheck;

namespace Cloister.Ledger.Tests;

/// <summary>What is read writes back to the same bytes, what is spoiled is refused, and what was agreed with every device stays as it is.</summary>
public class FormatTests
{
    private static readonly Ed25519PrivateKey Key = Ed25519PrivateKey.ImportSeed(new byte[32]);
    private static readonly Gen<AccountNumber> Accounts = Gen.Byte.Array[AccountNumber.Size].Select(bytes => AccountNumber.Read(bytes));
    private static readonly Gen<Identity> Identities = Gen.Byte.Array[Identity.Size].Select(bytes => Identity.Read(bytes));
    private static readonly Gen<byte[]> Hashes = Gen.Byte.Array[32];

    private static readonly Gen<SignedHead> Heads = Gen.Select(Accounts, Gen.UInt[1, uint.MaxValue], Gen.ULong[2, ulong.MaxValue], Hashes, Hashes, Gen.ULong, Identities).Select((account, epoch, sequence, previous, root, leaves, device) =>
        Sign(new(account, epoch, sequence, previous, root, leaves, device)));

    private static readonly Gen<SealedChange> Changes = Gen.Select(Identities, Gen.ULong[1, ulong.MaxValue], Gen.Byte.Array[0, 300]).Select((item, version, bytes) => new SealedChange(item, version, bytes));

    private static SignedHead Sign(Head head)
    {
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        Key.Sign(head.ToBytes(), signature);
        return SignedHead.Join(head, signature);
    }

    [Fact]
    public void A_tombstone_has_no_bytes_and_a_hash_of_zeros() => Assert.Equal(new byte[32], new SealedChange(default, 1, default).Hash());

    [Fact]
    public void Heads_read_back() => Heads.Sample(head =>
    {
        Assert.True(SignedHead.TryParse(head.Bytes.Span, out var read, out _));
        Assert.Equal(head.Bytes.ToArray(), read.Bytes.ToArray());
        Assert.Equal(head.Head.ToBytes(), read.Head.ToBytes());
        Assert.True(read.IsSignedBy(Key.PublicKey));
    }, iter: 200);

    [Fact]
    public void Each_spoiled_byte_of_a_head_is_refused_or_no_longer_signed() => Gen.Select(Heads, Gen.Int[0, SignedHead.Size - 1], Gen.Byte[1, 255]).Sample((head, at, with) =>
    {
        byte[] bytes = head.Bytes.ToArray();
        bytes[at] ^= with;
        Assert.False(SignedHead.TryParse(bytes, out var read, out _) && read.IsSignedBy(Key.PublicKey));
    }, iter: 500);

    [Fact]
    public void Batches_read_back() => Gen.Select(Heads, Changes.Array[0, 20]).Sample((head, changes) =>
    {
        var batch = new ChangeBatch(head, [.. changes.DistinctBy(change => change.Item)]);
        byte[] bytes = batch.ToBytes();
        Assert.True(ChangeBatch.TryParse(bytes, out var read, out _));
        Assert.Equal(bytes, read.ToBytes());
        Assert.Equal(batch.Changes.Select(change => Convert.ToHexString(change.Hash())), read.Changes.Select(change => Convert.ToHexString(change.Hash())));
    }, iter: 200);

    [Fact]
    public void Pages_read_back() => Gen.Select(Heads, Heads.Array[0, 5], Changes.Array[0, 20]).Sample((newest, heads, changes) =>
    {
        byte[] bytes = new ChangePage(newest, newest.Head.Sequence - 1, [.. heads], [.. changes]).ToBytes();
        Assert.True(ChangePage.TryParse(bytes, out var read, out _));
        Assert.Equal(bytes, read.ToBytes());
    }, iter: 200);

    // Cut anywhere, or with one byte more, it is none.
    [Fact]
    public void Cut_and_lengthened_forms_are_refused() => Gen.Select(Heads, Changes.Array[1, 4], Gen.Double[0, 1]).Sample((head, changes, where) =>
    {
        byte[] batch = new ChangeBatch(head, [.. changes.DistinctBy(change => change.Item)]).ToBytes();
        byte[] page = new ChangePage(head, head.Head.Sequence, [head], [.. changes]).ToBytes();
        Assert.False(ChangeBatch.TryParse(batch.AsMemory(0, (int)(where * (batch.Length - 1))), out _, out _));
        Assert.False(ChangePage.TryParse(page.AsMemory(0, (int)(where * (page.Length - 1))), out _, out _));
        Assert.False(ChangeBatch.TryParse((byte[])[.. batch, 0], out _, out _));
        Assert.False(ChangePage.TryParse((byte[])[.. page, 0], out _, out _));
        Assert.False(SignedHead.TryParse([.. head.Bytes.Span, 0], out _, out _));
    }, iter: 200);

    [Fact]
    public void An_item_twice_in_a_batch_is_refused()
    {
        var change = new SealedChange(Identity.Read(new byte[16]), 1, new byte[] { 1 });
        byte[] bytes = new ChangeBatch(Fixed(), [change, change]).ToBytes();
        Assert.False(ChangeBatch.TryParse(bytes, out _, out var error));
        Assert.Equal("item", error.Field);
    }

    [Theory]
    [InlineData(1 + 191, 0x03, "count")]           // more changes than a batch may have
    [InlineData(1 + 191 + 2 + 23, 0x00, "version")] // version 0
    [InlineData(1 + 191 + 2 + 24, 0x7f, "length")]  // longer than an item may be
    public void Numbers_that_lie_are_refused_before_anything_is_made_of_them(int at, byte value, string field)
    {
        byte[] bytes = new ChangeBatch(Fixed(), [new(Identity.Read(new byte[16]), 1, new byte[] { 1 })]).ToBytes();
        bytes[at] = value;
        if (field == "count")
        {
            bytes[at + 1] = 0xff;
        }
        Assert.False(ChangeBatch.TryParse(bytes, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void A_page_that_counts_more_than_it_holds_is_refused_at_once()
    {
        byte[] bytes = new ChangePage(Fixed(), 1, [], []).ToBytes();
        bytes.AsSpan(bytes.Length - 4).Fill(0xff);
        Assert.False(ChangePage.TryParse(bytes, out _, out var error));
        Assert.Equal("changes", error.Field);
        bytes.AsSpan(bytes.Length - 8, 4).Fill(0xff);
        Assert.False(ChangePage.TryParse(bytes, out _, out error));
        Assert.Equal("heads", error.Field);
    }

    [Theory]
    [InlineData(1ul)]
    [InlineData(long.MaxValue + 5ul)]
    public void A_page_does_not_reach_beyond_its_newest_head(ulong newest)
    {
        byte[] bytes = new ChangePage(Sign(Fixed().Head with { Sequence = newest }), newest + 1, [], []).ToBytes();
        Assert.False(ChangePage.TryParse(bytes, out _, out var error));
        Assert.Equal("through", error.Field);
    }

    [Theory]
    [InlineData(27, 4, "epoch")]
    [InlineData(31, 8, "sequence")]
    public void Epochs_and_sequences_count_from_one(int at, int length, string field)
    {
        byte[] bytes = Fixed().Bytes.ToArray();
        bytes.AsSpan(at, length).Clear();
        Assert.False(SignedHead.TryParse(bytes, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void The_first_head_follows_nothing()
    {
        byte[] bytes = Fixed().Bytes.ToArray();
        bytes[39] = 1;
        Assert.False(SignedHead.TryParse(bytes, out _, out var error));
        Assert.Equal("previous", error.Field);
    }

    [Fact]
    public void Too_much_for_a_batch_is_ours_to_divide() =>
        Assert.Throws<InvalidOperationException>(() => new ChangeBatch(Fixed(), [.. Enumerable.Range(0, 9).Select(i => new SealedChange(Identity.Read([.. new byte[15], (byte)i]), 1, new byte[SealedChange.MaxSize]))]).ToBytes());

    // Devices and operators of other versions read these bytes. A change of a format is a new version of it, not another value here.
    [Fact]
    public void The_formats_are_the_agreed_ones()
    {
        var change = new SealedChange(Identity.Read([.. Enumerable.Range(1, 16).Select(i => (byte)i)]), 7, new byte[] { 1, 2, 3 });
        Assert.Equal("e9112d49", Start(Fixed().Head.ToBytes()));
        Assert.Equal(127, Fixed().Head.ToBytes().Length);
        Assert.Equal(191 + 1 + 2 + 28 + 3, new ChangeBatch(Fixed(), [change]).ToBytes().Length);
        Assert.Equal([1, 2, 3, 4, 5], Enum.GetValues<UnlockerKind>().Where(kind => kind != 0).Select(kind => (int)kind));
        Assert.Equal("636c6f6973746572207369676e2d696e20763100", Convert.ToHexStringLower(SignInMessage.SignIn(default, [])[..20]));
        Assert.Equal("636c6f69737465722064656c657465206163636f756e7420763100", Convert.ToHexStringLower(SignInMessage.DeleteAccount(default, [])[..27]));
    }

    private static string Start(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..8];

    private static SignedHead Fixed() => Sign(new(AccountNumber.Read([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), 1, 1, new byte[32], new byte[32], 0, default));
}
