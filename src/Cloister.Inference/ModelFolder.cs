using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.Inference;

/// <summary>A folder in the usual Hugging Face layout of an ONNX model (docs/spec/inference.md, section 1). Its small files are read once: what is used is what is hashed.</summary>
public sealed class ModelFolder
{
    private const int MaxFileBytes = 64 * 1024 * 1024;
    private const string TokenizerName = "tokenizer.json";

    // In the order in which they are taken where several are there: the exact one first, then ever smaller ones.
    private static readonly string[] GraphNames = ["model.onnx", "model_fp16.onnx", "model_int8.onnx", "model_quantized.onnx", "model_q8.onnx", "model_q4.onnx", "model_q4f16.onnx", "model_uint8.onnx", "model_bnb4.onnx"];

    // All of them steer what is answered, so all of them are in a digest.
    private static readonly string[] SteeringNames = ["1_Pooling/config.json", "chat_template.jinja", "config.json", "generation_config.json", "tokenizer_config.json"];

    private readonly Dictionary<string, byte[]> _files = [];

    private ModelFolder(string path)
    {
        Path = path;
        foreach (string name in SteeringNames.Append(TokenizerName))
        {
            Read(name);
        }
        Config = Parse("config.json") ?? throw Missing("config.json");
        Tokenizer = Parse(TokenizerName) ?? throw Missing(TokenizerName);
        Generation = Parse("generation_config.json") ?? [];
        TokenizerConfig = Parse("tokenizer_config.json") ?? [];
        Pooling = Parse("1_Pooling/config.json") ?? [];
        GraphPath = FindGraph();
    }

    public string Path { get; }

    /// <summary>The folder's own name.</summary>
    public string Name => System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(Path)));

    /// <summary>The ONNX file that is loaded.</summary>
    public string GraphPath { get; }

    internal JsonObject Config { get; }
    internal JsonObject Generation { get; }
    internal JsonObject Tokenizer { get; }
    internal JsonObject TokenizerConfig { get; }
    internal JsonObject Pooling { get; }

    /// <summary>The chat template's text; empty where the model has none.</summary>
    internal string Template => _files.TryGetValue("chat_template.jinja", out byte[]? file) ? Encoding.UTF8.GetString(file)
        : TokenizerConfig["chat_template"] is JsonArray ? TokenizerConfig.Objects("chat_template").FirstOrDefault(one => one.Text("name") == "default")?.Text("template") ?? ""
        : TokenizerConfig.Text("chat_template") ?? "";

    /// <summary>How many tokens the model reads, as config.json says.</summary>
    /// <exception cref="ModelException">It says a number that cannot be.</exception>
    internal int ContextOr(int usual) => (Config.Whole("max_position_embeddings") ?? Config.Whole("n_positions") ?? usual) is > 1 and var context
        ? context
        : throw new ModelException("config.json says that the model's context is shorter than a question and an answer.");

    /// <exception cref="ModelException">A file is missing, malformed or too large.</exception>
    public static ModelFolder Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new ModelException($"There is no folder {path}.");
        }
        try
        {
            return new ModelFolder(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"The files in {path} cannot be read.", e);
        }
    }

    /// <summary>The digests, without loading the model. The graph is read for them; a session says its own digest of what it loaded.</summary>
    /// <exception cref="ModelException">The graph cannot be read.</exception>
    public ModelDigest Digest()
    {
        using var graph = GraphFiles.Read(GraphPath);
        return Digest(graph);
    }

    internal ModelDigest Digest(GraphFiles graph) => new(
        graph.Digest,
        ModelDigest.Of(_files[TokenizerName]),
        ModelDigest.OfListing(_files.Where(file => file.Key != TokenizerName).Select(file => (file.Key, ModelDigest.Of(file.Value)))));

    private string FindGraph()
    {
        foreach (string folder in new[] { System.IO.Path.Combine(Path, "onnx"), Path })
        {
            if (GraphNames.Select(name => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } graph)
            {
                return graph;
            }
        }
        throw new ModelException($"{Path} holds no ONNX model, neither in onnx/ nor beside config.json.");
    }

    private void Read(string name)
    {
        var file = new FileInfo(System.IO.Path.Combine(Path, name));
        if (file.Exists)
        {
            _files[name] = file.Length <= MaxFileBytes ? File.ReadAllBytes(file.FullName) : throw new ModelException($"{name} is larger than {MaxFileBytes / 1024 / 1024} MiB.");
        }
    }

    private JsonObject? Parse(string name) => _files.TryGetValue(name, out byte[]? bytes) ? JsonFields.Parse(bytes, name) : null;

    private ModelException Missing(string name) => new($"{Path} holds no {name}.");
}
