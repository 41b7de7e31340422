namespace Cloister.Ledger.Tests;

public class CrockfordBase32Tests
{
    [Fact]
    public void What_a_person_types_is_read_without_regard_to_case_hyphens_and_confusable_letters()
    {
        var number = AccountNumber.Read([0x04, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]);
        string written = number.ToString();
        Assert.True(AccountNumber.TryParse(written.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant().Replace('0', 'o').Replace('1', 'l'), out var read));
        Assert.Equal(number, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000-0000-0000-000")]
    [InlineData("0000-0000-0000-00000")]
    [InlineData("0000-0000-0000-000U")]
    public void Anything_else_is_refused(string text) => Assert.False(AccountNumber.TryParse(text, out _));
}
