using System.Text;
using Cloister.Ledger;
using Cloister.Vault.Keys;
using Cloister.Vault.Pairing;
using Cloister.Vault.Unlockers;

namespace Cloister.Fuzz;

/// <summary>What the operator hands over, what stands in the pairing mailbox, and what a person types to recover.</summary>
internal static class VaultTargets
{
    public static void SignedHead(ReadOnlySpan<byte> input)
    {
        bool read = Ledger.SignedHead.TryParse(input, out var head, out var error);
        Targets.Require(read == head is not null && (read || error.ToString().Length > 0));
        if (head is not null)
        {
            Targets.Require(head.Bytes.Span.SequenceEqual(input) && head.Head.ToBytes().AsSpan().SequenceEqual(input[..Head.Size]));
            _ = head.IsSignedBy(HistorySeeds.Epochs[0].HeadKey);
        }
    }

    public static void Batch(ReadOnlySpan<byte> input)
    {
        if (ChangeBatch.TryParse(input.ToArray(), out var batch, out _))
        {
            Targets.Require(batch.ToBytes().AsSpan().SequenceEqual(input));
            Targets.Require(batch.Changes.Length <= ChangeBatch.MaxChanges && batch.Changes.DistinctBy(change => change.Item).Count() == batch.Changes.Length);
        }
    }

    public static void Page(ReadOnlySpan<byte> input)
    {
        if (ChangePage.TryParse(input.ToArray(), out var page, out _))
        {
            Targets.Require(page.ToBytes().AsSpan().SequenceEqual(input));
            Targets.Require(page.Through <= page.Newest.Head.Sequence && page.Changes.All(change => change.Version > 0));
        }
    }

    public static void Epoch(ReadOnlySpan<byte> input)
    {
        if (!EpochRecord.TryParse(input, out var record, out _))
        {
            return;
        }
        Targets.Require(record.Bytes.Span.SequenceEqual(input) && record.Epoch > 0 && record.SealedPrevious.IsEmpty == (record.Epoch == 1));
        Targets.Require(!(record.IsFirst() && record.Follows(record)));
        Span<byte> seed = stackalloc byte[32];
        _ = EpochSealing.TryOpenHeadSeed(VaultSeeds.Key, record, seed);
        if (record.Epoch > 1)
        {
            EpochSealing.OpenPrevious(VaultSeeds.Key, record)?.Dispose();
        }
    }

    /// <summary>Whatever does not open has a fault and no content, and what opens is as long as its padding says.</summary>
    public static void Item(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        uint? epoch = ItemFormat.Epoch(bytes);
        Targets.Require(epoch is null || bytes.Length >= ItemFormat.HeaderSize);
        if (epoch is not null)
        {
            var opened = VaultSeeds.Epoch.Open(new(default, 1, bytes));
            Targets.Require(opened.IsOpen ? ItemFormat.SealedLength(opened.Content.Length) == bytes.Length : opened.Content.IsEmpty && opened.Fault is OpenFault.WrongCommitment or OpenFault.Corrupt);
        }
        Targets.Require(!Padding.TryUnpad(bytes, out int length) || Padding.PaddedLength(length) == bytes.Length);
    }

    /// <summary>A wrap in either form, as an operator would put it in place of an unlocker's.</summary>
    public static void UnlockerWrap(ReadOnlySpan<byte> input)
    {
        byte[] wrap = input.ToArray();
        bool read = Wrap.TryRead(wrap, out var form, out uint epoch);
        Targets.Require(!read || (epoch > 0 && wrap.Length == (form is WrapForm.BySecret ? WrapFormat.BySecretSize : WrapFormat.ToKeySize)));
        var outcome = new MemoryCustody().UnlockAsync(VaultSeeds.Secret, new(default, wrap, wrap), HistorySeeds.Epochs, null).AsTask();
        Targets.Require(outcome.IsCompletedSuccessfully && outcome.Result.Unlocked is null && outcome.Result.Fault is not UnlockFault.None and not UnlockFault.Untried);
    }

    /// <summary>Each message of pairing, by its length, to the side that reads it.</summary>
    public static void Pairing(ReadOnlySpan<byte> input)
    {
        if (NewDevice.TryParse(input, out var device, out _))
        {
            Targets.Require(device.ToBytes().AsSpan().SequenceEqual(input) && !device.Label.Any(char.IsControl));
        }
        Targets.Require(PairingOldSide.TryBegin(input, null, HistorySeeds.Epochs[0], out var begun, out _) == device is not null);
        Targets.Require(begun is null || begun.Promise.Length == PairingMessages.PromiseSize);

        var fresh = new PairingNewSide(VaultSeeds.Device);
        Targets.Require(fresh.TryAnswer(input, out _) == (input.Length == PairingMessages.PromiseSize && input[0] == PairingMessages.Version));
        Targets.Require(!fresh.TryFinish(input, out _));
        Targets.Require(PairingOldSide.TryBegin(VaultSeeds.Device.ToBytes(), null, HistorySeeds.Epochs[0], out var old, out _));
        bool revealed = old!.TryReveal(input, out var reveal, out string digits);
        Targets.Require(revealed == !reveal.IsEmpty && digits.Length == (revealed ? 6 : 0));
        Targets.Require(!(revealed && old.TryReveal(input, out _, out _)));
    }

    /// <summary>Shares, one to a line.</summary>
    public static void Shares(ReadOnlySpan<byte> input)
    {
        string[] lines = Encoding.UTF8.GetString(input).Split('\n');
        bool joined = Trustees.TryJoin(lines, out _, out byte[] secret, out var fault);
        Targets.Require(joined == fault.Kind is SharesFaultKind.None && secret.Length == (joined ? MemorySecret.Size : 0));
    }

    public static void Words(ReadOnlySpan<byte> input)
    {
        string text = Encoding.UTF8.GetString(input);
        bool read = RecoveryWords.TryParse(text, out var words, out var fault);
        Targets.Require(read == words is not null && read == fault.Kind is WordsFaultKind.None);
        if (words is not null)
        {
            Targets.Require(RecoveryWords.TryParse(words.Text, out var again, out _) && again.Text == words.Text && again.Unlocker == words.Unlocker);
        }
        _ = Passphrase.Check(text);
        Targets.Require(!PairingSlot.TryParse(text, out string? slot) || (PairingSlot.TryParse(slot, out string? same) && same == slot));
    }
}
