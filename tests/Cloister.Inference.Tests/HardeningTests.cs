using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Inference.Generation;
using Cloister.Inference.Tokenization;
using Microsoft.Extensions.AI;
using Microsoft.ML.OnnxRuntime;

namespace Cloister.Inference.Tests;

/// <summary>Numbers that are none, sizes that are too large, patterns that take too long, and what is left of a conversation.</summary>
public class HardeningTests
{
    public static TheoryData<string, float> Impossible => new(
        from name in new[] { "temperature", "top_p", "min_p", "repetition_penalty", "frequency_penalty", "presence_penalty" }
        from number in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, -1000, 1e30f }
        select (name, number));

    [Theory]
    [MemberData(nameof(Impossible))]
    public void An_impossible_number_is_refused_before_anything_is_computed(string name, float number)
    {
        var options = new ChatOptions { AdditionalProperties = [] };
        switch (name)
        {
            case "temperature": options.Temperature = number; break;
            case "top_p": options.TopP = number; break;
            case "frequency_penalty": options.FrequencyPenalty = number; break;
            case "presence_penalty": options.PresencePenalty = number; break;
            default: options.AdditionalProperties[name] = number; break;
        }
        Assert.Contains(name, Assert.Throws<ArgumentOutOfRangeException>(() => Demonstration.Client.GetStreamingResponseAsync([], options)).Message);
    }

    [Theory]
    [InlineData("top_k", "-1")]
    [InlineData("temperature", "1e400")]
    [InlineData("temperature", "-0.5")]
    [InlineData("top_p", "\"most\"")]
    [InlineData("min_p", "7")]
    [InlineData("repetition_penalty", "0")]
    public void Impossible_defaults_are_refused(string name, string value) =>
        Assert.Contains(name, Assert.Throws<ModelException>(() => SamplingRule.Of((JsonObject)JsonNode.Parse($$"""{"{{name}}":{{value}}}""")!)).Message);

    [Theory]
    [InlineData(new[] { float.NaN, 1, 2 }, 2)]
    [InlineData(new[] { 1, float.NaN, float.NegativeInfinity }, 0)]
    [InlineData(new[] { float.NaN, float.NaN, float.NaN }, null)]
    [InlineData(new[] { 1, float.PositiveInfinity, 2 }, null)]
    [InlineData(new[] { float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity }, null)]
    public void What_a_model_computes_wrongly_is_never_an_index_out_of_range(float[] logits, int? chosen)
    {
        foreach (float temperature in new[] { 0, 1e-40f, 0.001f, 0.01f })
        {
            using var sampler = new Sampler(new SamplingRule { Temperature = temperature, TopP = 0, Seed = 1 }, 3);
            if (chosen is null)
            {
                Assert.Throws<ModelException>(() => sampler.Choose([.. logits]));
            }
            else
            {
                Assert.Equal(chosen, sampler.Choose([.. logits]));
            }
        }
    }

    [Theory]
    [InlineData("""{"model":{"vocab":{"a":2147483646}}}""")]
    [InlineData("""{"model":{"vocab":{"a":99999999999}}}""")]
    [InlineData("""{"model":{"vocab":{"a":1.5}}}""")]
    [InlineData("""{"model":{"vocab":{"a":0}},"added_tokens":[{"id":2000000000,"content":"b","special":true}]}""")]
    [InlineData("""{"model":{"vocab":{"a":0}},"added_tokens":[{"id":-1,"content":"b"}]}""")]
    public void A_huge_id_is_refused_and_nothing_is_allocated_for_it(string json)
    {
        var parsed = JsonFields.Parse(Encoding.UTF8.GetBytes(json), "tokenizer.json");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("id", Assert.Throws<ModelException>(() => Tokenizer.Load(parsed)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Theory]
    [InlineData("""{"max_position_embeddings":"many"}""")]
    [InlineData("""{"max_position_embeddings":1e30}""")]
    [InlineData("""{"max_position_embeddings":-5}""")]
    [InlineData("""{"max_position_embeddings":64,"max_position_embeddings":65}""")]
    [InlineData("""{"eos_token_id":["x"]}""")]
    [InlineData("""{"eos_token_id":{}}""")]
    public void A_wrong_field_of_the_configuration_is_refused(string config)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-toy-").FullName;
        try
        {
            new ToyDecoder().WriteTo(folder);
            File.WriteAllText(Path.Combine(folder, "config.json"), config);
            Assert.EndsWith(".", Assert.Throws<ModelException>(() => OnnxChatClient.Load(folder)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_pattern_that_takes_too_long_says_nothing_of_the_text()
    {
        var exception = Assert.Throws<ModelException>(() => new SplitPattern("^(s+)+$").Cut(new string('s', 60) + "ecret"));
        Assert.Null(exception.InnerException);
        Assert.DoesNotContain("sss", exception.ToString());
    }

    [Fact]
    public void Only_special_tokens_are_kept_out_of_the_answer()
    {
        var tokenizer = Tokenizer.Load((JsonObject)JsonNode.Parse("""
            {"model":{"vocab":{"a":0}},"added_tokens":[{"id":1,"content":"<|end|>","special":true},{"id":2,"content":"<tool_call>","special":false},{"id":3,"content":"<think>"}]}
            """)!);
        Assert.Equal([false, true, false, false], Enumerable.Range(0, 4).Select(tokenizer.IsSpecial));
        Assert.Equal("<tool_call><think>", tokenizer.Decode([2, 3]));
    }

    [Fact]
    public void Tokens_are_wiped_when_their_list_grows_and_when_it_ends()
    {
        var list = new TokenList();
        list.Add(7);
        var first = list.Memory;
        Enumerable.Range(0, 1000).ToList().ForEach(list.Add);
        var second = list.Memory;
        Assert.Equal(7, second.Span[0]);
        list.Dispose();
        Assert.All(first.ToArray().Concat(second.ToArray()), token => Assert.Equal(0, token));
    }

    [Fact]
    public void Keys_and_values_are_wiped_when_others_replace_them_and_at_the_end()
    {
        float[] first = [1, 2, 3], second = [4, 5, 6];
        var cache = new KeyValueCache([]);
        cache.Replace([OrtValue.CreateTensorValueFromMemory(first, [3])], 1);
        cache.Replace([OrtValue.CreateTensorValueFromMemory(second, [3])], 2);
        Assert.Equal([0, 0, 0, 4, 5, 6], (float[])[.. first, .. second]);
        cache.Dispose();
        Assert.Equal([0, 0, 0], second);
    }

    [Fact]
    public void Text_that_was_held_back_is_wiped()
    {
        using var assembler = new TextAssembler(["secret!"]);
        Assert.Equal("my ", assembler.Add("my secret"u8));
        char[] held = Held(assembler);
        Assert.Equal("secret", new string(held).TrimEnd('\0'));
        assembler.Dispose();
        Assert.All(held, character => Assert.Equal('\0', character));
    }

    [Fact]
    public void The_sampler_forgets()
    {
        var sampler = new Sampler(new SamplingRule { Seed = 1 }, 3, [1]);
        sampler.Choose([1, 1, 1]);
        var (counts, seen) = (Counts(sampler), Seen(sampler));
        Assert.Equal((1, true), (counts.Sum(), seen[1]));
        sampler.Dispose();
        Assert.Equal((0, false), (counts.Sum(), seen.Contains(true)));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_held")]
    private static extern ref char[] Held(TextAssembler assembler);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_counts")]
    private static extern ref int[] Counts(Sampler sampler);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_seen")]
    private static extern ref bool[] Seen(Sampler sampler);
}
