using System.Buffers.Binary;
using System.Text.Json;
using Cloister.Enclave.Engines;
using Microsoft.Extensions.AI;

namespace Cloister.Enclave.Api;

/// <summary><c>POST /v1/embeddings</c></summary>
internal sealed class EmbeddingsEndpoint(EmbeddedEngine engine)
{
    // As in the OpenAI API.
    private const int MaxTexts = 2048;

    public async Task AnswerAsync(HttpContext context)
    {
        var (request, error) = await RequestBody.ReadAsync(context, ApiJson.Default.EmbeddingRequest, engine.Limits.RequestBytes);
        if (request is null)
        {
            await error!.WriteAsync(context);
            return;
        }

        error = engine.FindModel(request.Model, out var model) ?? UnservedFields.Judge(request.Others) ?? Judge(request);
        if (error is null && model!.Embeddings is null)
        {
            error = ApiError.Unsupported("model", "Embedding texts");
        }
        var texts = ReadTexts(request.Input);
        if (error is null && texts is null)
        {
            error = ApiError.Invalid($"'input' must be a text or a list of at most {MaxTexts} texts that are not empty.", "input");
        }

        error ??= await EmbedAsync(context, model!, texts!, asBase64: request.EncodingFormat is "base64");
        if (error is not null)
        {
            await error.WriteAsync(context);
        }
    }

    private static ApiError? Judge(EmbeddingRequest request) => request switch
    {
        { Dimensions: not null } => ApiError.Unsupported("dimensions", "Choosing the number of dimensions"),
        { EncodingFormat: not (null or "float" or "base64") } => ApiError.Invalid("'encoding_format' must be float or base64.", "encoding_format"),
        _ => null,
    };

    private static List<string>? ReadTexts(JsonElement input)
    {
        List<string> texts = input.ValueKind switch
        {
            JsonValueKind.String => [input.GetString()!],
            JsonValueKind.Array when input.GetArrayLength() is > 0 and <= MaxTexts && input.EnumerateArray().All(item => item.ValueKind is JsonValueKind.String)
                => [.. input.EnumerateArray().Select(item => item.GetString()!)],
            _ => [],
        };
        return texts.Count > 0 && texts.TrueForAll(text => text.Length > 0) ? texts : null;
    }

    private static async Task<ApiError?> EmbedAsync(HttpContext context, EmbeddedModel model, List<string> texts, bool asBase64)
    {
        GeneratedEmbeddings<Embedding<float>> embeddings;
        try
        {
            embeddings = await model.Embeddings!.GenerateAsync(texts, cancellationToken: context.RequestAborted);
        }
        catch (Exception fault) when (!context.RequestAborted.IsCancellationRequested)
        {
            return EngineFault.Of(fault);
        }

        var items = embeddings.Select((embedding, index) => new EmbeddingItem(index, asBase64 ? ToBase64(embedding.Vector.Span) : embedding.Vector.ToArray()));
        var list = new EmbeddingList(model.Name, [.. items], new EmbeddingUsage(embeddings.Usage?.InputTokenCount ?? 0));
        await EmbeddedEngine.WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(list, ApiJson.Answers.EmbeddingList));
        return null;
    }

    private static string ToBase64(ReadOnlySpan<float> vector)
    {
        byte[] bytes = new byte[vector.Length * sizeof(float)];
        for (int i = 0; i < vector.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        }
        return Convert.ToBase64String(bytes);
    }
}
