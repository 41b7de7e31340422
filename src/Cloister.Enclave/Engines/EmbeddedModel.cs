using Microsoft.Extensions.AI;

namespace Cloister.Enclave.Engines;

/// <summary>A model in the enclave's own memory, under the name by which clients ask for it.</summary>
public sealed record EmbeddedModel(string Name) : IDisposable
{
    /// <summary>Answers conversations. Null where the model only embeds.</summary>
    public IChatClient? Chat { get; init; }

    /// <summary>Continues plain text, without a chat template. Null where the model cannot.</summary>
    public Func<string, ChatOptions, CancellationToken, IAsyncEnumerable<ChatResponseUpdate>>? Continue { get; init; }

    /// <summary>Maps texts to vectors. Null where the model does not.</summary>
    public IEmbeddingGenerator<string, Embedding<float>>? Embeddings { get; init; }

    public void Dispose()
    {
        Chat?.Dispose();
        Embeddings?.Dispose();
    }
}
