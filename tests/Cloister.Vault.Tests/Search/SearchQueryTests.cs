using Cloister.Vault.Search;

namespace Cloister.Vault.Tests.Search;

public class SearchQueryTests
{
    [Theory]
    [InlineData("hello", "Hello, world")]
    [InlineData("HEL wor", "world, hello")]
    [InlineData("strasse", "Die Straße")]
    [InlineData("Straße", "STRASSE")]
    [InlineData("uber", "Über")]
    [InlineData("cafe", "Cafe\u0301 de Paris")]
    [InlineData("naïve", "NAIVE")]
    [InlineData("istanbul", "İstanbul")]
    [InlineData("οδυσσευς", "ὈΔΥΣΣΕΎΣ")]
    [InlineData("елка", "Ёлка")]
    [InlineData("abc", "ＡＢＣ")]
    [InlineData("don't", "they don't")]
    [InlineData("c", "the c language")]
    [InlineData("日本", "今日本を読む")]
    [InlineData("本", "日本")]
    [InlineData("日", "今日は")]
    [InlineData("서울", "서울에서")]
    [InlineData("hindi हिन्दी", "हिन्दी in Hindi")]
    [InlineData("v2", "v2.1 is out")]
    public void Words_are_found_without_regard_to_case_accents_and_widths(string query, string text) => Assert.True(SearchQuery.Parse(query).Matches(text));

    [Theory]
    [InlineData("", "anything")]
    [InlineData("--- ...", "--- ...")]
    [InlineData("hello moon", "hello world")]
    [InlineData("ello", "hello")]
    [InlineData("c", "cats")]
    [InlineData("本日", "日本")]
    [InlineData("日本", "日は本")]
    public void What_is_not_there_is_not_found(string query, string text) => Assert.False(SearchQuery.Parse(query).Matches(text));

    [Fact]
    public void A_snippet_shows_the_words_where_they_stand()
    {
        string text = new string('x', 300) + " Grüße aus Köln, viele grusse " + new string('y', 300);
        Assert.True(SearchQuery.Parse("gruss koln").TryExtract(text, out var snippet));
        Assert.InRange(snippet.Text.Length, 100, 161);
        Assert.Equal(["Grüße", "Köln", "grusse"], snippet.Marks.Select(mark => snippet.Text[mark]));
    }

    [Fact]
    public void A_snippet_does_not_cut_a_character_in_two()
    {
        string text = string.Concat(Enumerable.Repeat("😀", 100)) + "word" + string.Concat(Enumerable.Repeat("😀", 100));
        Assert.True(SearchQuery.Parse("word").TryExtract(text, out var snippet));
        Assert.DoesNotContain('\uFFFD', System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(snippet.Text)));
        Assert.Equal(["word"], snippet.Marks.Select(mark => snippet.Text[mark]));
    }

    [Fact]
    public void A_snippet_in_a_run_marks_what_was_typed()
    {
        Assert.True(SearchQuery.Parse("日本").TryExtract("今日本を読む", out var snippet));
        Assert.Equal(["日本"], snippet.Marks.Select(mark => snippet.Text[mark]));
    }

    [Fact]
    public void A_very_long_word_is_found_by_its_beginning_and_many_words_are_cut_off()
    {
        string word = new('a', 500);
        Assert.True(SearchQuery.Parse(word).Matches(word));
        Assert.True(SearchQuery.Parse(string.Join(' ', Enumerable.Range(0, 16).Select(n => $"w{n}")) + " missing").Matches(string.Join(' ', Enumerable.Range(0, 16).Select(n => $"w{n}"))));
    }
}
