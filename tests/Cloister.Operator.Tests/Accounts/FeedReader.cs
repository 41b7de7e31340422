using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>A device that listens.</summary>
internal sealed class FeedReader : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private FeedReader(HttpResponseMessage response, StreamReader lines) => (_response, _lines) = (response, lines);

    public static async Task<FeedReader> OpenAsync(HttpClient http, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/cloister/v1/account/feed") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.EnsureSuccessStatusCode().Content.Headers.ContentType?.MediaType);
        return new(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>The next event's sequence; -1 for a comment, null at the end.</summary>
    public async Task<long?> NextAsync()
    {
        long? heard = null;
        try
        {
            while (await _lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { } line)
            {
                switch (line)
                {
                    case "" when heard is not null: return heard;
                    case ":": heard = -1; break;
                    case "event: head": break;
                    default: heard = (long)JsonNode.Parse(line["data: ".Length..])!["sequence"]!; break;
                }
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            // The operator is gone.
        }
        return null;
    }

    /// <summary>Listens until it is told of that sequence or a later one. False where the feed ends before.</summary>
    public async Task<bool> HearAsync(ulong sequence)
    {
        while (await NextAsync() is { } heard)
        {
            if (heard >= (long)sequence)
            {
                return true;
            }
        }
        return false;
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }
}
