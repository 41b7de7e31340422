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

    // Ours to choose: a person's text has far less. Beyond it a text is shown as it is, because reading it takes time that grows with
    // the square of the marks in a paragraph, and drawing it takes stack that grows with the depth.
    private const int MaxMarks = 2000;
    private const int MaxDepth = 48;

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
        if (IsCostly(text))
        {
            return AsItIs(text);
        }
        try
        {
            Block[] blocks = [.. Markdown.Parse(text, Pipeline)];
            return blocks.Any(block => IsDeeper(block, MaxDepth)) ? AsItIs(text) : blocks;
        }
        catch (ArgumentException)
        {
            // Nested deeper than the parser goes.
            return AsItIs(text);
        }
    }

    private static Block[] AsItIs(string text) => [new ParagraphBlock { Inline = new ContainerInline().AppendChild(new LiteralInline(text)) }];

    private static bool IsCostly(string text)
    {
        foreach (var paragraph in text.AsSpan().Split("\n\n"))
        {
            var marks = text.AsSpan(paragraph);
            int count = marks.Count('*') + marks.Count('_') + marks.Count('[') + marks.Count('~') + marks.Count('|');
            if (count > MaxMarks)
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsDeeper(MarkdownObject node, int limit) => limit == 0 || node switch
    {
        ContainerBlock container => container.Any(block => IsDeeper(block, limit - 1)),
        LeafBlock { Inline: { } inline } => IsDeeper(inline, limit - 1),
        ContainerInline container => container.Any(inline => IsDeeper(inline, limit - 1)),
        _ => false,
    };
}
