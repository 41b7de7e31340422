using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Web.Shelf;

/// <summary>The order that a user gave to pinned conversations.</summary>
internal static class Ordering
{
    /// <summary>The places to write so that <paramref name="moved"/> comes to stand at <paramref name="target"/> among <paramref name="pinned"/>, which are in order and may hold it.</summary>
    /// <remarks>One place is written where there is room between the neighbours, and all of them where two have the same place or none.</remarks>
    public static IReadOnlyList<(Identity Conversation, FractionalIndex Order)> Move(IReadOnlyList<ConversationHeader> pinned, Identity moved, int target)
    {
        var others = pinned.Where(header => header.Id != moved).ToList();
        target = Math.Clamp(target, 0, others.Count);
        var before = target > 0 ? others[target - 1].Order : null;
        var after = target < others.Count ? others[target].Order : null;
        bool known = (target == 0 || before is not null) && (target == others.Count || after is not null);
        if (known && (before is null || after is null || before.Value < after.Value))
        {
            return [(moved, FractionalIndex.Between(before, after))];
        }
        List<Identity> all = [.. others.Take(target).Select(header => header.Id), moved, .. others.Skip(target).Select(header => header.Id)];
        return [.. all.Zip(FractionalIndex.Spread(null, null, all.Count))];
    }
}
