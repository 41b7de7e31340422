using static Cloister.Inference.Tests.OnnxWriter;

namespace Cloister.Inference.Tests;

/// <summary>
/// A decoder of sixteen tokens, "a" to "p", that says the letters in order and leaves out those that were there before. It knows them from its cache
/// alone: after "bd" it says "acefg…" only where every key and value of every step comes back in its place. With positions, the letter says the position.
/// </summary>
internal sealed record ToyDecoder
{
    public const int Letters = 16;

    public Number Type { get; init; } = Number.Float;

    public bool TakesPositions { get; init; }

    /// <summary>Where the embeddings are: null for the graph itself.</summary>
    public string? WeightsFile { get; init; }

    /// <summary>Where the graph says nothing of the heads, config.json does: 2 heads of 8 for keys, 4 for queries.</summary>
    public bool LeavesHeadsOpen { get; init; }

    public string[] Without { get; init; } = [];

    public object[] CacheShape { get; init; } = ["batch", 2, "past", 8];

    public string ExtraInput { get; init; } = "";

    public byte[] Graph() => Write(new OnnxWriter()).ToArray();

    /// <summary>The embeddings, as they stand in a file of their own.</summary>
    public byte[] Weights() => Bytes(Type, Embeddings());

    public void WriteTo(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"max_position_embeddings":64,"num_attention_heads":4,"num_key_value_heads":2,"hidden_size":32}""");
        string vocabulary = $"{{{string.Join(',', Enumerable.Range(0, Letters).Select(one => $"\"{(char)('a' + one)}\":{one}"))}}}";
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), $$$"""
            {"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
             "model":{"type":"BPE","merges":[],"vocab":{{{vocabulary}}}}}
            """);
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), Graph());
        if (WeightsFile is not null)
        {
            File.WriteAllBytes(Path.Combine(folder, WeightsFile), [.. new byte[64], .. Weights()]);
        }
    }

    private OnnxWriter Write(OnnxWriter graph)
    {
        object[] cache = LeavesHeadsOpen ? ["batch", "heads", "past", "size"] : CacheShape;
        string ids = Without.Contains("input_ids") ? "ids" : "input_ids";
        graph.Input(ids, Number.Int64, "batch", "count");
        Has("attention_mask", () => graph.Input("attention_mask", Number.Int64, "batch", "total"));
        Has("past", () => graph.Input("past_key_values.0.key", Type, cache).Input("past_key_values.0.value", Type, cache));
        if (ExtraInput.Length > 0)
        {
            graph.Input(ExtraInput, Number.Float, 1);
        }

        bool reads = cache.Length == 4 && !Without.Contains("past");

        // What was read is written down once per head and value: -4 at its place.
        graph.Weights("embeddings", Type, [Letters, Letters], Embeddings(), WeightsFile, offset: 64)
            .Node("Gather", ["embeddings", ids], "read")
            .Constant("as_heads", [0, 0, 2, 8]).Node("Reshape", ["read", "as_heads"], "heads").Node("Transpose", ["heads"], "new", ("perm", (long[])[0, 2, 1, 3]))
            .Node("Concat", [reads ? "past_key_values.0.key" : "new", "new"], "present.0.key", ("axis", 2))
            .Node("Concat", [reads ? "past_key_values.0.value" : "new", "new"], "all", ("axis", 2));

        // The mask is as long as all that was read: of another length it could not be multiplied.
        if (!Without.Contains("attention_mask"))
        {
            graph.Node("Cast", ["attention_mask"], "mask", ("to", (int)Type)).Constant("as_mask", [1, 1, -1, 1])
                .Node("Reshape", ["mask", "as_mask"], "shaped").Node("Mul", ["all", "shaped"], "present.0.value");
        }
        else
        {
            graph.Node("Identity", ["all"], "present.0.value");
        }

        graph.Constant("length", [2]).Node("ReduceSum", ["present.0.value", "length"], "sum", ("keepdims", 1))
            .Constant("as_logits", [1, 1, Letters]).Node("Reshape", ["sum", "as_logits"], "seen")
            .Weights("order", Type, [Letters], [.. Enumerable.Range(0, Letters).Select(one => one / -8f)]).Node("Add", ["seen", "order"], "wanted")
            .Weights("nothing", Type, [1], [0]).Node("Mul", ["read", "nothing"], "zeros").Node("Add", ["wanted", "zeros"], TakesPositions ? "letters" : "logits");
        if (TakesPositions)
        {
            graph.Input("position_ids", Number.Int64, "batch", "count")
                .Weights("places", Type, [Letters, Letters], [.. Embeddings().Select(one => one * -64)])
                .Node("Gather", ["places", "position_ids"], "place").Node("Add", ["letters", "place"], "logits");
        }
        Has("logits", () => graph.Output("logits", Type, "batch", "count", Letters));
        Has("present", () => graph.Output("present.0.key", Type, "batch", "heads", "all", "size").Output("present.0.value", Type, "batch", "heads", "all", "size"));
        return graph;
    }

    private void Has(string part, Action write)
    {
        if (!Without.Contains(part))
        {
            write();
        }
    }

    private static float[] Embeddings() => [.. Enumerable.Range(0, Letters * Letters).Select(at => at / Letters == at % Letters ? -4f : 0)];
}
