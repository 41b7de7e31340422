using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Cloister.Enclave.Tests.Api;

/// <summary>A model that says the words it was given, one token each, and remembers what it was asked.</summary>
internal sealed class ScriptedModel(params string[] words) : IChatClient
{
    /// <summary>Answers wait at this gate before each word.</summary>
    public Func<int, CancellationToken, Task> BeforeWord { get; init; } = (_, _) => Task.CompletedTask;

    public List<ChatMessage> Asked { get; private set; } = [];

    public ChatOptions? Options { get; private set; }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        (Asked, Options) = ([.. messages], options);
        for (int i = 0; i < words.Length; i++)
        {
            await BeforeWord(i, cancellationToken);
            yield return new ChatResponseUpdate(ChatRole.Assistant, words[i]);
        }
        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = 3, OutputTokenCount = words.Length })])
        {
            FinishReason = ChatFinishReason.Stop,
        };
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public IAsyncEnumerable<ChatResponseUpdate> ContinueAsync(string prompt, ChatOptions options, CancellationToken cancellationToken) =>
        GetStreamingResponseAsync([new ChatMessage(ChatRole.User, prompt)], options, cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() { }
}

/// <summary>Maps a text to its length and its first letter.</summary>
internal sealed class ScriptedEmbeddings : IEmbeddingGenerator<string, Embedding<float>>
{
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(text => new Embedding<float>(new[] { text.Length, (float)text[0] })))
        {
            Usage = new UsageDetails { InputTokenCount = 5 },
        });

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() { }
}
