using static Cloister.Inference.Tests.OnnxWriter;

namespace Cloister.Inference.Tests;

/// <summary>An embedder with a vocabulary of a few word pieces: the vector of a token is its place among sixteen.</summary>
internal sealed record ToyEmbedder
{
    public const int Size = 16;

    private static readonly string[] Pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "cafe", "enclave", "##s", "##side", "in", ",", "\u4e2d", "un", "##known"];

    public Number Type { get; init; } = Number.Float;

    public string Output { get; init; } = "last_hidden_state";

    public string? Pooling { get; init; }

    public string ExtraInput { get; init; } = "";

    public static int IdOf(string piece) => Array.IndexOf(Pieces, piece);

    public void WriteTo(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"max_position_embeddings":12}""");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"model_max_length":1000000000000000019884624838656}""");
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), $$$"""
            {"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
             "pre_tokenizer":{"type":"BertPreTokenizer"},
             "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],
              "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2]},"[SEP]":{"id":"[SEP]","ids":[3]} } },
             "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":20,
              "vocab":{ {{{string.Join(',', Pieces.Select((piece, id) => $"\"{piece}\":{id}"))}}} } } }
            """);
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), Graph());
        if (Pooling is not null)
        {
            Directory.CreateDirectory(Path.Combine(folder, "1_Pooling"));
            File.WriteAllText(Path.Combine(folder, "1_Pooling", "config.json"), Pooling);
        }
    }

    private byte[] Graph()
    {
        var graph = new OnnxWriter().Input("input_ids", Number.Int64, "batch", "count").Input("attention_mask", Number.Int64, "batch", "count").Input("token_type_ids", Number.Int64, "batch", "count");
        if (ExtraInput.Length > 0)
        {
            graph.Input(ExtraInput, Number.Float, 1);
        }
        graph.Weights("words", Type, [Size, Size], [.. Enumerable.Range(0, Size * Size).Select(at => at / Size == at % Size ? 1f : 0)])
            .Weights("kinds", Type, [1, Size], [.. Enumerable.Range(0, Size).Select(at => 0f)])
            .Node("Gather", ["words", "input_ids"], "read").Node("Gather", ["kinds", "token_type_ids"], "kind").Node("Add", ["read", "kind"], "known")
            .Node("Cast", ["attention_mask"], "mask", ("to", (int)Type)).Constant("as_mask", [1, -1, 1]).Node("Reshape", ["mask", "as_mask"], "shaped");
        if (Output == "sentence_embedding")
        {
            graph.Node("Mul", ["known", "shaped"], "last_hidden_state").Node("ReduceMax", ["last_hidden_state"], Output, ("axes", (long[])[1]), ("keepdims", 0))
                .Output("last_hidden_state", Type, "batch", "count", Size).Output(Output, Type, "batch", Size);
        }
        else
        {
            graph.Node("Mul", ["known", "shaped"], Output).Output(Output, Type, "batch", "count", Size);
        }
        return graph.ToArray();
    }
}
