using System.Security.Cryptography;
using System.Text.Json;

namespace Cloister.Enclave.Api;

/// <summary>How one answer is written down, whole or token by token.</summary>
internal abstract class AnswerForm
{
    private protected AnswerForm(string prefix, string model, DateTimeOffset created) =>
        (Id, Model, Created) = ($"{prefix}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}", model, created.ToUnixTimeSeconds());

    protected string Id { get; }

    protected string Model { get; }

    protected long Created { get; }

    public abstract ValueTask OpenAsync(EventStream stream);

    public abstract ValueTask SendTextAsync(EventStream stream, string text);

    public abstract ValueTask CloseAsync(EventStream stream, string finishReason);

    public abstract ValueTask SendUsageAsync(EventStream stream, Usage usage);

    public abstract byte[] Whole(string text, string finishReason, Usage usage);
}

internal sealed class ChatForm(string model, DateTimeOffset created) : AnswerForm("chatcmpl", model, created)
{
    public override ValueTask OpenAsync(EventStream stream) => SendAsync(stream, new ChatChunkChoice(new ChatDelta("assistant", "")));

    public override ValueTask SendTextAsync(EventStream stream, string text) => SendAsync(stream, new ChatChunkChoice(new ChatDelta(Content: text)));

    public override ValueTask CloseAsync(EventStream stream, string finishReason) => SendAsync(stream, new ChatChunkChoice(new ChatDelta(), finishReason));

    public override ValueTask SendUsageAsync(EventStream stream, Usage usage) =>
        stream.SendAsync(new ChatChunk(Id, Created, Model, [], usage), ApiJson.Answers.ChatChunk);

    public override byte[] Whole(string text, string finishReason, Usage usage) =>
        JsonSerializer.SerializeToUtf8Bytes(new ChatCompletion(Id, Created, Model, [new ChatChoice(new ChatAnswer(text), finishReason)], usage), ApiJson.Answers.ChatCompletion);

    private ValueTask SendAsync(EventStream stream, ChatChunkChoice choice) =>
        stream.SendAsync(new ChatChunk(Id, Created, Model, [choice]), ApiJson.Answers.ChatChunk);
}

internal sealed class CompletionForm(string model, DateTimeOffset created) : AnswerForm("cmpl", model, created)
{
    public override ValueTask OpenAsync(EventStream stream) => ValueTask.CompletedTask;

    public override ValueTask SendTextAsync(EventStream stream, string text) => SendAsync(stream, [new CompletionChoice(text)]);

    public override ValueTask CloseAsync(EventStream stream, string finishReason) => SendAsync(stream, [new CompletionChoice("", finishReason)]);

    public override ValueTask SendUsageAsync(EventStream stream, Usage usage) => SendAsync(stream, [], usage);

    public override byte[] Whole(string text, string finishReason, Usage usage) =>
        JsonSerializer.SerializeToUtf8Bytes(new Completion(Id, Created, Model, [new CompletionChoice(text, finishReason)], usage), ApiJson.Answers.Completion);

    private ValueTask SendAsync(EventStream stream, IReadOnlyList<CompletionChoice> choices, Usage? usage = null) =>
        stream.SendAsync(new Completion(Id, Created, Model, choices, usage), ApiJson.Answers.Completion);
}
