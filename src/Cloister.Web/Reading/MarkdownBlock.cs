using System.Globalization;
using Markdig.Extensions.Tables;
using Markdig.Syntax;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Cloister.Web.Reading;

/// <summary>Draws one block and what is in it. A kind of block that is not named here is not drawn.</summary>
public sealed class MarkdownBlock : ComponentBase
{
    private Block? _drawn;

    [Parameter, EditorRequired]
    public required Block Block { get; set; }

    protected override bool ShouldRender() => !ReferenceEquals(_drawn, Block);

    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        _drawn = Block;
        Draw(builder, Block);
    }

    private static void Draw(RenderTreeBuilder builder, Block block)
    {
        switch (block)
        {
            case ParagraphBlock paragraph when IsTight(paragraph):
                Inlines.Draw(builder, paragraph.Inline);
                break;
            case ParagraphBlock paragraph:
                DrawLeaf(builder, "p", paragraph);
                break;
            case HeadingBlock heading:
                // The page's own headings are above those of an answer.
                DrawLeaf(builder, heading.Level switch { 1 => "h3", 2 => "h4", 3 => "h5", _ => "h6" }, heading);
                break;
            case CodeBlock code:
                DrawCode(builder, code);
                break;
            case ListBlock { IsOrdered: true } list:
                DrawContainer(builder, "ol", list, Start(list));
                break;
            case ListBlock list:
                DrawContainer(builder, "ul", list);
                break;
            case ListItemBlock item:
                DrawContainer(builder, "li", item);
                break;
            case QuoteBlock quote:
                DrawContainer(builder, "blockquote", quote);
                break;
            case ThematicBreakBlock:
                builder.OpenElement(0, "hr");
                builder.CloseElement();
                break;
            case Table table:
                DrawTable(builder, table);
                break;
        }
    }

    private static void DrawLeaf(RenderTreeBuilder builder, string element, LeafBlock block)
    {
        builder.OpenElement(1, element);
        Inlines.Draw(builder, block.Inline);
        builder.CloseElement();
    }

    private static void DrawContainer(RenderTreeBuilder builder, string element, ContainerBlock block, string? start = null)
    {
        builder.OpenElement(2, element);
        if (start is not null)
        {
            builder.AddAttribute(3, "start", start);
        }
        for (int place = 0; place < block.Count; place++)
        {
            builder.OpenRegion(place + 10);
            Draw(builder, block[place]);
            builder.CloseRegion();
        }
        builder.CloseElement();
    }

    private static void DrawCode(RenderTreeBuilder builder, CodeBlock code)
    {
        builder.OpenComponent<CodeView>(4);
        builder.AddComponentParameter(5, nameof(CodeView.Language), (code as FencedCodeBlock)?.Info ?? "");
        builder.AddComponentParameter(6, nameof(CodeView.Code), code.Lines.ToString());
        builder.CloseComponent();
    }

    private static void DrawTable(RenderTreeBuilder builder, Table table)
    {
        builder.OpenElement(7, "div");
        builder.AddAttribute(8, "class", "table");
        builder.OpenElement(9, "table");
        for (int place = 0; place < table.Count; place++)
        {
            if (table[place] is TableRow row)
            {
                builder.OpenRegion(place + 10);
                DrawRow(builder, row);
                builder.CloseRegion();
            }
        }
        builder.CloseElement();
        builder.CloseElement();
    }

    private static void DrawRow(RenderTreeBuilder builder, TableRow row)
    {
        builder.OpenElement(0, "tr");
        for (int place = 0; place < row.Count; place++)
        {
            if (row[place] is TableCell cell)
            {
                builder.OpenRegion(place + 10);
                builder.OpenElement(1, row.IsHeader ? "th" : "td");
                foreach (var block in cell)
                {
                    Inlines.Draw(builder, (block as LeafBlock)?.Inline);
                }
                builder.CloseElement();
                builder.CloseRegion();
            }
        }
        builder.CloseElement();
    }

    private static bool IsTight(ParagraphBlock paragraph) => paragraph.Parent is ListItemBlock { Parent: ListBlock { IsLoose: false } };

    private static string? Start(ListBlock list) =>
        int.TryParse(list.OrderedStart, NumberStyles.None, CultureInfo.InvariantCulture, out int start) && start != 1 ? start.ToString(CultureInfo.InvariantCulture) : null;
}
