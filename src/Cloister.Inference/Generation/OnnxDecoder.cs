using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cloister.Inference.Generation;

/// <summary>A decoder graph in ONNX Runtime. What it needs to know of the model it reads from the graph's own inputs.</summary>
internal sealed class OnnxDecoder : IDisposable
{
    private const string Past = "past_key_values.";
    private const string Present = "present.";

    private readonly InferenceSession _session;
    private readonly string[] _cacheInputs;
    private readonly string[] _outputs;
    private readonly bool _wantsPositions;
    private readonly bool _wantsMask;

    public OnnxDecoder(ModelFolder folder, int threads)
    {
        _session = Open(folder, threads);
        var inputs = _session.InputMetadata;
        if (!inputs.ContainsKey("input_ids") || !_session.OutputMetadata.ContainsKey("logits"))
        {
            Dispose();
            throw new ModelException("The graph is no decoder: it has no input_ids or no logits.");
        }
        _cacheInputs = [.. inputs.Keys.Where(name => name.StartsWith(Past, StringComparison.Ordinal))];
        string[] unknown = [.. inputs.Keys.Except([.. _cacheInputs, "input_ids", "attention_mask", "position_ids"])];
        string[] missing = [.. _cacheInputs.Select(PresentOf).Except(_session.OutputMetadata.Keys)];
        if (unknown.Length + missing.Length > 0 || _cacheInputs.Length == 0)
        {
            Dispose();
            throw new ModelException(unknown.Length > 0 ? $"The graph has an input that is not known: {unknown[0]}." : "The graph keeps no cache of keys and values.");
        }
        _outputs = ["logits", .. _cacheInputs.Select(PresentOf)];
        _wantsPositions = inputs.ContainsKey("position_ids");
        _wantsMask = inputs.ContainsKey("attention_mask");
    }

    /// <summary>The empty cache of a new answer.</summary>
    public Cache Begin() => new([.. _cacheInputs.Select(EmptyCache)]);

    /// <summary>Reads tokens behind the ones before, and writes what may follow the last of them.</summary>
    /// <param name="logits">Filled with one number per token of the vocabulary.</param>
    public void Step(Cache cache, ReadOnlySpan<int> tokens, ref float[] logits)
    {
        int count = tokens.Length, total = cache.Length + count;
        var (ids, positions, mask) = (new long[count], new long[count], new long[total]);
        for (int i = 0; i < count; i++)
        {
            (ids[i], positions[i]) = (tokens[i], cache.Length + i);
        }
        Array.Fill(mask, 1);

        using var idsValue = OrtValue.CreateTensorValueFromMemory(ids, [1, count]);
        using var positionsValue = OrtValue.CreateTensorValueFromMemory(positions, [1, count]);
        using var maskValue = OrtValue.CreateTensorValueFromMemory(mask, [1, total]);
        var names = new List<string>(_cacheInputs) { "input_ids" };
        var values = new List<OrtValue>(cache.Values) { idsValue };
        if (_wantsPositions)
        {
            names.Add("position_ids");
            values.Add(positionsValue);
        }
        if (_wantsMask)
        {
            names.Add("attention_mask");
            values.Add(maskValue);
        }

        using var options = new RunOptions();
        var outputs = _session.Run(options, names, values, _outputs);
        try
        {
            CopyLast(outputs[0], ref logits);
        }
        finally
        {
            outputs[0].Dispose();
            cache.Replace([.. outputs.Skip(1)], total);
            Array.Clear(ids);
        }
    }

    public void Dispose() => _session.Dispose();

    private static string PresentOf(string past) => string.Concat(Present, past.AsSpan(Past.Length));

    private static InferenceSession Open(ModelFolder folder, int threads)
    {
        try
        {
            using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");

            // The bytes that are hashed are the bytes that are loaded, unless the weights are in files of their own.
            return folder.HasExternalWeights ? new InferenceSession(folder.GraphPath, options) : new InferenceSession(File.ReadAllBytes(folder.GraphPath), options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"{Path.GetFileName(folder.GraphPath)} is not a model that ONNX Runtime can load.", e);
        }
    }

    // [batch, heads, past length, head size], the first and third of any length.
    private OrtValue EmptyCache(string name)
    {
        var metadata = _session.InputMetadata[name];
        int[] shape = metadata.Dimensions;
        if (shape.Length != 4 || shape[1] <= 0 || shape[3] <= 0)
        {
            throw new ModelException($"The cache input {name} has no fixed number and size of heads.");
        }
        long[] empty = [1, shape[1], 0, shape[3]];
        return metadata.ElementDataType is TensorElementType.Float16
            ? OrtValue.CreateTensorValueFromMemory(Array.Empty<Float16>(), empty)
            : OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), empty);
    }

    private static void CopyLast(OrtValue value, ref float[] logits)
    {
        var info = value.GetTensorTypeAndShape();
        int vocabulary = (int)info.Shape[^1];
        if (logits.Length != vocabulary)
        {
            logits = new float[vocabulary];
        }
        if (info.ElementDataType is TensorElementType.Float16)
        {
            var half = value.GetTensorDataAsSpan<Float16>()[^vocabulary..];
            for (int i = 0; i < vocabulary; i++)
            {
                logits[i] = (float)half[i];
            }
            return;
        }
        value.GetTensorDataAsSpan<float>()[^vocabulary..].CopyTo(logits);
    }

    /// <summary>Keys and values of what was read so far. They stay in ONNX Runtime's memory: a step's outputs are the next one's inputs.</summary>
    internal sealed class Cache(OrtValue[] values) : IDisposable
    {
        public OrtValue[] Values { get; private set; } = values;

        public int Length { get; private set; }

        public void Replace(OrtValue[] values, int length)
        {
            Dispose();
            (Values, Length) = (values, length);
        }

        public void Dispose()
        {
            foreach (var value in Values)
            {
                value.Dispose();
            }
            Values = [];
        }
    }
}
