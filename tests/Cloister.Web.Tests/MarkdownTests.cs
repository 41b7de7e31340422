using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using CsCheck;

[assembly: SupportedOSPlatform("browser")]

namespace Cloister.Web.Tests;

public partial class MarkdownTests
{
    [Theory]
    [InlineData("plain", "<p>plain</p>")]
    [InlineData("one\ntwo  \nthree", "<p>one\ntwo<br />three</p>")]
    [InlineData("**a *b* c** ~~d~~", "<p><strong>a <em>b</em> c</strong> <del>d</del></p>")]
    [InlineData("# One\n\n#### Four", "<h3>One</h3><h6>Four</h6>")]
    [InlineData("- a\n- b", "<ul><li>a</li><li>b</li></ul>")]
    [InlineData("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>")]
    [InlineData("2. a\n3. b", "<ol start=\"2\"><li>a</li><li>b</li></ol>")]
    [InlineData("> a\n\n---", "<blockquote><p>a</p></blockquote><hr />")]
    [InlineData("a `<b>` c", "<p>a <code>&lt;b&gt;</code> c</p>")]
    [InlineData("|a|\n|-|\n|*b*|", "<div class=\"table\"><table><tr><th>a</th></tr><tr><td><em>b</em></td></tr></table></div>")]
    [InlineData("<b>bold</b> &amp; &copy;", "<p>&lt;b&gt;bold&lt;/b&gt; &amp; \u00a9</p>")]
    [InlineData("open [bracket and *star", "<p>open [bracket and *star</p>")]
    public async Task Is_drawn_as_written(string text, string expected) => Assert.Equal(expected, (await Drawing.OfAsync(text)).Replace("&#xA9;", "\u00a9", StringComparison.Ordinal).Replace("&#xA;", "\n", StringComparison.Ordinal));

    [Theory]
    [InlineData("[a](https://example.com/x)", "https://example.com/x")]
    [InlineData("[a](http://example.com)", "http://example.com/")]
    [InlineData("[a](mailto:b@example.com)", "mailto:b@example.com")]
    [InlineData("https://example.com/auto", "https://example.com/auto")]
    [InlineData("<https://example.com/angle>", "https://example.com/angle")]
    [InlineData("![picture](https://example.com/p.png)", "https://example.com/p.png")]
    [InlineData("[a][r]\n\n[r]: https://example.com/ref", "https://example.com/ref")]
    public async Task Links_go_where_they_say(string text, string address) =>
        Assert.Contains($"<a href=\"{address}\" rel=\"noopener noreferrer nofollow\" target=\"_blank\" title=\"{address}\">", await Drawing.OfAsync(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("JAVASCRIPT:alert(1)")]
    [InlineData("java&#115;cript:alert(1)")]
    [InlineData("\u0001javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("vbscript:x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("blob:https://example.com/x")]
    [InlineData("/relative")]
    [InlineData("//elsewhere.example/x")]
    [InlineData("ftp://example.com")]
    public async Task Other_addresses_are_not_links(string address)
    {
        Assert.DoesNotContain("<a", await Drawing.OfAsync($"[text]({address})"), StringComparison.Ordinal);
        Assert.DoesNotContain("<a", await Drawing.OfAsync($"![text]({address})"), StringComparison.Ordinal);
        Assert.DoesNotContain("<a", await Drawing.OfAsync($"[text]\n\n[text]: <{address}>"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_the_text_only_known_elements_are_drawn()
    {
        await Gen.Int[0, Pieces.Length - 1].Array[1, 40].Select(places => string.Concat(places.Select(place => Pieces[place]))).SampleAsync(async text =>
        {
            string html = await Drawing.OfAsync(text);
            Assert.All(Tag.Matches(html), tag => Assert.Matches(KnownTag, tag.Value));
        }, iter: 3000, threads: 1);
    }

    [Fact]
    public async Task Drawn_as_it_grows_it_ends_as_if_drawn_at_once()
    {
        const string Text = "# Title\n\nA *paragraph* of\ntwo lines.\n\n- one\n- two\n\n  loose\n\n1. x\n\n```c\ncode\n\n# not a title\n```\n\n> quote\n> more\n\n|a|b|\n|-|-|\n|1|2|\n\nlast [link][r]\n\n[r]: https://example.com/";
        string atOnce = await Drawing.OfAsync(Text);
        await Gen.Int[1, 12].Array[0, 200].SampleAsync(async steps => Assert.Equal(atOnce, await Drawing.GrowingAsync(Text, steps)), iter: 20, threads: 1);
    }

    [Theory]
    [InlineData("[", 50_000)]
    [InlineData("![", 1000)]
    [InlineData("*a ", 1900)]
    [InlineData("**a *b ", 5000)]
    [InlineData("> ", 3000)]
    [InlineData("> 1. ", 3000)]
    [InlineData("a|", 3000)]
    [InlineData("- ", 3000)]
    public async Task What_is_nested_beyond_reason_is_still_there(string piece, int times) =>
        Assert.Contains("deep", await Drawing.OfAsync(string.Concat(Enumerable.Repeat(piece, times)) + "deep"), StringComparison.Ordinal);

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag { get; }

    private static readonly string[] Pieces =
    [
        "<", ">", "\"", "'", "&", "=", "/", "script", "img src=x onerror=", "a href=", "javascript:", "style", "\n", "\n\n", "*", "_", "`", "```",
        "[", "]", "(", ")", "!", "|", "-", "#", "> ", "1. ", "{",
        "}", "\\", "&#x3c;", "&lt;", "\0", "é", "text", " ", "http://x/", "\t",
    ];

    private const string KnownTag = "^</?(p|strong|em|del|code|ul|ol|li|blockquote|h[3-6]|tr|th|td|table|span)>$|^<(br|hr) />$|^<ol start=\"[0-9]+\">$|^</?(div|button|pre|a)>$"
        + "|^<div class=\"(table|code|code-head)\">$|^<button type=\"button\">$|^<pre tabindex=\"0\">$"
        + "|^<a href=\"(https?://|mailto:)[^\"<>]*\" rel=\"noopener noreferrer nofollow\" target=\"_blank\" title=\"[^\"<>]*\">$";
}
