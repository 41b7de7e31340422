using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cloister.Inference.Generation;

/// <summary>A decoder graph in ONNX Runtime, shared by all conversations. The session stays its owner's.</summary>
internal sealed class OnnxDecoder
{
    private readonly InferenceSession _session;
    private readonly DecoderShape _shape;

    /// <summary>Reads one token to see that the model runs.</summary>
    /// <exception cref="ModelException">The graph is no decoder that can be run here.</exception>
    public OnnxDecoder(InferenceSession session, JsonObject config)
    {
        _session = session;
        _shape = new DecoderShape(session, config);
        float[] logits = [];
        using var cache = Begin();
        Step(cache, [0], ref logits, default);
        Vocabulary = logits.Length;
    }

    /// <summary>How many tokens the model knows.</summary>
    public int Vocabulary { get; }

    /// <summary>The empty cache of a new answer.</summary>
    public KeyValueCache Begin() => new([.. _shape.Caches.Select(EmptyCache)]);

    /// <summary>Reads tokens behind the ones before, and writes what may follow the last of them.</summary>
    /// <param name="logits">Filled with one number per token of the vocabulary.</param>
    /// <param name="cancellationToken">Ends the step in its middle. The cache is of no use then.</param>
    public void Step(KeyValueCache cache, ReadOnlySpan<int> tokens, ref float[] logits, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int past = cache.Length;
        var ids = new long[tokens.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = tokens[i];
        }
        OrtValue[] others = [.. _shape.Others.Select(name => Input(name, ids, past))];
        try
        {
            var outputs = _session.RunDiscreetly(_shape.Inputs, [.. cache.Values, .. others], _shape.Outputs, cancellationToken);
            using var last = outputs[0];
            cache.Replace(outputs[1..], past + ids.Length);
            CopyLast(last, ref logits);
        }
        finally
        {
            Array.Clear(ids);
            Array.ForEach(others, value => value.Wipe());
        }
    }

    private OrtValue Input(string name, long[] ids, int past)
    {
        int total = past + ids.Length;
        long[] numbers = name switch
        {
            "position_ids"   => [.. Enumerable.Range(past, ids.Length)],
            "attention_mask" => [.. Enumerable.Repeat(1L, total)],
            _                => ids,
        };
        return Tensors.OfWhole(numbers, _shape.IsShort(name));
    }

    private static OrtValue EmptyCache((TensorElementType Type, int Heads, int Size) cache)
    {
        long[] shape = [1, cache.Heads, 0, cache.Size];
        return cache.Type is TensorElementType.Float16
            ? OrtValue.CreateTensorValueFromMemory(Array.Empty<Float16>(), shape)
            : OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), shape);
    }

    // [1, tokens, vocabulary]
    private static void CopyLast(OrtValue value, ref float[] logits)
    {
        var info = value.GetTensorTypeAndShape();
        long[] shape = info.Shape;
        if (shape.Length != 3 || shape[1] < 1 || shape[2] is < 1 or > int.MaxValue)
        {
            throw new ModelException("The graph's logits are not of the form [batch, tokens, vocabulary].");
        }
        int vocabulary = (int)shape[2];
        if (logits.Length != vocabulary)
        {
            logits = new float[vocabulary];
        }
        value.CopyFloats((shape[1] - 1) * vocabulary, logits);
        value.GetTensorMutableRawData().Clear();
    }
}
