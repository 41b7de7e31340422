using Cloister.Web.Reading;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Web.Tests;

/// <summary>What a component draws, as HTML.</summary>
internal static class Drawing
{
    private static readonly ServiceProvider NoServices = new ServiceCollection().BuildServiceProvider();

    public static Task<string> OfAsync(string text) => OfAsync<MarkdownView>(new() { [nameof(MarkdownView.Text)] = text, [nameof(MarkdownView.IsWhole)] = true });

    /// <summary>Drawn after each of the steps, in characters, and at the end.</summary>
    public static Task<string> GrowingAsync(string text, int[] steps) => OfAsync<Growth>(new() { [nameof(Growth.Text)] = text, [nameof(Growth.Steps)] = steps });

    public static async Task<string> OfAsync<T>(Dictionary<string, object?> parameters) where T : IComponent
    {
        await using var renderer = new HtmlRenderer(NoServices, NullLoggerFactory.Instance);
        return await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<T>(ParameterView.FromDictionary(parameters))).ToHtmlString());
    }

    private sealed class Growth : ComponentBase
    {
        private string _shown = "";

        [Parameter, EditorRequired]
        public required string Text { get; set; }

        [Parameter, EditorRequired]
        public required int[] Steps { get; set; }

        protected override async Task OnInitializedAsync()
        {
            foreach (int step in Steps)
            {
                _shown = Text[..Math.Min(Text.Length, _shown.Length + step)];
                StateHasChanged();
                await Task.Yield();
            }
            _shown = Text;
        }

        protected override void BuildRenderTree(Microsoft.AspNetCore.Components.Rendering.RenderTreeBuilder builder)
        {
            builder.OpenComponent<MarkdownView>(0);
            builder.AddComponentParameter(1, nameof(MarkdownView.Text), _shown);
            builder.AddComponentParameter(2, nameof(MarkdownView.IsWhole), ReferenceEquals(_shown, Text));
            builder.CloseComponent();
        }
    }
}
