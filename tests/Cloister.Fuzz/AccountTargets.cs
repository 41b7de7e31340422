using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cloister.Client.Accounts;

namespace Cloister.Fuzz;

/// <summary>What the operator answers of an account, and what a person scans or types to pair a device.</summary>
internal static class AccountTargets
{
    public static void Listing(ReadOnlySpan<byte> input)
    {
        if (Read(input, AccountJson.Default.ListingJson) is { } json && AccountListing.Read(json) is { } listing)
        {
            Targets.Require(listing.Epochs.Length > 0 && listing.Epochs.All(epoch => epoch.Account == listing.Account) && listing.Unlockers.Length <= AccountUnlocker.MaxCount);
            Targets.Require(listing.Unlockers.All(one => one.Wrap is not { IsEmpty: true } && one.Renewed is not { IsEmpty: true } && AccountUnlocker.Read(one.ToJson()) is { } again && again.ToJson() == one.ToJson()));
        }
    }

    public static void Session(ReadOnlySpan<byte> input)
    {
        if (Read(input, AccountJson.Default.SessionJson) is { } json && AccountToken.Read(json) is { } token)
        {
            Targets.Require(token.Text.Length == 43 && !$"{token}".Contains(token.Text, StringComparison.Ordinal));
        }
    }

    /// <summary>However it is cut, a feed gives sequences or ends.</summary>
    public static void Feed(ReadOnlySpan<byte> input)
    {
        var feed = new HeadFeed(new MemoryStream(input.ToArray()));
        int heads = 0;
        while (feed.NextAsync(CancellationToken.None).GetAwaiter().GetResult() is not null)
        {
            heads++;
        }
        Targets.Require(heads <= input.Length / 16);
    }

    public static void Link(ReadOnlySpan<byte> input)
    {
        if (PairingLink.TryRead(Encoding.UTF8.GetString(input), out string slot, out byte[]? fingerprint))
        {
            Targets.Require(slot.Length == 9 && fingerprint is null or { Length: 32 });
            Targets.Require(PairingLink.TryRead(slot, out string again, out _) && again == slot);
        }
    }

    private static T? Read<T>(ReadOnlySpan<byte> input, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(input, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
