namespace Cloister.Inference;

/// <summary>A model from a folder, as what its graph is: one of the two is there.</summary>
/// <param name="Digest">What steers it.</param>
public sealed record OnnxModel(ModelDigest Digest)
{
    /// <summary>Answers conversations. Whoever loaded the model ends it.</summary>
    public OnnxChatClient? Chat { get; private init; }

    /// <summary>Maps texts to vectors. Whoever loaded the model ends it.</summary>
    public OnnxEmbeddingGenerator? Embeddings { get; private init; }

    /// <exception cref="ModelException">The folder does not hold a model that can be run, or holds another than was asked for.</exception>
    public static OnnxModel Load(string folder, EngineOptions? options = null)
    {
        options ??= new EngineOptions();
        var files = ModelFolder.Open(folder);
        var graph = GraphFiles.Read(files.GraphPath);
        try
        {
            var digest = files.Digest(graph);
            if (options.Digest is not null && options.Digest != digest)
            {
                throw new ModelException($"The model in {files.Path} is not the one that was asked for: a digest differs.");
            }
            var session = graph.Open(options.Threads);
            return OnnxEmbeddingGenerator.OutputOf(session) is { } output
                ? new OnnxModel(digest) { Embeddings = new OnnxEmbeddingGenerator(files, graph, session, output) }
                : new OnnxModel(digest) { Chat = new OnnxChatClient(files, graph, session, options) };
        }
        catch
        {
            graph.Dispose();
            throw;
        }
    }
}
