using Cloister.Attestation;
using Cloister.Inference;
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

    /// <summary>Loads a folder in the Hugging Face layout of ONNX decoders and embedders, and says by which digests it is served.</summary>
    /// <exception cref="ModelException">The folder holds no model that can be run. The message is one clear sentence.</exception>
    public static (EmbeddedModel Model, ServedModel Statement) Load(string name, string folder, EnclaveLimits limits)
    {
        var loaded = OnnxModel.Load(folder, new EngineOptions { MaxAnswers = limits.Answers });
        var model = new EmbeddedModel(name) { Chat = loaded.Chat, Continue = loaded.Chat is { } chat ? chat.CompleteAsync : null, Embeddings = loaded.Embeddings };
        return (model, new ServedModel { Name = name, Weights = loaded.Digest.Weights, Tokenizer = loaded.Digest.Tokenizer, Template = loaded.Digest.Template });
    }

    public void Dispose()
    {
        Chat?.Dispose();
        Embeddings?.Dispose();
    }
}
