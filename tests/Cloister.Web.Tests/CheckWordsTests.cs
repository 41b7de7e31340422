using Cloister.Attestation;
using Cloister.Web.Proof;

namespace Cloister.Web.Tests;

public class CheckWordsTests
{
    [Fact]
    public void Every_check_has_words_of_its_own()
    {
        string[] titles = [.. Enum.GetValues<CheckName>().Select(CheckWords.Title)];
        Assert.Equal(titles.Length, titles.Distinct().Count());
        Assert.All(Enum.GetValues<CheckName>(), name => Assert.NotEqual("", CheckWords.Title(CheckWords.Group(name))));
    }
}
