using System.Security.Cryptography;
using Cloister.Vault.Unlockers;
using CsCheck;

namespace Cloister.Vault.Tests.Unlockers;

public class TrusteesTests
{
    [Fact]
    public void Any_sufficient_shares_give_the_secret_and_fewer_do_not() => Gen.Select(Gen.Int[2, 8], Gen.Int[0, 8], Gen.Int).Sample((needed, more, seed) =>
    {
        int count = Math.Min(needed + more, 16);
        var (unlocker, secret, shares) = Trustees.Generate(needed, count);
        string[] chosen = [.. shares];
        new Random(seed).Shuffle(chosen);
        Assert.True(Trustees.TryJoin(chosen[..needed], out var found, out byte[] joined, out _));
        Assert.Equal(secret, joined);
        Assert.Equal(unlocker, found);
        Assert.False(Trustees.TryJoin(chosen[..(needed - 1)], out _, out _, out var fault));
        Assert.Equal(new SharesFault(SharesFaultKind.TooFew, needed), fault);
    }, iter: 100);

    // With one share of two, every value of the secret is as likely: for each there is a second share that gives it.
    [Fact]
    public void One_share_of_two_says_nothing()
    {
        byte[] share = RandomNumberGenerator.GetBytes(32), coefficients = new byte[32];
        for (int guess = 0; guess < 256; guess++)
        {
            byte[] secret = new byte[32];
            secret[0] = (byte)guess;
            coefficients[0] = (byte)(share[0] ^ guess);
            var made = Trustees.Split(secret, 2, 2, new byte[8], coefficients);
            Assert.True(Trustees.TryJoin(made, out _, out byte[] joined, out _));
            Assert.Equal(secret, joined);
        }
    }

    [Fact]
    public void Shares_that_do_not_belong_together_are_named()
    {
        var one = Trustees.Generate(2, 3).Shares;
        var other = Trustees.Generate(2, 3).Shares;
        Assert.Equal(new(SharesFaultKind.Mixed, 2), Fault(one[0], other[1]));
        Assert.Equal(new(SharesFaultKind.Repeated, 2), Fault(one[0], one[0]));
        Assert.Equal(new(SharesFaultKind.TooFew, 2), Fault());
        Assert.Equal(new(SharesFaultKind.Unreadable, 2), Fault(one[0], "not a share"));
        for (int at = 0; at < one[1].Length; at++)
        {
            if (one[1][at] != '-')
            {
                string spoiled = one[1].Remove(at, 1).Insert(at, one[1][at] == '0' ? "2" : "0");
                Assert.Equal(new(SharesFaultKind.Unreadable, 2), Fault(one[0], spoiled));
            }
        }
    }

    [Fact]
    public void A_share_is_read_in_any_case_and_spacing()
    {
        var (_, secret, shares) = Trustees.Generate(2, 2);
        Assert.True(Trustees.TryJoin([shares[0].ToLowerInvariant(), shares[1].Replace('-', ' ')], out _, out byte[] joined, out _));
        Assert.Equal(secret, joined);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(4, 3)]
    [InlineData(2, 17)]
    public void Numbers_out_of_range_are_our_own_mistake(int needed, int shares) => Assert.ThrowsAny<ArgumentOutOfRangeException>(() => Trustees.Generate(needed, shares));

    private static SharesFault Fault(params string[] shares)
    {
        Assert.False(Trustees.TryJoin(shares, out _, out _, out var fault));
        return fault;
    }
}
