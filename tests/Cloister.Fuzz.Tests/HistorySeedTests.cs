using Cloister.Ledger;
using Cloister.Testing;
using Cloister.Vault.Heads;
using Cloister.Vault.History;
using Cloister.Vault.Search;

namespace Cloister.Fuzz.Tests;

/// <summary>A search from seeds that are refused at once finds little.</summary>
public class HistorySeedTests
{
    [Fact]
    public void The_seeds_of_history_heads_and_search_are_well_formed()
    {
        Assert.All([1, 2, 3], number => Assert.True(ItemContent.TryParse(default, Seed("item-content", number), out _, out var fault), $"{fault}"));
        Assert.True(ChangePage.TryParse(Seed("change-feed", 1), out _, out var error), $"{error}");
        Assert.True(Subtree.TryParse(Seed("item-subtree", 1), out _, out error), $"{error}");
        Assert.True(SearchIndex.TryParse(Seed("search-index", 1), out _, out error), $"{error}");
    }

    private static byte[] Seed(string target, int number) => File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus", target, $"{number}"));
}
