using Cloister.Inference.Embeddings;
using Cloister.Inference.Generation;
using Microsoft.Extensions.AI;
using static Cloister.Inference.Tests.OnnxWriter;

namespace Cloister.Inference.Tests;

public sealed class EmbeddingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-toy-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a enclave", "a enclave")]
    [InlineData("Enclaves,INSIDE", "enclave ##s , in ##side")]
    [InlineData("  a\t\n\u00a0a\u200b\0 ", "a a")]
    [InlineData("Café, CAFÉ, Cafe\u0301", "cafe , cafe , cafe")]
    [InlineData("a中a", "a \u4e2d a")]
    [InlineData("unheard unknown", "[UNK] un ##known")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "[UNK]")]
    [InlineData("[CLS]", "[UNK] [UNK] [UNK]")]
    [InlineData("", "")]
    public void Words_are_cut_into_their_longest_pieces(string text, string pieces)
    {
        new ToyEmbedder().WriteTo(_folder);
        using var ids = new TokenList();
        new TextEncoder(ModelFolder.Open(_folder).Tokenizer).Encode(text, ids);
        Assert.Equal($"[CLS] {pieces} [SEP]".Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ToyEmbedder.IdOf), ids.Span.ToArray());
    }

    [Theory]
    [InlineData(Number.Float, null, new[] { "[CLS]", "a", "a", "[SEP]" })]
    [InlineData(Number.Half, null, new[] { "[CLS]", "a", "a", "[SEP]" })]
    [InlineData(Number.Float, """{"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true}""", new[] { "[CLS]", "a", "a", "[SEP]" })]
    [InlineData(Number.Float, """{"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false}""", new[] { "[CLS]" })]
    [InlineData(Number.Half, """{"pooling_mode_lasttoken":true}""", new[] { "[SEP]" })]
    internal async Task Vectors_are_pooled_as_the_model_says_and_have_the_length_one(Number type, string? pooling, string[] pooled)
    {
        new ToyEmbedder { Type = type, Pooling = pooling }.WriteTo(_folder);
        AssertVector(pooled, await EmbedAsync("a a"));
    }

    [Fact]
    public async Task A_vector_that_the_graph_pools_is_taken_as_it_is()
    {
        new ToyEmbedder { Output = "sentence_embedding" }.WriteTo(_folder);
        AssertVector(["[CLS]", "a", "[SEP]"], await EmbedAsync("a a"));
    }

    [Fact]
    public async Task Texts_are_counted_and_those_that_do_not_fit_are_refused()
    {
        new ToyEmbedder().WriteTo(_folder);
        using var generator = Load();
        var both = await generator.GenerateAsync(["a", "a a a"]);
        Assert.Equal((2, 8), (both.Count, both.Usage!.InputTokenCount));
        Assert.Equal(12, generator.Context);
        await Assert.ThrowsAsync<ContextTooLongException>(() => generator.GenerateAsync(["a a a a a a a a a a a"]));
        await Assert.ThrowsAsync<NotSupportedException>(() => generator.GenerateAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 3 }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(["a"], cancellationToken: new CancellationToken(true)));
    }

    [Fact]
    public void A_pooling_that_is_not_known_is_refused()
    {
        new ToyEmbedder { Pooling = """{"pooling_mode_max_tokens":true}""" }.WriteTo(_folder);
        Assert.Contains("pooling_mode_max_tokens", Assert.Throws<ModelException>(Load).Message);
    }

    [Fact]
    public void An_input_that_is_not_known_is_refused()
    {
        new ToyEmbedder { ExtraInput = "pixel_values" }.WriteTo(_folder);
        Assert.Contains("pixel_values", Assert.Throws<ModelException>(Load).Message);
    }

    [Fact]
    public void An_embedder_does_not_answer_and_a_decoder_does_not_embed()
    {
        new ToyEmbedder().WriteTo(_folder);
        Assert.EndsWith("does not answer.", Assert.Throws<ModelException>(() => OnnxChatClient.Load(_folder)).Message);
        var decoder = OnnxModel.Load(Demonstration.Folder, new EngineOptions { Threads = 1 });
        decoder.Chat!.Dispose();
        Assert.Null(decoder.Embeddings);
    }

    private static void AssertVector(string[] pieces, float[] vector)
    {
        var sum = new float[ToyEmbedder.Size];
        Array.ForEach(pieces, piece => sum[ToyEmbedder.IdOf(piece)]++);
        float length = MathF.Sqrt(sum.Sum(one => one * one));
        Assert.Equal(sum.Select(one => one / length), vector, (left, right) => MathF.Abs(left - right) < 1e-6f);
    }

    private OnnxEmbeddingGenerator Load() => OnnxModel.Load(_folder, new EngineOptions { Threads = 1 }).Embeddings!;

    private async Task<float[]> EmbedAsync(string text)
    {
        using var generator = Load();
        return (await generator.GenerateAsync([text]))[0].Vector.ToArray();
    }
}
