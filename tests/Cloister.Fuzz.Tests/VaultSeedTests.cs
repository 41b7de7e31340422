using System.Text;
using Cloister.Ledger;
using Cloister.Testing;
using Cloister.Vault.Pairing;
using Cloister.Vault.Unlockers;

namespace Cloister.Fuzz.Tests;

/// <summary>A search from seeds that are refused at once finds little.</summary>
public class VaultSeedTests
{
    [Fact]
    public void The_seeds_of_the_ledger_are_well_formed()
    {
        Assert.True(SignedHead.TryParse(Seed("signed-head", 1), out _, out var error), $"{error}");
        Assert.True(ChangeBatch.TryParse(Seed("change-batch", 1), out _, out error), $"{error}");
        Assert.True(ChangePage.TryParse(Seed("change-page", 1), out _, out error), $"{error}");
        Assert.All([1, 2], number => Assert.True(EpochRecord.TryParse(Seed("epoch-record", number), out _, out var fault), $"{fault}"));
    }

    [Fact]
    public void The_seeds_of_unlockers_are_well_formed()
    {
        Assert.All([1, 2], number => Assert.True(Wrap.TryRead(Seed("unlocker-wrap", number), out var form, out _) && (int)form == number));
        Assert.True(NewDevice.TryParse(Seed("pairing-message", 1), out _, out var error), $"{error}");
        Assert.Equal([33, 33, 79], ((int[])[2, 3, 4]).Select(number => Seed("pairing-message", number).Length));
        Assert.True(Trustees.TryJoin(Text("trustee-shares", 1).Split('\n'), out _, out _, out _));
        Assert.All([1, 2], number => Assert.True(RecoveryWords.TryParse(Text("recovery-words", number), out _, out _)));
    }

    private static string Text(string target, int number) => Encoding.UTF8.GetString(Seed(target, number));

    private static byte[] Seed(string target, int number) => File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus", target, $"{number}"));
}
