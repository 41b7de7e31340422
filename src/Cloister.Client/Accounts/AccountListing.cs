using System.Collections.Immutable;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Client.Accounts;

/// <summary>An account as the operator shows it: well-formed and of one account, otherwise only claimed.</summary>
/// <param name="Account">Whose.</param>
/// <param name="Epochs">As they came, at least one. Whether they follow each other is for <c>KeyCustody</c> to say.</param>
/// <param name="Unlockers">None twice. The operator may have left some out, or put some in.</param>
/// <param name="Head">The newest, or null before the first batch.</param>
/// <param name="Used">Bytes that the account fills.</param>
/// <param name="Quota">Bytes that it may fill.</param>
public sealed record AccountListing(AccountNumber Account, ImmutableArray<EpochRecord> Epochs, ImmutableArray<AccountUnlocker> Unlockers, SignedHead? Head, long Used, long Quota)
{
    // Ours to choose: one removal a day for a century.
    private const int MaxEpochs = 40_000;
    private const int MaxRecord = 1024;

    /// <summary>The unlocker of that identity, or null.</summary>
    public AccountUnlocker? Find(Identity unlocker) => Unlockers.FirstOrDefault(one => one.Id == unlocker);

    // Null for what is not exactly this format.
    internal static AccountListing? Read(ListingJson json)
    {
        if (!JsonForms.TryReadAccount(json.Account, out var account) || json.Epochs.Length is 0 or > MaxEpochs || json.Unlockers.Length > AccountUnlocker.MaxCount || json.Used < 0 || json.Quota < 0)
        {
            return null;
        }
        var epochs = ImmutableArray.CreateBuilder<EpochRecord>(json.Epochs.Length);
        foreach (string text in json.Epochs)
        {
            if (text is not { Length: <= MaxRecord } || !Base64.TryDecodeUrl(text, out byte[]? bytes) || !EpochRecord.TryParse(bytes, out var record, out _) || record.Account != account)
            {
                return null;
            }
            epochs.Add(record);
        }
        var unlockers = json.Unlockers.Select(one => one is null ? null : AccountUnlocker.Read(one)).ToList();
        if (unlockers.Contains(null) || unlockers.DistinctBy(one => one!.Id).Count() != unlockers.Count)
        {
            return null;
        }
        SignedHead? head = null;
        if (json.Head is not null && !(json.Head.Length <= MaxRecord && Base64.TryDecodeUrl(json.Head, out byte[]? signed) && SignedHead.TryParse(signed, out head, out _)))
        {
            return null;
        }
        return new(account, epochs.MoveToImmutable(), [.. unlockers.Select(one => one!)], head, json.Used, json.Quota);
    }
}
