using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Tests.Unlockers;

/// <summary>
/// Epoch records that the operator makes itself, without an account key. Signatures lead from one record to the next, and the first is signed by its own key: who replaces the first signs the
/// second anew. What holds a head key to its account is that it is sealed under the account key, in every record.
/// </summary>
public sealed class ForgedEpochTests : IAsyncLifetime
{
    private readonly MemoryCustody _custody = new();
    private readonly RecoveryWords _words = RecoveryWords.Generate();
    private readonly AccountNumber _account = AccountNumber.Generate();
    private UnlockerSecret _secret = null!;
    private ImmutableArray<EpochRecord> _epochs = [];
    private StoredWraps _wraps = null!;

    public async ValueTask InitializeAsync()
    {
        _secret = await _words.ToSecretAsync(_custody);
        var first = await _custody.CreateAsync(_account, [new(_words.Unlocker, _secret)]);
        using var one = (await _custody.UnlockAsync(_secret, new(_words.Unlocker, first.Wraps[_words.Unlocker], default), [first.Record], null)).Unlocked!;
        var second = await one.NewEpochAsync([new(_words.Unlocker, UnlockerKind.RecoveryWords, await _secret.PublicKeyAsync(_account))]);
        _epochs = [first.Record, second.Record];
        _wraps = new(_words.Unlocker, first.Wraps[_words.Unlocker], second.Wraps[_words.Unlocker]);
    }

    public ValueTask DisposeAsync()
    {
        _secret.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_records_as_they_were_made_open() => Assert.Equal(UnlockFault.None, await TryAsync(_epochs));

    // With a head key of its own in the first epoch an operator could sign any selection of the account's items as that epoch's newest state, and show it to a new device.
    [Fact]
    public async Task A_head_key_that_was_put_into_an_earlier_epoch_is_refused()
    {
        using var own = Ed25519PrivateKey.Generate();
        var first = Sign([.. EpochRecord.Begin(_account, 1, own.PublicKey, _epochs[0].KeyCommitment.Span), .. _epochs[0].SealedHeadKey.Span], own);
        var second = Sign(_epochs[1].SignedBytes.ToArray(), own);
        Assert.True(EpochChain.IsWhole([first, second], _account));
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync([first, second]));
    }

    [Fact]
    public async Task A_head_key_that_was_put_into_the_only_epoch_is_refused()
    {
        using var own = Ed25519PrivateKey.Generate();
        var only = Sign([.. EpochRecord.Begin(_account, 1, own.PublicKey, _epochs[0].KeyCommitment.Span), .. _epochs[0].SealedHeadKey.Span], own);
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync([only]));
    }

    // The key of a renewed wrap is the operator's own invention, and so is all of its epoch. It does not know what to seal as the key before.
    [Fact]
    public async Task A_next_epoch_by_somebody_who_does_not_know_the_account_key_is_refused()
    {
        using var own = Ed25519PrivateKey.Generate();
        var first = Sign([.. EpochRecord.Begin(_account, 1, own.PublicKey, _epochs[0].KeyCommitment.Span), .. _epochs[0].SealedHeadKey.Span], own);
        using var invented = Vault.Keys.AccountKey.Generate(_account);
        using var guessed = Vault.Keys.AccountKey.Generate(_account);
        byte[] seed = RandomNumberGenerator.GetBytes(32);
        var second = Sign(EpochSealing.Make(invented, 2, guessed, seed, seed).SignedBytes.ToArray(), own);
        Assert.True(Wrap.TrySealToKey(await _secret.PublicKeyAsync(_account), invented.Bytes, 2, Wrap.Associated(_account, _words.Unlocker, UnlockerKind.RecoveryWords, 2), out byte[] renewed));
        Assert.Equal(UnlockFault.BrokenEpochs, await TryAsync([first, second], renewed));
    }

    private async Task<UnlockFault> TryAsync(ImmutableArray<EpochRecord> epochs, byte[]? renewed = null)
    {
        var outcome = await _custody.UnlockAsync(_secret, renewed is null ? _wraps : _wraps with { Renewed = renewed }, epochs, null);
        outcome.Unlocked?.Dispose();
        return outcome.Fault;
    }

    private static EpochRecord Sign(byte[] signed, Ed25519PrivateKey key)
    {
        byte[] signature = new byte[Ed25519PrivateKey.SignatureSize];
        key.Sign(signed, signature);
        return EpochRecord.TryParse([.. signed, .. signature], out var record, out var error) ? record : throw new InvalidOperationException($"{error}");
    }
}
