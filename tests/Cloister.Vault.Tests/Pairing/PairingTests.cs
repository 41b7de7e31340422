using Cloister.Ledger;
using Cloister.Vault.Pairing;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Tests.Pairing;

public sealed class PairingTests : IAsyncLifetime
{
    private EpochRecord _epoch = null!;
    private NewDevice _device = null!;

    public async ValueTask InitializeAsync()
    {
        (_epoch, _device) = (await NewEpochAsync(), await NewDeviceAsync());
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public void Both_sides_show_the_same_digits_and_mean_the_same_account()
    {
        var (digits, result) = Run(message => message);
        Assert.Equal(6, digits.Length);
        Assert.Equal(digits, result!.Digits);
        Assert.Equal(_epoch.Account, result.Account);
        Assert.Equal(_epoch.KeyCommitment.ToArray(), result.KeyCommitment.ToArray());
    }

    // Each byte of each message, one at a time: refused, or the digits differ. One in a million agrees by chance.
    [Fact]
    public void A_message_that_was_changed_on_its_way_shows()
    {
        int agreed = 0, tried = 0;
        for (int number = 1; number <= 4; number++)
        {
            for (int at = 0; at < (number == 1 ? 1266 : 79); at += number == 1 ? 61 : 1)
            {
                int current = 0;
                var (digits, result) = Run(message =>
                {
                    byte[] bytes = message.ToArray();
                    if (++current == number && at < bytes.Length)
                    {
                        bytes[at] ^= 1;
                        tried++;
                    }
                    return bytes;
                });
                agreed += result is not null && result.Digits == digits && digits.Length > 0 && at < Length(number) ? 1 : 0;
            }
        }
        Assert.True(tried > 150);
        Assert.True(agreed <= 1, $"{agreed} of {tried} agreed.");
    }

    // It speaks to each side as the other. It must promise to the new device before it hears its nonce, and hears the old device's promise before that one's nonce.
    [Fact]
    public async Task Somebody_in_the_middle_cannot_make_the_digits_agree()
    {
        int agreed = 0;
        var (mine, other) = (await NewDeviceAsync(), await NewEpochAsync());
        for (int i = 0; i < 300; i++)
        {
            var toOld = new PairingNewSide(mine);
            var fresh = new PairingNewSide(_device);
            Assert.True(PairingOldSide.TryBegin(toOld.First.Span, null, _epoch, out var old, out _));
            Assert.True(PairingOldSide.TryBegin(fresh.First.Span, null, other, out var toNew, out _));
            Assert.True(fresh.TryAnswer(toNew.Promise.Span, out var answer));
            Assert.True(old.TryReveal(answer.Span, out _, out string shown));
            Assert.True(toNew.TryReveal(answer.Span, out var reveal, out _));
            Assert.True(fresh.TryFinish(reveal.Span, out var result));
            agreed += result.Digits == shown ? 1 : 0;
        }
        Assert.True(agreed <= 1);
    }

    [Fact]
    public async Task A_fingerprint_from_a_QR_code_refuses_another_device()
    {
        var side = new PairingNewSide(_device);
        Assert.True(PairingOldSide.TryBegin(side.First.Span, side.Fingerprint(), _epoch, out _, out _));
        Assert.False(PairingOldSide.TryBegin(new PairingNewSide(await NewDeviceAsync()).First.Span, side.Fingerprint(), _epoch, out _, out _));
    }

    [Fact]
    public void A_promise_is_taken_once()
    {
        var side = new PairingNewSide(_device);
        Assert.True(PairingOldSide.TryBegin(side.First.Span, null, _epoch, out var old, out _));
        Assert.True(side.TryAnswer(old.Promise.Span, out _));
        Assert.False(side.TryAnswer(old.Promise.Span, out _));
        Assert.False(new PairingNewSide(_device).TryFinish(new byte[79], out _));
    }

    // Otherwise somebody in the middle, who knows message 4 once it was sent, would try answers until the digits agree: a million at most.
    [Fact]
    public void An_answer_is_taken_once()
    {
        var side = new PairingNewSide(_device);
        Assert.True(PairingOldSide.TryBegin(side.First.Span, null, _epoch, out var old, out _));
        Assert.True(side.TryAnswer(old.Promise.Span, out var answer));
        Assert.True(old.TryReveal(answer.Span, out var reveal, out _));
        Assert.False(old.TryReveal(answer.Span, out var again, out string digits));
        Assert.True(again.IsEmpty && digits.Length == 0);
        Assert.True(side.TryFinish(reveal.Span, out _));
        Assert.False(side.TryFinish(reveal.Span, out _));
    }

    [Fact]
    public void A_message_that_does_not_fit_ends_it()
    {
        var side = new PairingNewSide(_device);
        Assert.True(PairingOldSide.TryBegin(side.First.Span, null, _epoch, out var old, out _));
        Assert.False(side.TryAnswer(new byte[5], out _));
        Assert.False(side.TryAnswer(old.Promise.Span, out _));
        Assert.False(old.TryReveal(new byte[5], out _, out _));
        Assert.False(old.TryReveal(new byte[] { 1 }.Concat(new byte[32]).ToArray(), out _, out _));

        var other = new PairingNewSide(_device);
        Assert.True(PairingOldSide.TryBegin(other.First.Span, null, _epoch, out var second, out _));
        Assert.True(other.TryAnswer(second.Promise.Span, out var answer));
        Assert.True(second.TryReveal(answer.Span, out var reveal, out _));
        byte[] spoiled = reveal.ToArray();
        spoiled[^1] ^= 1;
        Assert.False(other.TryFinish(spoiled, out _));
        Assert.False(other.TryFinish(reveal.Span, out _));
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\u202eb")]
    [InlineData("a\u2028b")]
    public void A_label_that_would_change_what_is_read_around_it_is_refused(string label)
    {
        byte[] bytes = (_device with { Label = label }).ToBytes();
        Assert.False(NewDevice.TryParse(bytes, out _, out var error));
        Assert.Equal("label", error.Field);
    }

    [Fact]
    public void What_a_new_device_says_reads_back()
    {
        byte[] bytes = _device.ToBytes();
        Assert.True(NewDevice.TryParse(bytes, out var read, out _));
        Assert.Equal(bytes, read.ToBytes());
        for (int length = 0; length < bytes.Length; length += 7)
        {
            Assert.False(NewDevice.TryParse(bytes.AsSpan(0, length), out _, out _));
        }
        Assert.Throws<ArgumentException>(() => (_device with { Label = new string('x', 65) }).ToBytes());
    }

    [Fact]
    public void A_code_is_read_as_people_type_it()
    {
        string slot = PairingSlot.Generate();
        Assert.True(PairingSlot.TryParse(slot.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), out string? read));
        Assert.Equal(slot, read);
        Assert.False(PairingSlot.TryParse(slot[..^1], out _));
        Assert.False(PairingSlot.TryParse(slot + "0", out _));
    }

    private (string Digits, PairingResult? Result) Run(Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> carry)
    {
        var fresh = new PairingNewSide(_device);
        if (!PairingOldSide.TryBegin(carry(fresh.First).Span, null, _epoch, out var old, out _) || !fresh.TryAnswer(carry(old.Promise).Span, out var answer))
        {
            return ("", null);
        }
        return old.TryReveal(carry(answer).Span, out var reveal, out string digits) && fresh.TryFinish(carry(reveal).Span, out var result) ? (digits, result) : (digits, null);
    }

    private static int Length(int number) => number switch { 1 => 1266, 2 or 3 => 33, _ => 79 };

    private static async Task<EpochRecord> NewEpochAsync()
    {
        using var device = MemorySecret.GenerateDevice();
        return (await new MemoryCustody().CreateAsync(AccountNumber.Generate(), [new(default, device)])).Record;
    }

    private static async Task<NewDevice> NewDeviceAsync()
    {
        using var secret = MemorySecret.GenerateDevice();
        return new(Identity.Generate(), await secret.SignInKeyAsync(default), await secret.PublicKeyAsync(default), "Laptop in Zürich");
    }
}
