using Cloister.Enclave.Engines;

namespace Cloister.Enclave.Api;

/// <summary><c>POST /v1/chat/completions</c></summary>
internal sealed class ChatEndpoint(EmbeddedEngine engine)
{
    public async Task AnswerAsync(HttpContext context)
    {
        var (request, error) = await RequestBody.ReadAsync(context, ApiJson.Default.ChatRequest, engine.Limits.RequestBytes);
        if (request is null)
        {
            await error!.WriteAsync(context);
            return;
        }

        error = engine.FindModel(request.Model, out var model) ?? UnservedFields.Judge(request.Others);
        var (messages, conversationError) = Conversation.From(request.Messages);
        var (options, samplingError) = SamplingOptions.From(request, request.MaxCompletionTokens ?? request.MaxTokens, engine.Limits.AnswerTokens);
        error ??= conversationError ?? samplingError ?? (model!.Chat is null ? ApiError.Unsupported("model", "Answering a conversation") : null);
        if (error is not null)
        {
            await error.WriteAsync(context);
            return;
        }

        var form = new ChatForm(model!.Name, engine.Time.GetUtcNow());
        await Answering.AnswerAsync(context, request, form, () => model.Chat!.GetStreamingResponseAsync(messages!, options, context.RequestAborted));
    }
}
