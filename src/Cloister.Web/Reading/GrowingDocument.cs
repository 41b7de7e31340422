using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Cloister.Web.Reading;

/// <summary>Reads a text that grows at its end. Blocks that can no longer change are not read again.</summary>
internal sealed class GrowingDocument
{
    // Ours to choose. No HTML, no attributes: what is not in this list is text.
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .DisableHtml()
        .UsePipeTables()
        .UseEmphasisExtras(Markdig.Extensions.EmphasisExtras.EmphasisExtraOptions.Strikethrough)
        .UseAutoLinks()
        .Build();

    private readonly List<Block> _settled = [];
    private Block[] _growing = [];
    private string _text = "";
    private int _settledLength;
    private bool _isWhole;

    /// <summary>The blocks in order. Settled ones stay the same objects.</summary>
    public IEnumerable<Block> Blocks => _settled.Concat(_growing);

    public void Update(string text, bool isWhole)
    {
        if (text.Length == _text.Length && isWhole == _isWhole)
        {
            return;
        }
        if (text.Length < _text.Length || isWhole)
        {
            // Whole: read once more from the start, because a link's address may stand at the end.
            _settled.Clear();
            _settledLength = 0;
        }
        (_text, _isWhole) = (text, isWhole);

        var blocks = Parse(_settledLength == 0 ? text : text[_settledLength..]);
        if (!isWhole && blocks.Length > 1)
        {
            // All but the last are settled: what comes can only grow the last one.
            int last = blocks[^1].Span.Start;
            _settled.AddRange(blocks[..^1]);
            blocks = blocks[^1..];
            _settledLength += last;
        }
        _growing = blocks;
    }

    private static Block[] Parse(string text)
    {
        try
        {
            return [.. Markdown.Parse(text, Pipeline)];
        }
        catch (ArgumentException)
        {
            // Nested deeper than the parser goes: shown as it is.
            return [new ParagraphBlock { Inline = new ContainerInline().AppendChild(new LiteralInline(text)) }];
        }
    }
}
