using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cloister.Inference;

/// <summary>What decoders and embedders do alike with ONNX Runtime.</summary>
internal static class Tensors
{
    extension(InferenceSession session)
    {
        /// <summary>Runs the graph. Cancelling ends it in its middle.</summary>
        /// <exception cref="ModelException">It failed. The exception holds nothing of what was computed.</exception>
        public OrtValue[] RunDiscreetly(string[] inputs, OrtValue[] values, string[] outputs, CancellationToken cancellationToken)
        {
            using var options = new RunOptions();
            using var stop = cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
            try
            {
                return [.. session.Run(options, inputs, values, outputs)];
            }
            catch (OnnxRuntimeException)
            {
                // Without the inner exception: it may quote what was computed.
                cancellationToken.ThrowIfCancellationRequested();
                throw new ModelException("The model failed while it computed: its files do not belong together, or memory ran out.");
            }
        }
    }

    extension(OrtValue value)
    {
        /// <summary>Reads numbers of the type Float or Float16.</summary>
        public void CopyFloats(long from, Span<float> target)
        {
            int start = checked((int)from);
            if (value.GetTensorTypeAndShape().ElementDataType is TensorElementType.Float)
            {
                MemoryMarshal.Cast<byte, float>(value.GetTensorMutableRawData()).Slice(start, target.Length).CopyTo(target);
                return;
            }
            var halves = MemoryMarshal.Cast<byte, Half>(value.GetTensorMutableRawData()).Slice(start, target.Length);
            for (int i = 0; i < target.Length; i++)
            {
                target[i] = (float)halves[i];
            }
        }

        /// <summary>Overwrites the numbers with zeros, and frees them.</summary>
        public void Wipe()
        {
            if (value.GetTensorTypeAndShape().ElementCount > 0)
            {
                value.GetTensorMutableRawData().Clear();
            }
            value.Dispose();
        }
    }

    /// <summary>Whole numbers of the form [1, length], as Int32 where they are short and Int64 otherwise. The numbers may be the tensor's memory.</summary>
    public static OrtValue OfWhole(long[] numbers, bool isShort) => isShort
        ? OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(numbers, number => (int)number), [1, numbers.Length])
        : OrtValue.CreateTensorValueFromMemory(numbers, [1, numbers.Length]);
}
