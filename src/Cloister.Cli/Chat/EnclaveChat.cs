using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Client;

namespace Cloister.Cli.Chat;

/// <summary>A conversation with an enclave: what was said so far, and answers as they come.</summary>
internal sealed class EnclaveChat(HttpMessageHandler channel) : IDisposable
{
    private readonly HttpClient _http = new(channel, disposeHandler: false) { BaseAddress = SealedHttpHandler.EnclaveAddress, Timeout = Timeout.InfiniteTimeSpan };
    private readonly List<Turn> _turns = [];

    public string Model { get; private set; } = "";

    /// <summary>Asks the enclave what it serves, and takes the wanted model or the first.</summary>
    public async Task ChooseModelAsync(string? wanted, CancellationToken cancellation)
    {
        using var list = JsonDocument.Parse(await _http.GetByteArrayAsync("v1/models", cancellation));
        var names = list.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()!).ToList();
        Model = wanted is null ? names.FirstOrDefault() ?? throw new CommandFault(ExitCode.Refused, "The enclave serves no model.")
            : names.Contains(wanted) ? wanted
            : throw new CommandFault(ExitCode.Usage, $"The enclave does not serve '{wanted}'. It serves {string.Join(", ", names)}.");
    }

    public void Forget() => _turns.Clear();

    /// <summary>Goes on from what was said before, in place of what was said here.</summary>
    public void Resume(IReadOnlyList<Turn> turns)
    {
        _turns.Clear();
        _turns.AddRange(turns);
    }

    /// <summary>Says <paramref name="text"/> and gives the answer piece by piece. What has come when the reader stops stays in the conversation.</summary>
    public async IAsyncEnumerable<string> SayAsync(string text, [EnumeratorCancellation] CancellationToken cancellation)
    {
        _turns.Add(new Turn("user", text));
        var answer = new System.Text.StringBuilder();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions")
            {
                Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(new Question(Model, _turns, Stream: true), ChatJson.Default.Question))
                {
                    Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
                },
            };
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            if (!response.IsSuccessStatusCode)
            {
                throw new CommandFault(ExitCode.Refused, await ReadErrorAsync(body, cancellation));
            }

            await foreach (var item in SseParser.Create(body).EnumerateAsync(cancellation))
            {
                if (item.Data == "[DONE]")
                {
                    break;
                }
                if (ReadPiece(item.Data) is { Length: > 0 } piece)
                {
                    answer.Append(piece);
                    yield return piece;
                }
            }
        }
        finally
        {
            if (answer.Length > 0)
            {
                _turns.Add(new Turn("assistant", answer.ToString()));
            }
            else
            {
                _turns.RemoveAt(_turns.Count - 1);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static string? ReadPiece(string data)
    {
        using var chunk = JsonDocument.Parse(data);
        if (chunk.RootElement.TryGetProperty("error", out var error))
        {
            throw new CommandFault(ExitCode.CutOff, error.TryGetProperty("message", out var message) ? $"{message}" : "The enclave could not finish this answer.");
        }
        return chunk.RootElement.TryGetProperty("choices", out var choices) && choices.GetArrayLength() > 0
            && choices[0].TryGetProperty("delta", out var delta) && delta.TryGetProperty("content", out var content) ? content.GetString() : null;
    }

    private static async Task<string> ReadErrorAsync(Stream body, CancellationToken cancellation)
    {
        try
        {
            using var error = await JsonDocument.ParseAsync(body, cancellationToken: cancellation);
            return error.RootElement.GetProperty("error").GetProperty("message").GetString() ?? "";
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "The enclave refused the question.";
        }
    }
}

internal sealed record Turn(string Role, string Content);

internal sealed record Question(string Model, IReadOnlyList<Turn> Messages, bool Stream);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Question))]
internal sealed partial class ChatJson : JsonSerializerContext;
