using Markdig.Syntax;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Cloister.Web.Reading;

/// <summary>An answer's Markdown, drawn while it still grows.</summary>
/// <remarks>It is built element by element from a closed list (<see cref="MarkdownBlock"/>). No text of the model is ever read as markup.</remarks>
public sealed class MarkdownView : ComponentBase
{
    private readonly GrowingDocument _document = new();

    [Parameter, EditorRequired]
    public required string Text { get; set; }

    /// <summary>Nothing more comes.</summary>
    [Parameter]
    public bool IsWhole { get; set; }

    protected override void OnParametersSet() => _document.Update(Text, IsWhole);

    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        int place = 0;
        foreach (Block block in _document.Blocks)
        {
            builder.OpenComponent<MarkdownBlock>(0);
            builder.SetKey(place++);
            builder.AddComponentParameter(1, nameof(MarkdownBlock.Block), block);
            builder.CloseComponent();
        }
    }
}
