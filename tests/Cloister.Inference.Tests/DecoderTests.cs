using Microsoft.Extensions.AI;
using static Cloister.Inference.Tests.OnnxWriter;

namespace Cloister.Inference.Tests;

/// <summary>Graphs of every kind that is known, and one that is spoiled in every way that is foreseen.</summary>
public sealed class DecoderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-toy-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Number.Float, null, false)]
    [InlineData(Number.Half, null, false)]
    [InlineData(Number.Float, "model.onnx_data", false)]
    [InlineData(Number.Half, "model.onnx.data", false)]
    [InlineData(Number.Float, null, true)]
    [InlineData(Number.Half, "model.onnx_data", true)]
    internal async Task It_reads_its_cache(Number type, string? weights, bool open) =>
        Assert.Equal("acefg", await CompleteAsync(new ToyDecoder { Type = type, WeightsFile = weights, LeavesHeadsOpen = open }, "bd"));

    [Theory]
    [InlineData(Number.Float)]
    [InlineData(Number.Half)]
    internal async Task Positions_count_on(Number type) =>
        Assert.Equal("cdefg", await CompleteAsync(new ToyDecoder { Type = type, TakesPositions = true }, "aaa"));

    [Fact]
    public async Task A_mask_is_given_only_where_one_is_wanted() =>
        Assert.Equal("acefg", await CompleteAsync(new ToyDecoder { Without = ["attention_mask"] }, "bd"));

    [Theory]
    [InlineData("input_ids", "no input_ids")]
    [InlineData("logits", "no logits")]
    [InlineData("past", "no cache")]
    [InlineData("present", "no cache")]
    public void A_graph_that_lacks_a_part_is_no_decoder(string part, string said) => Refused(new ToyDecoder { Without = [part] }, said);

    [Fact]
    public void A_graph_that_wants_more_is_refused_with_the_name() => Refused(new ToyDecoder { ExtraInput = "pixel_values" }, "pixel_values");

    [Fact]
    public void A_cache_of_another_form_is_refused() => Refused(new ToyDecoder { CacheShape = ["batch", "past", 16] }, "[batch, heads, length, size]");

    [Fact]
    public void A_cache_whose_sizes_do_not_fit_the_weights_is_refused() => Refused(new ToyDecoder { CacheShape = ["batch", 3, "past", 8] }, "model.onnx");

    [Fact]
    public void Heads_that_nobody_tells_are_refused_and_huge_ones_cost_nothing()
    {
        new ToyDecoder { LeavesHeadsOpen = true }.WriteTo(_folder);
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"num_key_value_heads":1000000000,"head_dim":1000000000}""");
        Load().Dispose();
        File.WriteAllText(Path.Combine(_folder, "config.json"), "{}");
        Assert.Contains("heads", Assert.Throws<ModelException>(Load).Message);
    }

    [Fact]
    public void Weights_that_are_not_there_are_refused()
    {
        new ToyDecoder { WeightsFile = "model.onnx_data" }.WriteTo(_folder);
        File.Delete(Path.Combine(_folder, "model.onnx_data"));
        Assert.Contains("model.onnx", Assert.Throws<ModelException>(Load).Message);
    }

    [Theory]
    [InlineData("weights.bin")]
    [InlineData("../weights.bin")]
    public void Weights_in_a_file_that_is_not_hashed_are_not_loaded(string file)
    {
        string inner = Directory.CreateDirectory(Path.Combine(_folder, "inner")).FullName;
        new ToyDecoder { WeightsFile = file }.WriteTo(inner);
        File.Copy(Path.Combine(inner, file), Path.GetFileName(file), overwrite: true); // the working directory
        try
        {
            Assert.Contains("model.onnx", Assert.Throws<ModelException>(() => OnnxChatClient.Load(inner)).Message);
        }
        finally
        {
            File.Delete(Path.GetFileName(file));
        }
    }

    [Fact]
    public void Weights_that_were_cut_off_are_refused()
    {
        new ToyDecoder { WeightsFile = "model.onnx_data" }.WriteTo(_folder);
        File.WriteAllBytes(Path.Combine(_folder, "model.onnx_data"), new byte[100]);
        Assert.Contains("model.onnx", Assert.Throws<ModelException>(Load).Message);
    }

    [Fact]
    public void A_graph_that_was_cut_off_or_changed_is_refused_or_another_model()
    {
        var toy = new ToyDecoder();
        toy.WriteTo(_folder);
        byte[] graph = toy.Graph();
        string sound = ModelFolder.Open(_folder).Digest().Weights;
        for (int at = 0; at < graph.Length; at += 7)
        {
            byte[] spoiled = [.. graph];
            spoiled[at] ^= 0x15;
            Try(spoiled);
            Try(graph[..at]);
        }

        void Try(byte[] bytes)
        {
            File.WriteAllBytes(Path.Combine(_folder, "model.onnx"), bytes);
            try
            {
                using var client = Load();
                Assert.NotEqual(sound, client.Digest.Weights);
            }
            catch (ModelException e)
            {
                Assert.EndsWith(".", e.Message);
            }
        }
    }

    [Fact]
    public async Task What_is_loaded_is_what_was_hashed_whatever_becomes_of_the_file()
    {
        new ToyDecoder { WeightsFile = "model.onnx_data" }.WriteTo(_folder);
        using var graph = GraphFiles.Read(Path.Combine(_folder, "model.onnx"));
        string listing = $"{Sum("model.onnx")}  model.onnx\n{Sum("model.onnx_data")}  model.onnx_data\n";
        File.WriteAllBytes(Path.Combine(_folder, "model.onnx"), [1]);
        File.WriteAllBytes(Path.Combine(_folder, "model.onnx_data"), new byte[2000]);

        Assert.Equal(ModelDigest.Of(System.Text.Encoding.UTF8.GetBytes(listing)), graph.Digest);
        var decoder = new Generation.OnnxDecoder(graph.Open(1), []);
        using var turn = new SemaphoreSlim(1);
        using var tokens = new Generation.TokenStream(decoder, turn, new[] { 1, 3 }, new Generation.SamplingRule { Temperature = 0 });
        Assert.Equal(0, await tokens.NextAsync(default));
        Assert.Equal(2, await tokens.NextAsync(default));
    }

    [Fact]
    public void The_digest_of_a_graph_alone_is_its_file_s()
    {
        new ToyDecoder().WriteTo(_folder);
        Assert.Equal((Sum("model.onnx"), Sum("tokenizer.json")), (ModelFolder.Open(_folder).Digest().Weights, ModelFolder.Open(_folder).Digest().Tokenizer));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("chat_template.jinja")]
    [InlineData("1_Pooling/config.json")]
    [InlineData("model.onnx")]
    [InlineData("model.onnx_data")]
    public void Every_file_that_is_read_is_in_the_digest(string name)
    {
        new ToyDecoder { WeightsFile = "model.onnx_data" }.WriteTo(_folder);
        var before = ModelFolder.Open(_folder).Digest();
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.AppendAllText(path, File.Exists(path) ? " " : "{}");
        Assert.NotEqual(before, ModelFolder.Open(_folder).Digest());
    }

    private void Refused(ToyDecoder toy, string said)
    {
        toy.WriteTo(_folder);
        string message = Assert.Throws<ModelException>(Load).Message;
        Assert.Contains(said, message);
        Assert.EndsWith(".", message);
    }

    private OnnxChatClient Load() => OnnxChatClient.Load(_folder, new EngineOptions { Threads = 1 });

    private async Task<string> CompleteAsync(ToyDecoder toy, string text)
    {
        toy.WriteTo(_folder);
        using var client = Load();
        return (await client.CompleteAsync(text, new ChatOptions { Temperature = 0, MaxOutputTokens = 5 }, default).ToChatResponseAsync()).Text;
    }

    private string Sum(string name) => ModelDigest.Of(File.ReadAllBytes(Path.Combine(_folder, name)));
}
