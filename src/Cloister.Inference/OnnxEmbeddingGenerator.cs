using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Cloister.Inference.Embeddings;
using Cloister.Inference.Generation;
using Microsoft.Extensions.AI;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cloister.Inference;

/// <summary>An embedder in ONNX Runtime (docs/spec/inference.md, section 6). Vectors have the length 1.</summary>
/// <remarks>Texts take turns, one step each. Nothing of a text is kept: its tokens and what was computed of them are wiped.</remarks>
public sealed class OnnxEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private const int DefaultContext = 512;

    // In the order in which they are taken: pooled by the graph itself, or a vector for each token.
    private static readonly string[] Outputs = ["sentence_embedding", "last_hidden_state", "token_embeddings"];
    private static readonly string[] Known = ["input_ids", "attention_mask", "token_type_ids"];

    private readonly GraphFiles _graph;
    private readonly InferenceSession _session;
    private readonly TextEncoder _encoder;
    private readonly Pooling _pooling;
    private readonly string _output;
    private readonly string[] _inputs;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly EmbeddingGeneratorMetadata _metadata;

    internal OnnxEmbeddingGenerator(ModelFolder folder, GraphFiles graph, InferenceSession session, string output)
    {
        (_graph, _session, _output) = (graph, session, output);
        _encoder = new TextEncoder(folder.Tokenizer);
        _pooling = PoolingOf(folder.Pooling);
        _inputs = [.. session.InputMetadata.Keys];
        if (_inputs.Except(Known).FirstOrDefault() is { } unknown)
        {
            throw new ModelException($"The graph has an input that is not known: {unknown}.");
        }
        if (session.OutputMetadata[output].ElementDataType is not (TensorElementType.Float or TensorElementType.Float16))
        {
            throw new ModelException($"The graph's {output} is of the type {session.OutputMetadata[output].ElementDataType}; Float and Float16 are known.");
        }

        // Some tokenizers say 1e30 where they know no limit.
        int context = folder.ContextOr(DefaultContext);
        Context = folder.TokenizerConfig.Number("model_max_length") is >= 1 and var limit && limit < context ? (int)limit : context;
        int dimensions = Embed([0], default).Length;
        _metadata = new EmbeddingGeneratorMetadata("cloister", null, folder.Name, dimensions);
    }

    private enum Pooling : byte { Mean, First, Last }

    /// <summary>How many tokens a text may have.</summary>
    public int Context { get; }

    /// <summary>One vector for each text, in their order.</summary>
    /// <exception cref="ContextTooLongException">A text does not fit.</exception>
    /// <exception cref="NotSupportedException">Another number of dimensions is asked for.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (options?.Dimensions is { } dimensions && dimensions != _metadata.DefaultModelDimensions)
        {
            throw new NotSupportedException($"This model embeds in {_metadata.DefaultModelDimensions} dimensions.");
        }
        var embeddings = new GeneratedEmbeddings<Embedding<float>>();
        long read = 0;
        foreach (string text in values)
        {
            using var tokens = new TokenList();
            _encoder.Encode(text, tokens);
            if (tokens.Count == 0 || tokens.Count > Context)
            {
                throw new ContextTooLongException(tokens.Count, Context);
            }
            read += tokens.Count;
            embeddings.Add(new Embedding<float>(await InTurnAsync(tokens.Memory, cancellationToken).ConfigureAwait(false)) { ModelId = _metadata.DefaultModelId });
        }
        embeddings.Usage = new UsageDetails { InputTokenCount = read, TotalTokenCount = read };
        return embeddings;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;

    /// <summary>Frees the model. No text may be in progress.</summary>
    public void Dispose()
    {
        _graph.Dispose();
        _turn.Dispose();
    }

    /// <summary>The output that holds an embedding; null where the graph is no embedder.</summary>
    internal static string? OutputOf(InferenceSession session) =>
        session.OutputMetadata.ContainsKey("logits") ? null : Outputs.FirstOrDefault(session.OutputMetadata.ContainsKey);

    private async Task<float[]> InTurnAsync(ReadOnlyMemory<int> tokens, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return Embed(tokens.Span, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private float[] Embed(ReadOnlySpan<int> tokens, CancellationToken cancellationToken)
    {
        var ids = new long[tokens.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = tokens[i];
        }
        OrtValue[] values = [.. _inputs.Select(name => Input(name, ids))];
        try
        {
            var output = _session.RunDiscreetly(_inputs, values, [_output], cancellationToken)[0];
            try
            {
                return Normalised(Pool(output, tokens.Length));
            }
            finally
            {
                output.Wipe();
            }
        }
        finally
        {
            Array.Clear(ids);
            Array.ForEach(values, value => value.Wipe());
        }
    }

    private OrtValue Input(string name, long[] ids)
    {
        long[] numbers = name switch
        {
            "attention_mask" => [.. Enumerable.Repeat(1L, ids.Length)],
            "token_type_ids" => new long[ids.Length],
            _                => ids,
        };
        return Tensors.OfWhole(numbers, _session.InputMetadata[name].ElementDataType is TensorElementType.Int32);
    }

    // [1, size] where the graph pools, [1, tokens, size] where it leaves that to us. The mask is all ones: a text stands alone, without padding.
    private float[] Pool(OrtValue output, int count)
    {
        long[] shape = output.GetTensorTypeAndShape().Shape;
        bool isPooled = shape.Length == 2;
        if (shape is not ([1, > 0] or [1, _, > 0]) || shape[^1] > int.MaxValue / sizeof(float) || (!isPooled && shape[1] != count))
        {
            throw new ModelException($"The graph's {_output} is neither of the form [batch, size] nor [batch, tokens, size].");
        }
        var sum = new float[shape[^1]];
        var row = new float[sum.Length];
        var (first, last) = isPooled || _pooling is Pooling.First ? (0, 0) : _pooling is Pooling.Last ? (count - 1, count - 1) : (0, count - 1);
        for (int token = first; token <= last; token++)
        {
            output.CopyFloats((long)token * row.Length, row);
            TensorPrimitives.Add(sum, row, sum);
        }
        Array.Clear(row);
        return sum;
    }

    private static float[] Normalised(float[] vector)
    {
        float length = TensorPrimitives.Norm(vector);
        if (!float.IsFinite(length) || length == 0)
        {
            throw new ModelException("The model computes a vector that has no direction.");
        }
        TensorPrimitives.Divide(vector, length, vector);
        return vector;
    }

    private static Pooling PoolingOf(JsonObject pooling)
    {
        string[] modes = [.. pooling.Where(field => field.Key.StartsWith("pooling_mode_", StringComparison.Ordinal)).Select(field => field.Key).Where(name => pooling.Flag(name) is true)];
        return modes switch
        {
            [] or ["pooling_mode_mean_tokens"] => Pooling.Mean,
            ["pooling_mode_cls_token"]         => Pooling.First,
            ["pooling_mode_lasttoken"]         => Pooling.Last,
            _ => throw new ModelException($"1_Pooling/config.json pools by {string.Join(" and ", modes)}, which is not known."),
        };
    }
}
