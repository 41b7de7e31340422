using System.Text.Json;
using Cloister.Enclave.Engines;

namespace Cloister.Enclave.Api;

/// <summary><c>POST /v1/completions</c>: plain text goes on as plain text.</summary>
internal sealed class CompletionsEndpoint(EmbeddedEngine engine)
{
    public async Task AnswerAsync(HttpContext context)
    {
        var (request, error) = await RequestBody.ReadAsync(context, ApiJson.Default.CompletionRequest, engine.Limits.RequestBytes);
        if (request is null)
        {
            await error!.WriteAsync(context);
            return;
        }

        error = engine.FindModel(request.Model, out var model) ?? UnservedFields.Judge(request.Others);
        var (prompt, promptError) = ReadPrompt(request.Prompt);
        var (options, samplingError) = SamplingOptions.From(request, request.MaxTokens, engine.Limits.AnswerTokens);
        error ??= promptError ?? samplingError ?? (model!.Continue is null ? ApiError.Unsupported("model", "Continuing plain text") : null);
        if (error is not null)
        {
            await error.WriteAsync(context);
            return;
        }

        var form = new CompletionForm(model!.Name, engine.Time.GetUtcNow());
        await Answering.AnswerAsync(context, request, form, () => model.Continue!(prompt!, options!, context.RequestAborted));
    }

    private static (string? Prompt, ApiError? Error) ReadPrompt(JsonElement prompt) => prompt.ValueKind switch
    {
        JsonValueKind.String => (prompt.GetString(), null),
        JsonValueKind.Array when prompt.GetArrayLength() == 1 && prompt[0].ValueKind is JsonValueKind.String => (prompt[0].GetString(), null),
        JsonValueKind.Array when prompt.GetArrayLength() > 1 && prompt[0].ValueKind is JsonValueKind.String => (null, ApiError.Unsupported("prompt", "More than one prompt in a request")),
        JsonValueKind.Array when prompt.GetArrayLength() > 0 => (null, ApiError.Unsupported("prompt", "A prompt in tokens")),
        _ => (null, ApiError.Invalid("'prompt' must be a text.", "prompt")),
    };
}
