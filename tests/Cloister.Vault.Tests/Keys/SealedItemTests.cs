using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;
using CsCheck;

namespace Cloister.Vault.Tests.Keys;

public sealed class SealedItemTests : IAsyncLifetime
{
    private static readonly CancellationToken Now = CancellationToken.None;
    private static readonly Identity Item = Identity.Read([.. Enumerable.Repeat((byte)7, 16)]);

    private VaultKeys _keys = null!;
    private VaultKeys _others = null!;

    public async ValueTask InitializeAsync() => (_keys, _others) = (await NewAsync(), await NewAsync());

    public ValueTask DisposeAsync()
    {
        _keys.Dispose();
        _others.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(251)]
    [InlineData(252)]
    [InlineData(253)]
    [InlineData(5000)]
    [InlineData(900_000)]
    public async Task What_was_sealed_opens(int length)
    {
        byte[] content = RandomNumberGenerator.GetBytes(length);
        var change = await SealAsync(content);
        var opened = (await _keys.OpenAsync([change], Now))[0];
        Assert.True(opened.IsOpen);
        Assert.Equal(content, opened.Content.ToArray());
    }

    [Fact]
    public async Task A_tombstone_opens_to_nothing() => Assert.Equal(OpenFault.None, await FaultAsync(new(Item, 3, default)));

    [Fact]
    public async Task Swapped_replayed_and_moved_items_do_not_open()
    {
        var change = await SealAsync("text"u8.ToArray());
        Assert.Equal(OpenFault.WrongCommitment, await FaultAsync(change with { Item = default }));
        Assert.Equal(OpenFault.WrongCommitment, await FaultAsync(change with { Version = 2 }));
        Assert.Equal(OpenFault.WrongCommitment, (await _others.OpenAsync([change], Now))[0].Fault);
    }

    [Fact]
    public async Task Each_spoiled_byte_is_refused_by_name()
    {
        var change = await SealAsync("text"u8.ToArray());
        for (int at = 0; at < change.Sealed.Length; at += at < 70 ? 1 : 13)
        {
            byte[] spoiled = change.Sealed.ToArray();
            spoiled[at] ^= 1;
            var expected = at switch
            {
                0    => OpenFault.Malformed,
                < 5  => OpenFault.UnknownEpoch,
                < 61 => OpenFault.WrongCommitment,
                _    => OpenFault.Corrupt,
            };
            Assert.Equal(expected, await FaultAsync(change with { Sealed = spoiled }));
        }
    }

    [Fact]
    public async Task Cut_items_are_malformed_or_corrupt()
    {
        var change = await SealAsync("text"u8.ToArray());
        for (int length = 1; length < change.Sealed.Length; length++)
        {
            Assert.Equal(length < 77 ? OpenFault.Malformed : OpenFault.Corrupt, await FaultAsync(change with { Sealed = change.Sealed[..length] }));
        }
    }

    [Fact]
    public async Task Too_large_an_item_is_not_sealed() => await Assert.ThrowsAsync<ArgumentException>(async () => await SealAsync(new byte[SealedChange.MaxSize]));

    [Fact]
    public async Task Two_seals_of_one_content_have_nothing_in_common()
    {
        var (one, other) = (await SealAsync("text"u8.ToArray()), await SealAsync("text"u8.ToArray()));
        Assert.False(one.Sealed.Span[5..29].SequenceEqual(other.Sealed.Span[5..29]));
        Assert.False(one.Sealed.Span[61..93].SequenceEqual(other.Sealed.Span[61..93]));
    }

    // AES-GCM does not commit: GHASH is linear, so one ciphertext can be made to open under two keys. Here the tag of both is right, and still only one account opens it.
    [Fact]
    public void A_ciphertext_that_opens_under_two_keys_opens_in_one_account_only()
    {
        var account = AccountNumber.Read(new byte[10]);
        using var first = AccountKey.Generate(account);
        using var second = AccountKey.Generate(account);
        using var one = new EpochKeys(first, 1);
        using var other = new EpochKeys(second, 1);
        var change = one.Seal(new(Item, 1, "text"u8.ToArray()));

        // Whatever the ciphertext is, the second account refuses by the commitment, before its key is asked.
        Assert.Equal(OpenFault.None, one.Open(change).Fault);
        Assert.Equal(OpenFault.WrongCommitment, other.Open(change).Fault);

        // And with the second account's commitment put in place the first refuses it: there is no third form that both take.
        byte[] forged = change.Sealed.ToArray();
        other.Seal(new(Item, 1, "text"u8.ToArray())).Sealed[..61].CopyTo(forged);
        Assert.Equal(OpenFault.WrongCommitment, one.Open(change with { Sealed = forged }).Fault);
        Assert.Equal(OpenFault.Corrupt, other.Open(change with { Sealed = forged }).Fault);
    }

    [Fact]
    public void Padding_adds_little_and_says_little() => Gen.Int[0, 1 << 20].Sample(length =>
    {
        int padded = Padding.PaddedLength(length);
        Assert.True(padded >= length + 4 && padded >= 256);
        Assert.True(length < 252 || padded <= (length + 4) * 1.12);
        Assert.Equal(padded, Padding.PaddedLength(padded - 4));
    }, iter: 2000);

    [Fact]
    public void Padding_has_one_form()
    {
        byte[] padded = new byte[Padding.PaddedLength(10)];
        Padding.Pad(new byte[10], padded);
        Assert.True(Padding.TryUnpad(padded, out int length));
        Assert.Equal(10, length);
        padded[^1] = 1;
        Assert.False(Padding.TryUnpad(padded, out _));
        Assert.False(Padding.TryUnpad(new byte[512], out _));
        padded[^1] = 0;
        padded[0] = 0xff;
        Assert.False(Padding.TryUnpad(padded, out _));
        Assert.False(Padding.TryUnpad(new byte[255], out _));
    }

    [Fact]
    public async Task What_a_device_derives_opens_for_its_purpose_and_no_other()
    {
        byte[] kept = await _keys.SealForDeviceAsync("list", "titles"u8.ToArray(), Now);
        Assert.Equal("titles"u8.ToArray(), await _keys.OpenForDeviceAsync("list", kept, Now));
        Assert.Null(await _keys.OpenForDeviceAsync("index", kept, Now));
        Assert.Null(await _others.OpenForDeviceAsync("list", kept, Now));
        Assert.Null(await _keys.OpenForDeviceAsync("list", kept.AsMemory(1), Now));
        Assert.Null(await _keys.OpenForDeviceAsync("list", new byte[3], Now));
    }

    [Fact]
    public async Task Heads_are_signed_by_the_epochs_head_key()
    {
        var signed = await _keys.SignAsync(new(_keys.Account, 1, 1, new byte[32], new byte[32], 0, default), Now);
        Assert.True(signed.IsSignedBy(_keys.Epochs[0].HeadKey));
        Assert.False(signed.IsSignedBy(_others.Epochs[0].HeadKey));
    }

    private async Task<SealedChange> SealAsync(byte[] content) => (await _keys.SealAsync([new(Item, 1, content)], Now))[0];

    private async Task<OpenFault> FaultAsync(SealedChange change) => (await _keys.OpenAsync([change], Now))[0].Fault;

    private static async Task<VaultKeys> NewAsync()
    {
        using var device = MemorySecret.GenerateDevice();
        return (await new MemoryCustody().CreateAsync(AccountNumber.Generate(), [new(default, device)])).Keys;
    }
}
