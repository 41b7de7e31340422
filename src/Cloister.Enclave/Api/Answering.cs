using System.Text;
using Cloister.Enclave.Engines;
using Microsoft.Extensions.AI;

namespace Cloister.Enclave.Api;

/// <summary>Carries what a model generates to the client: whole, or as it comes.</summary>
internal static class Answering
{
    public static async Task AnswerAsync(HttpContext context, SamplingFields request, AnswerForm form, Func<IAsyncEnumerable<ChatResponseUpdate>> generate)
    {
        var cancellation = context.RequestAborted;
        try
        {
            await using var generated = generate().GetAsyncEnumerator(cancellation);

            // Up to the first token the engine may still refuse, and then the client gets a status instead of a stream.
            bool any = await generated.MoveNextAsync();
            await (request.Streams ? StreamAsync(context, request, form, generated, any) : WriteWholeAsync(context, form, generated, any));
        }
        catch (Exception fault) when (!cancellation.IsCancellationRequested && !context.Response.HasStarted)
        {
            await EngineFault.Of(fault).WriteAsync(context);
        }
    }

    private static async Task StreamAsync(HttpContext context, SamplingFields request, AnswerForm form, IAsyncEnumerator<ChatResponseUpdate> generated, bool any)
    {
        using var stream = new EventStream(context);
        try
        {
            await form.OpenAsync(stream);
            var end = new AnswerEnd();
            for (; any; any = await generated.MoveNextAsync())
            {
                end.Note(generated.Current);
                if (generated.Current.Text is { Length: > 0 } text)
                {
                    await form.SendTextAsync(stream, text);
                }
            }

            await form.CloseAsync(stream, end.Reason);
            if (request.WantsUsage)
            {
                await form.SendUsageAsync(stream, end.Usage);
            }
            await stream.EndAsync();
        }
        catch (Exception fault) when (!context.RequestAborted.IsCancellationRequested && fault is not OperationCanceledException)
        {
            // The status has gone out: the stream ends with the error and without [DONE].
            await stream.SendAsync(EngineFault.Of(fault).ToBody(), ApiJson.Answers.ApiErrorBody);
        }
    }

    private static async Task WriteWholeAsync(HttpContext context, AnswerForm form, IAsyncEnumerator<ChatResponseUpdate> generated, bool any)
    {
        var text = new StringBuilder();
        var end = new AnswerEnd();
        for (; any; any = await generated.MoveNextAsync())
        {
            end.Note(generated.Current);
            text.Append(generated.Current.Text);
        }
        await EmbeddedEngine.WriteAsync(context, form.Whole(text.ToString(), end.Reason, end.Usage));
    }

    /// <summary>What is known once the last token is out: why it was the last, and what it all came to.</summary>
    private sealed class AnswerEnd
    {
        public string Reason { get; private set; } = "stop";

        public Usage Usage { get; private set; } = new(0, 0);

        public void Note(ChatResponseUpdate update)
        {
            if (update.FinishReason is { } reason)
            {
                Reason = reason.Value;
            }
            foreach (var usage in update.Contents.OfType<UsageContent>())
            {
                Usage = new Usage(usage.Details.InputTokenCount ?? 0, usage.Details.OutputTokenCount ?? 0);
            }
        }
    }
}
