using System.Runtime.InteropServices;
using System.Text;

namespace Cloister.Inference.Tests;

/// <summary>Writes small ONNX graphs: as much of the format (onnx.proto3, Protocol Buffers) as tests need.</summary>
internal sealed class OnnxWriter
{
    public enum Number { Float = 1, Int64 = 7, Half = 10 }

    private readonly Message _graph = new Message().Text(2, "test");

    public OnnxWriter Input(string name, Number type, params object[] shape) => Value(11, name, type, shape);

    public OnnxWriter Output(string name, Number type, params object[] shape) => Value(12, name, type, shape);

    /// <summary>A node with one output. Attributes are whole numbers or lists of them.</summary>
    public OnnxWriter Node(string type, string[] inputs, string output, params (string Name, object Value)[] attributes)
    {
        var node = new Message();
        Array.ForEach(inputs, input => node.Text(1, input));
        node.Text(2, output).Text(4, type);
        foreach (var (name, value) in attributes)
        {
            var attribute = new Message().Text(1, name);
            if (value is long[] many)
            {
                Array.ForEach(many, one => attribute.Whole(8, one));
            }
            else
            {
                attribute.Whole(3, Convert.ToInt64(value, null));
            }
            node.Nested(5, attribute.Whole(20, value is long[]? 7 : 2));
        }
        _graph.Nested(1, node);
        return this;
    }

    public OnnxWriter Constant(string name, long[] values) => Tensor(name, Number.Int64, [values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    /// <summary>Weights, as halves or floats; outside of the graph where a file is named.</summary>
    public OnnxWriter Weights(string name, Number type, int[] shape, float[] values, string? file = null, long offset = 0) => Tensor(name, type, shape, Bytes(type, values), file, offset);

    public static byte[] Bytes(Number type, float[] values) => type is Number.Half
        ? MemoryMarshal.AsBytes(Array.ConvertAll(values, value => (Half)value).AsSpan()).ToArray()
        : MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    public byte[] ToArray() => new Message().Whole(1, 8).Nested(7, _graph).Nested(8, new Message().Whole(2, 17)).ToArray();

    private OnnxWriter Tensor(string name, Number type, int[] shape, byte[] bytes, string? file = null, long offset = 0)
    {
        var tensor = new Message();
        Array.ForEach(shape, one => tensor.Whole(1, one));
        tensor.Whole(2, (int)type).Text(8, name);
        if (file is null)
        {
            tensor.Bytes(9, bytes);
        }
        else
        {
            foreach (var (key, value) in new[] { ("location", file), ("offset", $"{offset}"), ("length", $"{bytes.Length}") })
            {
                tensor.Nested(13, new Message().Text(1, key).Text(2, value));
            }
            tensor.Whole(14, 1);
        }
        _graph.Nested(5, tensor);
        return this;
    }

    private OnnxWriter Value(int field, string name, Number type, object[] shape)
    {
        var dimensions = new Message();
        foreach (object one in shape)
        {
            dimensions.Nested(1, one is string open ? new Message().Text(2, open) : new Message().Whole(1, Convert.ToInt64(one, null)));
        }
        _graph.Nested(field, new Message().Text(1, name).Nested(2, new Message().Nested(1, new Message().Whole(1, (int)type).Nested(2, dimensions))));
        return this;
    }

    // One message of Protocol Buffers.
    private sealed class Message
    {
        private readonly List<byte> _bytes = [];

        public Message Whole(int field, long value)
        {
            Varint(field << 3);
            Varint(value);
            return this;
        }

        public Message Bytes(int field, ReadOnlySpan<byte> value)
        {
            Varint(field << 3 | 2);
            Varint(value.Length);
            _bytes.AddRange(value);
            return this;
        }

        public Message Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Message Nested(int field, Message value) => Bytes(field, value.ToArray());

        public byte[] ToArray() => [.. _bytes];

        private void Varint(long value)
        {
            var rest = (ulong)value;
            for (; rest > 0x7F; rest >>= 7)
            {
                _bytes.Add((byte)(rest & 0x7F | 0x80));
            }
            _bytes.Add((byte)rest);
        }
    }
}
