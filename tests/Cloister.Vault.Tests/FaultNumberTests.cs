using Cloister.Vault.Exchange;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;

namespace Cloister.Vault.Tests;

/// <summary>Faults are told to people, kept and passed to the browser's script by their numbers: a new one takes a new number.</summary>
public class FaultNumberTests
{
    [Fact]
    public void Faults_of_opening_have_their_numbers() => AssertNumbers<OpenFault>("Unopened 0", "None 1", "Malformed 2", "UnknownEpoch 3", "WrongCommitment 4", "Corrupt 5");

    [Fact]
    public void Faults_of_unlocking_have_their_numbers() => AssertNumbers<UnlockFault>("Untried 0", "None 1", "WrongSecret 2", "Malformed 3", "BrokenEpochs 4", "WrongCommitment 5", "Removed 6");

    [Fact]
    public void Faults_of_words_have_their_numbers() => AssertNumbers<WordsFaultKind>("None 0", "WrongCount 1", "UnknownWord 2", "WrongChecksum 3");

    [Fact]
    public void Faults_of_shares_have_their_numbers() => AssertNumbers<SharesFaultKind>("None 0", "Unreadable 1", "Mixed 2", "Repeated 3", "TooFew 4");

    [Fact]
    public void Faults_of_passphrases_have_their_numbers() => AssertNumbers<PassphraseFault>("None 0", "TooShort 1", "TooLong 2", "TooUniform 3", "NotText 4");

    [Fact]
    public void Faults_of_imports_have_their_numbers() => AssertNumbers<ImportFault>(
        "None 0", "UnknownFormat 1", "NotJson 2", "TooLong 3", "ZipDamaged 4", "ZipBomb 5", "ZipEncrypted 6", "ZipNested 7", "ZipMethod 8", "ZipWithoutConversations 9", "ZipFromPipe 10");

    private static void AssertNumbers<T>(params string[] expected) where T : struct, Enum => Assert.Equal(expected, Enum.GetValues<T>().Select(value => $"{value} {value:d}"));
}
