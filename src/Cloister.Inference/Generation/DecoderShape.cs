using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cloister.Inference.Generation;

/// <summary>What a decoder's graph wants and gives, read from the graph's own inputs and outputs.</summary>
internal sealed class DecoderShape
{
    private const string Past = "past_key_values.";
    private const string Present = "present.";

    private static readonly string[] Known = ["input_ids", "attention_mask", "position_ids"];

    private readonly IReadOnlyDictionary<string, NodeMetadata> _inputs;

    /// <exception cref="ModelException">The graph is no decoder, or one that cannot be run here.</exception>
    public DecoderShape(InferenceSession session, JsonObject config)
    {
        _inputs = session.InputMetadata;
        var outputs = session.OutputMetadata;
        if (!_inputs.ContainsKey("input_ids") || !outputs.TryGetValue("logits", out var logits))
        {
            throw new ModelException("The graph is no decoder: it has no input_ids or no logits.");
        }
        RequireFloats(logits, "logits");

        string[] caches = [.. _inputs.Keys.Where(name => name.StartsWith(Past, StringComparison.Ordinal))];
        if (caches.Length == 0 || Array.Exists(caches, name => !outputs.ContainsKey(PresentOf(name))))
        {
            throw new ModelException("The graph keeps no cache of keys and values.");
        }
        if (_inputs.Keys.Except([.. caches, .. Known]).FirstOrDefault() is { } unknown)
        {
            throw new ModelException($"The graph has an input that is not known: {unknown}.");
        }

        Caches = [.. caches.Select(name => CacheOf(name, config))];
        Others = [.. Known.Where(_inputs.ContainsKey)];
        foreach (string name in Others.Where(name => _inputs[name].ElementDataType is not (TensorElementType.Int64 or TensorElementType.Int32)))
        {
            throw new ModelException($"The graph's {name} is of the type {_inputs[name].ElementDataType}; Int64 and Int32 are known.");
        }
        Inputs = [.. caches, .. Others];
        Outputs = ["logits", .. caches.Select(PresentOf)];
    }

    /// <summary>Names of the inputs: the caches, then the others.</summary>
    public string[] Inputs { get; }

    /// <summary>Names of the outputs: logits, then the caches in the order of the inputs.</summary>
    public string[] Outputs { get; }

    public (TensorElementType Type, int Heads, int Size)[] Caches { get; }

    /// <summary>Names of the inputs that are no cache.</summary>
    public string[] Others { get; }

    public bool IsShort(string input) => _inputs[input].ElementDataType is TensorElementType.Int32;

    private static string PresentOf(string past) => string.Concat(Present, past.AsSpan(Past.Length));

    // [batch, heads, past length, head size], the first and third of any length. Where the graph leaves heads or their size open, config.json says them.
    private (TensorElementType, int, int) CacheOf(string name, JsonObject config)
    {
        var metadata = _inputs[name];
        RequireFloats(metadata, name);
        int[] shape = metadata.Dimensions;
        if (shape.Length != 4)
        {
            throw new ModelException($"The graph's {name} is not of the form [batch, heads, length, size].");
        }
        int queries = config.Whole("num_attention_heads") ?? 0;
        int heads = shape[1] > 0 ? shape[1] : config.Whole("num_key_value_heads") ?? queries;
        int size = shape[3] > 0 ? shape[3] : config.Whole("head_dim") ?? (queries > 0 ? (config.Whole("hidden_size") ?? 0) / queries : 0);
        return heads > 0 && size > 0 ? (metadata.ElementDataType, heads, size) : throw new ModelException($"Neither the graph nor config.json says the number and size of the heads of {name}.");
    }

    private static void RequireFloats(NodeMetadata metadata, string name)
    {
        if (!metadata.IsTensor || metadata.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16))
        {
            throw new ModelException($"The graph's {name} is of the type {metadata.ElementDataType}; Float and Float16 are known.");
        }
    }
}
