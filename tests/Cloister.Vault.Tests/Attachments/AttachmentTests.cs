using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Attachments;

namespace Cloister.Vault.Tests.Attachments;

public class AttachmentTests
{
    private const int Part = AttachmentParts.ContentPerPart;

    private static readonly AccountNumber Account = AccountNumber.Read(new byte[10]);
    private static readonly Identity Id = Identity.Read([.. Enumerable.Repeat((byte)3, 16)]);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData(16_385)]
    [InlineData(Part - 1)]
    [InlineData(Part)]
    [InlineData(Part + 1)]
    [InlineData((2 * Part) + 12_345)]
    public void What_was_sealed_opens_part_by_part_in_any_order(int length)
    {
        byte[] content = RandomNumberGenerator.GetBytes(length), key = AttachmentParts.NewKey();
        var parts = Seal(content, key);
        Assert.Equal(AttachmentParts.Count(length), parts.Count);
        Assert.All(parts, part => Assert.True(part.Length <= AttachmentParts.MaxPartSize));

        Assert.True(AttachmentOpener.TryCreate(Account, Id, key, length, parts[0], out var opener));
        using (opener)
        {
            byte[][] opened = new byte[parts.Count][];
            for (int part = parts.Count - 1; part >= 0; part--)
            {
                Assert.True(opener.TryOpen(part, parts[part], out opened[part]));
            }
            Assert.Equal(content, opened.SelectMany(bytes => bytes).ToArray());
        }
    }

    [Fact]
    public void The_length_is_hidden_by_padding()
    {
        byte[] key = AttachmentParts.NewKey();
        Assert.Equal(Seal(new byte[100_001], key).Sum(part => part.Length), Seal(new byte[100_002], key).Sum(part => part.Length));
    }

    [Fact]
    public void Altered_moved_cut_and_foreign_parts_do_not_open()
    {
        byte[] content = RandomNumberGenerator.GetBytes(Part + 100), key = AttachmentParts.NewKey();
        var parts = Seal(content, key);
        Assert.True(AttachmentOpener.TryCreate(Account, Id, key, content.Length, parts[0], out var opener));
        using (opener)
        {
            byte[] altered = [.. parts[1]];
            altered[5] ^= 1;
            Assert.False(opener.TryOpen(1, altered, out _));
            Assert.False(opener.TryOpen(1, parts[1].AsSpan(1), out _));
            Assert.False(opener.TryOpen(0, parts[1], out _));
            Assert.False(opener.TryOpen(1, parts[0], out _));
            Assert.False(opener.TryOpen(2, parts[1], out _));
            Assert.False(opener.TryOpen(-1, parts[1], out _));
            Assert.False(opener.TryOpen(1, Seal(content, key)[1], out _));
        }
        Assert.False(AttachmentOpener.TryCreate(Account, default, key, content.Length, parts[0], out _));
        Assert.False(AttachmentOpener.TryCreate(AccountNumber.Read([1, .. new byte[9]]), Id, key, content.Length, parts[0], out _));
        Assert.False(AttachmentOpener.TryCreate(Account, Id, AttachmentParts.NewKey(), content.Length, parts[0], out _));
        Assert.False(AttachmentOpener.TryCreate(Account, Id, key, content.Length, parts[0].AsSpan(0, 20), out _));
    }

    [Fact]
    public void A_shorter_length_than_was_sealed_finds_content_in_the_padding()
    {
        byte[] content = [.. Enumerable.Repeat((byte)9, 100)], key = AttachmentParts.NewKey();
        var parts = Seal(content, key);
        Assert.True(AttachmentOpener.TryCreate(Account, Id, key, 99, parts[0], out var opener));
        using (opener)
        {
            Assert.False(opener.TryOpen(0, parts[0], out _));
        }
    }

    // A message that carries an attachment says its length. Whoever sealed the message may have written any.
    [Theory]
    [InlineData(-1)]
    [InlineData(AttachmentParts.MaxLength + 1)]
    [InlineData(long.MaxValue)]
    public void A_length_that_no_attachment_has_is_refused(long length)
    {
        byte[] key = AttachmentParts.NewKey();
        Assert.False(AttachmentOpener.TryCreate(Account, Id, key, length, Seal([1, 2, 3], key)[0], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => AttachmentParts.Count(length));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AttachmentSealer(Account, Id, key, length));
    }

    [Fact]
    public void The_longest_attachment_has_no_more_parts_than_can_be_numbered()
    {
        Assert.Equal(65_025, AttachmentParts.Count(AttachmentParts.MaxLength));
        Assert.True(AttachmentParts.PaddedLength(AttachmentParts.MaxLength + 1) / Part >= 65_536);
    }

    [Fact]
    public void Another_length_than_was_sealed_opens_nothing()
    {
        byte[] content = [.. Enumerable.Repeat((byte)9, Part + 100)], key = AttachmentParts.NewKey();
        var parts = Seal(content, key);
        foreach (long length in (long[])[0, 1, Part - 1, Part, 2L * Part, 100L * Part, AttachmentParts.MaxLength])
        {
            Assert.True(AttachmentOpener.TryCreate(Account, Id, key, length, parts[0], out var opener));
            using (opener)
            {
                Assert.False(opener.TryOpen(AttachmentParts.Count(length) - 1, parts[^1], out _));
            }
        }
    }

    [Fact]
    public void A_part_that_is_not_full_is_our_own_mistake()
    {
        using var sealer = new AttachmentSealer(Account, Id, AttachmentParts.NewKey(), 100);
        Assert.Throws<ArgumentException>(() => sealer.Seal(new byte[99]));
    }

    private static List<byte[]> Seal(byte[] content, byte[] key)
    {
        using var sealer = new AttachmentSealer(Account, Id, key, content.Length);
        var parts = new List<byte[]>();
        for (int part = 0; part < AttachmentParts.Count(content.Length); part++)
        {
            int from = Math.Min(part * Part, content.Length);
            parts.Add(sealer.Seal(content.AsSpan(from, Math.Min(Part, content.Length - from))));
        }
        return parts;
    }
}
