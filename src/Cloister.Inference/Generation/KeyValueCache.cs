using Microsoft.ML.OnnxRuntime;

namespace Cloister.Inference.Generation;

/// <summary>Keys and values of what was read so far. They stay in ONNX Runtime's memory: a step's outputs are the next one's inputs.</summary>
internal sealed class KeyValueCache(OrtValue[] values) : IDisposable
{
    public OrtValue[] Values { get; private set; } = values;

    /// <summary>How many tokens were read.</summary>
    public int Length { get; private set; }

    public void Replace(OrtValue[] values, int length)
    {
        Dispose();
        (Values, Length) = (values, length);
    }

    /// <summary>Wipes and frees them: they are the conversation in other words.</summary>
    public void Dispose()
    {
        Array.ForEach(Values, value => value.Wipe());
        Values = [];
    }
}
