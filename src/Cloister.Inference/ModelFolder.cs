using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.Inference;

/// <summary>A folder in the usual Hugging Face layout of an ONNX decoder (docs/spec/inference.md, section 1). What is read is what is hashed.</summary>
public sealed class ModelFolder
{
    private const int MaxConfigBytes = 64 * 1024 * 1024;

    // In the order in which they are taken where several are there: the exact one first, then ever smaller ones.
    private static readonly string[] GraphNames = ["model.onnx", "model_fp16.onnx", "model_int8.onnx", "model_quantized.onnx", "model_q8.onnx", "model_q4.onnx", "model_q4f16.onnx", "model_uint8.onnx", "model_bnb4.onnx"];

    private readonly byte[] _tokenizer;
    private readonly byte[] _tokenizerConfig;
    private readonly byte[] _template;

    private ModelFolder(string path)
    {
        Path = path;
        Config = ReadJson("config.json", required: true);
        Generation = ReadJson("generation_config.json", required: false);
        _tokenizer = Read("tokenizer.json", required: true);
        _tokenizerConfig = Read("tokenizer_config.json", required: false);
        _template = Read("chat_template.jinja", required: false);
        Tokenizer = Parse(_tokenizer, "tokenizer.json");
        TokenizerConfig = _tokenizerConfig.Length == 0 ? [] : Parse(_tokenizerConfig, "tokenizer_config.json");
        GraphPath = FindGraph();
    }

    public string Path { get; }

    /// <summary>The ONNX file that is loaded.</summary>
    public string GraphPath { get; }

    internal JsonObject Config { get; }
    internal JsonObject Generation { get; }
    internal JsonObject Tokenizer { get; }
    internal JsonObject TokenizerConfig { get; }

    /// <summary>The chat template's text; empty where the model has none.</summary>
    internal string Template => _template.Length > 0 ? Encoding.UTF8.GetString(_template) : TokenizerConfig["chat_template"] switch
    {
        JsonValue value when value.TryGetValue(out string? text) => text,
        JsonArray named => named.OfType<JsonObject>().FirstOrDefault(one => (string?)one["name"] == "default")?["template"]?.GetValue<string>() ?? "",
        _ => "",
    };

    /// <exception cref="ModelException">A file is missing, malformed or too large.</exception>
    public static ModelFolder Open(string path) =>
        Directory.Exists(path) ? new ModelFolder(path) : throw new ModelException($"There is no folder {path}.");

    /// <summary>SHA-256 of the graph with its external weights, of the tokenizer, and of what holds the template.</summary>
    public ModelDigest Digest() => new(HashFiles(WeightFiles()), Hash(_tokenizer), Hash([.. _tokenizerConfig, .. _template]));

    // External weights stand beside the graph under its name: model.onnx_data, model.onnx.data, model.onnx_data_1 …
    private IEnumerable<string> WeightFiles() => Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(GraphPath)!, System.IO.Path.GetFileName(GraphPath) + "*").Order(StringComparer.Ordinal);

    internal bool HasExternalWeights => WeightFiles().Skip(1).Any();

    private static string HashFiles(IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1024 * 1024];
        foreach (string file in files)
        {
            using var stream = File.OpenRead(file);
            while (stream.Read(buffer) is > 0 and var length)
            {
                hash.AppendData(buffer, 0, length);
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

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

    private JsonObject ReadJson(string name, bool required) => Read(name, required) is { Length: > 0 } bytes ? Parse(bytes, name) : [];

    private byte[] Read(string name, bool required)
    {
        var file = new FileInfo(System.IO.Path.Combine(Path, name));
        if (!file.Exists)
        {
            return required ? throw new ModelException($"{Path} holds no {name}.") : [];
        }
        return file.Length <= MaxConfigBytes ? File.ReadAllBytes(file.FullName) : throw new ModelException($"{name} is larger than {MaxConfigBytes / 1024 / 1024} MiB.");
    }

    private static JsonObject Parse(byte[] bytes, string name)
    {
        try
        {
            return JsonNode.Parse(bytes) as JsonObject ?? throw new ModelException($"{name} is not a JSON object.");
        }
        catch (JsonException e)
        {
            throw new ModelException($"{name} is not JSON.", e);
        }
    }
}

/// <summary>What steers a model, by SHA-256 in lower-case hex: what an enclave's statement names.</summary>
public sealed record ModelDigest(string Weights, string Tokenizer, string Template);
