using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Web.Proof;

namespace Cloister.Web.Talk;

/// <summary>The enclave took the question and said no.</summary>
internal sealed class AnswerRefusedException(HttpStatusCode status, string message) : Exception(message)
{
    public HttpStatusCode Status => status;
}

/// <summary>Gives the answer to the last of the turns, piece by piece.</summary>
/// <remarks>What it throws says whether anything left the device: <see cref="EnclaveRefusedException"/> and <see cref="EnclaveUnreachableException"/> say that nothing did.</remarks>
public delegate IAsyncEnumerable<string> AnswerSource(IReadOnlyList<Turn> turns, CancellationToken cancellationToken);

/// <summary>Asks through the sealed channel, in the terms of the OpenAI API.</summary>
internal static class Answers
{
    /// <summary>An <see cref="AnswerSource"/>: the enclave behind a door.</summary>
    public static async IAsyncEnumerable<string> StreamAsync(Door door, IReadOnlyList<Turn> turns, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (enclave, api) = door is { Enclave: { } open, Api: { } way } ? (open, way) : throw new EnclaveUnreachableException("The way to the enclave was not opened yet.");
        var question = new ChatQuestion(await ModelAsync(enclave, api, cancellationToken), Messages(turns), Stream: true);
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions") { Content = JsonContent.Create(question, ChatJson.Default.ChatQuestion) };
        using var response = await api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new AnswerRefusedException(response.StatusCode, await ReasonAsync(body, cancellationToken));
        }

        await foreach (var item in SseParser.Create(body).EnumerateAsync(cancellationToken))
        {
            if (item.Data == "[DONE]")
            {
                yield break;
            }
            var chunk = JsonSerializer.Deserialize(item.Data, ChatJson.Default.ChatChunk);
            if (chunk?.Error is { } error)
            {
                throw new AnswerRefusedException(HttpStatusCode.InternalServerError, error.Message ?? "");
            }
            if (chunk?.Choices is [{ Delta.Content: { Length: > 0 } piece }, ..])
            {
                yield return piece;
            }
        }

        // The API ends every stream in so many words. Without them the answer is not whole.
        throw new IOException("The answer ended early.");
    }

    // The statement names the models; an enclave whose engine is a server beside it may leave that to the server.
    private static async ValueTask<string> ModelAsync(AppraisedEnclave enclave, HttpClient api, CancellationToken cancellationToken)
    {
        if (enclave.Statement.Models is [var served, ..])
        {
            return served.Name;
        }
        var models = await api.GetFromJsonAsync("v1/models", ChatJson.Default.ModelList, cancellationToken);
        return models?.Data is [var first, ..] ? first.Id : throw new AnswerRefusedException(HttpStatusCode.NotFound, "It serves no model.");
    }

    // A turn that was never answered is left out: models expect question and answer in turns.
    private static ChatMessage[] Messages(IReadOnlyList<Turn> turns) =>
    [
        .. turns.Where(turn => turn.Answer.Length > 0).SelectMany(turn => (ChatMessage[])[new("user", turn.Question), new("assistant", turn.Answer)]),
        new("user", turns[^1].Question),
    ];

    private static async Task<string> ReasonAsync(Stream body, CancellationToken cancellationToken)
    {
        try
        {
            return (await JsonSerializer.DeserializeAsync(body, ChatJson.Default.ChatChunk, cancellationToken))?.Error?.Message ?? "It gave no reason.";
        }
        catch (JsonException)
        {
            return "It gave no reason.";
        }
    }
}

internal sealed record ChatQuestion(string Model, ChatMessage[] Messages, bool Stream);

internal sealed record ChatMessage(string Role, string Content);

internal sealed record ModelList(ModelCard[]? Data);

internal sealed record ModelCard(string Id);

internal sealed record ChatChunk(ChatChoice[]? Choices, ChatError? Error);

internal sealed record ChatChoice(ChatDelta? Delta);

internal sealed record ChatDelta(string? Content);

internal sealed record ChatError(string? Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatQuestion))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(ModelList))]
internal sealed partial class ChatJson : JsonSerializerContext;
