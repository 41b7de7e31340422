using System.Diagnostics.CodeAnalysis;
using Markdig.Syntax.Inlines;
using Microsoft.AspNetCore.Components.Rendering;

namespace Cloister.Web.Reading;

/// <summary>Draws what stands in a line. All text goes through <c>AddContent</c>, which never reads markup.</summary>
internal static class Inlines
{
    public static void Draw(RenderTreeBuilder builder, ContainerInline? container)
    {
        int place = 10;
        foreach (var inline in container ?? [])
        {
            builder.OpenRegion(place++);
            Draw(builder, inline);
            builder.CloseRegion();
        }
    }

    private static void Draw(RenderTreeBuilder builder, Inline inline)
    {
        switch (inline)
        {
            case LiteralInline literal:
                builder.AddContent(0, literal.Content.ToString());
                break;
            case HtmlEntityInline entity:
                builder.AddContent(0, entity.Transcoded.ToString());
                break;
            case CodeInline code:
                builder.OpenElement(1, "code");
                builder.AddContent(2, code.Content);
                builder.CloseElement();
                break;
            case LineBreakInline { IsHard: true }:
                builder.OpenElement(3, "br");
                builder.CloseElement();
                break;
            case LineBreakInline:
                builder.AddContent(4, "\n");
                break;
            case EmphasisInline emphasis:
                DrawContainer(builder, emphasis.DelimiterChar is '~' ? "del" : emphasis.DelimiterCount >= 2 ? "strong" : "em", emphasis);
                break;
            case LinkInline link:
                DrawLink(builder, link);
                break;
            case AutolinkInline link:
                DrawAddress(builder, link.IsEmail ? $"mailto:{link.Url}" : link.Url, link.Url);
                break;
            case DelimiterInline delimiter:
                // Began something that never ended: it is the text that it was written as.
                builder.AddContent(12, delimiter.ToLiteral());
                Draw(builder, (ContainerInline)delimiter);
                break;
            case ContainerInline container:
                Draw(builder, container);
                break;
        }
    }

    private static void DrawContainer(RenderTreeBuilder builder, string element, ContainerInline container)
    {
        builder.OpenElement(5, element);
        Draw(builder, container);
        builder.CloseElement();
    }

    // An image is shown as a link to it: loading it would tell its server that this answer was read.
    private static void DrawLink(RenderTreeBuilder builder, LinkInline link)
    {
        if (IsSafe(link.GetDynamicUrl?.Invoke() ?? link.Url, out string? address))
        {
            OpenLink(builder, address);
            Draw(builder, (ContainerInline)link);
            builder.CloseElement();
        }
        else
        {
            Draw(builder, (ContainerInline)link);
        }
    }

    private static void DrawAddress(RenderTreeBuilder builder, string url, string text)
    {
        bool safe = IsSafe(url, out string? address);
        if (safe)
        {
            OpenLink(builder, address!);
        }
        builder.AddContent(6, text);
        if (safe)
        {
            builder.CloseElement();
        }
    }

    private static void OpenLink(RenderTreeBuilder builder, string address)
    {
        builder.OpenElement(7, "a");
        builder.AddAttribute(8, "href", address);
        builder.AddAttribute(9, "rel", "noopener noreferrer nofollow");
        builder.AddAttribute(10, "target", "_blank");
        builder.AddAttribute(11, "title", address);
    }

    // The parsed form is what is written, so that the browser reads no other address than the one that was judged.
    internal static bool IsSafe(string? url, [NotNullWhen(true)] out string? address)
    {
        bool safe = Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeMailto);
        address = safe ? uri!.AbsoluteUri : null;
        return safe;
    }
}
