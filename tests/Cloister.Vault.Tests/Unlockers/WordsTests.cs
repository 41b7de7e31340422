using Cloister.Ledger;
using Cloister.Vault.Unlockers;
using CsCheck;

namespace Cloister.Vault.Tests.Unlockers;

public class WordsTests
{
    // BIP-39's published vectors for 128 bits.
    [Theory]
    [InlineData("00000000000000000000000000000000", "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about")]
    [InlineData("7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner thank yellow")]
    [InlineData("80808080808080808080808080808080", "letter advice cage absurd amount doctor acoustic avoid letter advice cage above")]
    [InlineData("ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong")]
    [InlineData("9e885d952ad362caeb4efe34a8e91bd2", "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic")]
    public void The_words_are_BIP_39s(string entropy, string words)
    {
        Assert.Equal(words, RecoveryWords.Of(Convert.FromHexString(entropy)).Text);
        Assert.True(RecoveryWords.TryParse(words, out var read, out _));
        Assert.Equal(words, read.Text);
    }

    [Fact]
    public void What_a_person_types_is_read_in_any_case_with_any_space_and_by_four_letters() => Gen.Byte.Array[16].Sample(entropy =>
    {
        var words = RecoveryWords.Of(entropy);
        string typed = "  " + string.Join(",\n\t", words.Words.Select((word, i) => i % 2 == 0 ? word.ToUpperInvariant() : word.Length > 4 ? word[..4] : word)) + "\u00a0";
        Assert.True(RecoveryWords.TryParse(typed, out var read, out _));
        Assert.Equal(words.Text, read.Text);
        Assert.Equal(words.Unlocker, read.Unlocker);
    }, iter: 300);

    [Fact]
    public void Every_word_is_told_by_its_first_four_letters() =>
        Assert.Equal(2048, WordList.English.Select(word => word.Length > 4 ? word[..4] : word).Distinct().Count());

    [Theory]
    [InlineData("abandon", WordsFaultKind.WrongCount, 1)]
    [InlineData("", WordsFaultKind.WrongCount, 0)]
    [InlineData("abandon abandon cloister abandon abandon abandon abandon abandon abandon abandon abandon about", WordsFaultKind.UnknownWord, 3)]
    [InlineData("abandon abandon aban! abandon abandon abandon abandon abandon abandon abandon abandon about", WordsFaultKind.UnknownWord, 3)]
    [InlineData("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about abandon", WordsFaultKind.WrongChecksum, 0)]
    public void What_is_wrong_is_said(string typed, WordsFaultKind kind, int position)
    {
        Assert.False(RecoveryWords.TryParse(typed, out _, out var fault));
        Assert.Equal(new WordsFault(kind, position), fault);
    }

    [Theory]
    [InlineData("correct horse battery", PassphraseFault.None)]
    [InlineData("eleven char", PassphraseFault.TooShort)]
    [InlineData("abababababababab", PassphraseFault.TooUniform)]
    public void A_passphrase_is_looked_at_before_it_becomes_one(string passphrase, PassphraseFault fault) => Assert.Equal(fault, Passphrase.Check(passphrase));

    [Fact]
    public void Half_a_letter_is_not_text() => Assert.Equal(PassphraseFault.NotText, Passphrase.Check("half a letter \ud83d and more"));

    [Fact]
    public void A_passphrase_of_more_than_a_kilobyte_is_none() => Assert.Equal(PassphraseFault.TooLong, Passphrase.Check(new string('x', 600) + new string('é', 300)));

    [Fact]
    public async Task A_passphrase_is_another_in_each_account_and_with_each_letter()
    {
        var custody = new MemoryCustody();
        var (one, other) = (AccountNumber.Read(new byte[10]), AccountNumber.Read([1, .. new byte[9]]));
        using var first = (MemorySecret)await Passphrase.ToSecretAsync("correct horse battery", one, custody);
        using var again = (MemorySecret)await Passphrase.ToSecretAsync("correct horse battery", one, custody);
        using var elsewhere = (MemorySecret)await Passphrase.ToSecretAsync("correct horse battery", other, custody);
        using var mistyped = (MemorySecret)await Passphrase.ToSecretAsync("Correct horse battery", one, custody);
        Assert.Equal(first.DangerousExport(), again.DangerousExport());
        Assert.NotEqual(first.DangerousExport(), elsewhere.DangerousExport());
        Assert.NotEqual(first.DangerousExport(), mistyped.DangerousExport());
        Assert.NotEqual(Passphrase.Unlocker(one), Passphrase.Unlocker(other));
    }
}
