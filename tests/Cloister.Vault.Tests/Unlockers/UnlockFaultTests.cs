using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Tests.Unlockers;

/// <summary>An account of three epochs, which its words missed two of. Then a test for each thing an operator could put in place of what it holds.</summary>
public sealed class UnlockFaultTests : IAsyncLifetime
{
    private readonly MemoryCustody _custody = new();
    private readonly RecoveryWords _words = RecoveryWords.Generate();
    private readonly AccountNumber _account = AccountNumber.Generate();
    private UnlockerSecret _secret = null!;
    private ImmutableArray<EpochRecord> _epochs = [];
    private StoredWraps _wraps = null!;
    private ReadOnlyMemory<byte> _second;

    public async ValueTask InitializeAsync()
    {
        _secret = await _words.ToSecretAsync(_custody);
        using var device = await _custody.NewDeviceSecretAsync();
        var id = Identity.Generate();
        UnlockerSlot absent = new(_words.Unlocker, UnlockerKind.RecoveryWords, await _secret.PublicKeyAsync(_account));
        var first = await _custody.CreateAsync(_account, [new(id, device), new(_words.Unlocker, _secret)]);
        using var one = (await _custody.UnlockAsync(device, new(id, first.Wraps[id], default), [first.Record], null)).Unlocked!;
        var second = await one.NewEpochAsync([new(id, device), absent]);
        using var two = (await _custody.UnlockAsync(device, new(id, second.Wraps[id], default), [first.Record, second.Record], null)).Unlocked!;
        var third = await two.NewEpochAsync([new(id, device), absent]);
        _epochs = [first.Record, second.Record, third.Record];
        _wraps = new(_words.Unlocker, first.Wraps[_words.Unlocker], third.Wraps[_words.Unlocker]);
        _second = second.Wraps[_words.Unlocker];
    }

    public ValueTask DisposeAsync()
    {
        _secret.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_is_held_opens_through_all_epochs() => Assert.Equal(UnlockFault.None, await TryAsync(_wraps, _epochs));

    [Fact]
    public async Task Epochs_withheld_swapped_foreign_or_none_are_broken()
    {
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync(_wraps, []));
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync(_wraps, [_epochs[0], _epochs[2]]));
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync(_wraps, [_epochs[0], _epochs[2], _epochs[1]]));
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync(_wraps, _epochs[1..]));
        var other = new UnlockFaultTests();
        await other.InitializeAsync();
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync(_wraps, [_epochs[0], other._epochs[1], _epochs[2]]));
        Assert.Equal(UnlockFault.WrongSecret, await TryAsync(_wraps, other._epochs));
    }

    [Fact]
    public async Task The_newest_epoch_withheld_leaves_a_wrap_that_is_of_none() => Assert.Equal(UnlockFault.Malformed, await TryAsync(_wraps, _epochs[..2]));

    [Fact]
    public async Task An_older_renewal_is_not_of_the_newest_epoch() => Assert.Equal(UnlockFault.Malformed, await TryAsync(_wraps with { Renewed = _second }, _epochs));

    [Fact]
    public async Task Without_a_renewal_the_unlocker_was_removed() => Assert.Equal(UnlockFault.Removed, await TryAsync(_wraps with { Renewed = default }, _epochs));

    [Fact]
    public async Task A_wrap_of_another_unlocker_does_not_open() => Assert.Equal(UnlockFault.WrongSecret, await TryAsync(_wraps with { Unlocker = default }, _epochs));

    [Fact]
    public async Task Wraps_of_no_form_are_malformed()
    {
        Assert.Equal(UnlockFault.Malformed, await TryAsync(_wraps with { Wrap = default }, _epochs));
        Assert.Equal(UnlockFault.Malformed, await TryAsync(_wraps with { Wrap = new byte[WrapFormat.BySecretSize] }, _epochs));
        Assert.Equal(UnlockFault.Malformed, await TryAsync(_wraps with { Wrap = _wraps.Wrap[..^1] }, _epochs));
        Assert.Equal(UnlockFault.Malformed, await TryAsync(_wraps with { Renewed = _wraps.Wrap }, _epochs));
    }

    [Fact]
    public async Task Each_spoiled_byte_of_either_wrap_is_refused()
    {
        foreach (bool renewed in (bool[])[false, true])
        {
            var wrap = renewed ? _wraps.Renewed : _wraps.Wrap;
            for (int at = 0; at < wrap.Length; at += renewed && at is > 40 and < 1100 ? 97 : 3)
            {
                byte[] spoiled = wrap.ToArray();
                spoiled[at] ^= 1;
                Assert.NotEqual(UnlockFault.None, await TryAsync(renewed ? _wraps with { Renewed = spoiled } : _wraps with { Wrap = spoiled }, _epochs));
            }
        }
    }

    // The operator knows the words' public key, and can wrap a key of its own to it. It is none of this account's.
    [Fact]
    public async Task A_renewal_that_the_operator_made_itself_is_refused()
    {
        using var invented = Vault.Keys.AccountKey.Generate(_account);
        byte[] associated = Wrap.Associated(_account, _words.Unlocker, UnlockerKind.RecoveryWords, 3);
        Assert.True(Wrap.TrySealToKey(await _secret.PublicKeyAsync(_account), invented.Bytes, 3, associated, out byte[] wrap));
        Assert.Equal(UnlockFault.WrongCommitment, await TryAsync(_wraps with { Renewed = wrap }, _epochs));
    }

    [Fact]
    public async Task Each_spoiled_byte_of_a_record_breaks_the_epochs()
    {
        for (int epoch = 0; epoch < 3; epoch++)
        {
            for (int at = 0; at < _epochs[epoch].Bytes.Length; at += 5)
            {
                byte[] spoiled = _epochs[epoch].Bytes.ToArray();
                spoiled[at] ^= 1;
                if (EpochRecord.TryParse(spoiled, out var record, out _))
                {
                    Assert.NotEqual(UnlockFault.None, await TryAsync(_wraps, _epochs.SetItem(epoch, record)));
                }
            }
        }
    }

    // Numbers of faults are shown and stored: a new one takes a new number.
    [Fact]
    public void The_faults_have_their_numbers() => Assert.Equal(["Untried", "None", "WrongSecret", "Malformed", "BrokenEpochs", "WrongCommitment", "Removed"], Enum.GetNames<UnlockFault>());

    [Fact]
    public async Task A_public_key_that_is_none_is_our_own_mistake()
    {
        using var unlocked = (await _custody.UnlockAsync(_secret, _wraps, _epochs, null)).Unlocked!;
        await Assert.ThrowsAsync<ArgumentException>(async () => await unlocked.WrapAsync(new(default, UnlockerKind.Device, new byte[UnlockerSecret.PublicKeySize])));
        await Assert.ThrowsAsync<ArgumentException>(async () => await unlocked.WrapAsync(new(default, UnlockerKind.Device, new byte[7])));
    }

    private async Task<UnlockFault> TryAsync(StoredWraps wraps, ImmutableArray<EpochRecord> epochs)
    {
        var outcome = await _custody.UnlockAsync(_secret, wraps, epochs, null);
        outcome.Unlocked?.Dispose();
        return outcome.Fault;
    }
}
