using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Enclave.Engines;
using Microsoft.Extensions.AI;

namespace Cloister.Enclave.Tests.Api;

public class EmbeddedApiTests
{
    private const string Hello = """{"model":"m","messages":[{"role":"user","content":"hello"}]}""";

    [Fact]
    public async Task A_whole_answer_has_the_words_the_reason_and_the_usage()
    {
        var model = new ScriptedModel("Good ", "day", ".");
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });

        var (status, answer) = await PostAsync(api, "/v1/chat/completions", Hello);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("chat.completion", answer["object"]!.GetValue<string>());
        Assert.Equal("Good day.", answer["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.Equal("assistant", answer["choices"]![0]!["message"]!["role"]!.GetValue<string>());
        Assert.Equal("stop", answer["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Equal("""{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}""", answer["usage"]!.ToJsonString());
        Assert.Equal("hello", model.Asked.Single().Text);
    }

    [Fact]
    public async Task A_streamed_answer_comes_word_by_word_before_it_is_complete()
    {
        var gate = new SemaphoreSlim(1);
        var model = new ScriptedModel("one", "two", "three") { BeforeWord = (_, cancellation) => gate.WaitAsync(cancellation) };
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });

        using var response = await SendAsync(api, "/v1/chat/completions", With(Hello, "\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal("assistant", (await NextAsync(lines))!["choices"]![0]!["delta"]!["role"]!.GetValue<string>());
        foreach (string word in new[] { "one", "two", "three" })
        {
            // The next word is only let out once this one has been read.
            Assert.Equal(word, (await NextAsync(lines))!["choices"]![0]!["delta"]!["content"]!.GetValue<string>());
            gate.Release();
        }
        Assert.Equal("stop", (await NextAsync(lines))!["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Equal(6, (await NextAsync(lines))!["usage"]!["total_tokens"]!.GetValue<int>());
        Assert.Null(await NextAsync(lines));
    }

    [Fact]
    public async Task Usage_is_streamed_only_when_asked_for()
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = new ScriptedModel("hi") });
        using var response = await SendAsync(api, "/v1/chat/completions", With(Hello, "\"stream\":true"));
        Assert.DoesNotContain("usage", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Every_sampling_field_reaches_the_engine()
    {
        var model = new ScriptedModel("hi");
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });

        await PostAsync(api, "/v1/chat/completions", With(Hello, """
            "temperature":0.5,"top_p":0.25,"top_k":7,"min_p":0.125,"frequency_penalty":-1,"presence_penalty":2,"repetition_penalty":1.5,"seed":42,"max_completion_tokens":9,"stop":["a","b"]
            """));

        var options = model.Options!;
        Assert.Equal((0.5f, 0.25f, 7), (options.Temperature, options.TopP, options.TopK));
        Assert.Equal((-1f, 2f, 42L, 9), (options.FrequencyPenalty, options.PresencePenalty, options.Seed, options.MaxOutputTokens));
        Assert.Equal(["a", "b"], options.StopSequences!);
        Assert.Equal((0.125f, 1.5f), (options.AdditionalProperties!["min_p"], options.AdditionalProperties["repetition_penalty"]));
    }

    [Fact]
    public async Task Parts_of_text_and_the_developers_role_are_understood()
    {
        var model = new ScriptedModel("hi");
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });

        await PostAsync(api, "/v1/chat/completions", """
            {"model":"m","user":"ignored by design","messages":[{"role":"developer","content":"be brief"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}
            """);

        Assert.Equal([(ChatRole.System, "be brief"), (ChatRole.User, "a\nb")], model.Asked.Select(message => (message.Role, message.Text)));
    }

    [Theory]
    [InlineData("not json", 400, "invalid_json", null)]
    [InlineData("""{"model":"m","model":"m","messages":[]}""", 400, "invalid_json", null)]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"hi"}]} trailing""", 400, "invalid_json", null)]
    [InlineData("""{"messages":[{"role":"user","content":"hi"}]}""", 400, null, "model")]
    [InlineData("""{"model":"other","messages":[{"role":"user","content":"hi"}]}""", 404, "model_not_found", "model")]
    [InlineData("""{"model":"m"}""", 400, null, "messages")]
    [InlineData("""{"model":"m","messages":[]}""", 400, null, "messages")]
    [InlineData("""{"model":"m","messages":[null]}""", 400, null, "messages[0]")]
    [InlineData("""{"model":"m","messages":[{"role":"wizard","content":"hi"}]}""", 400, null, "messages[0].role")]
    [InlineData("""{"model":"m","messages":[{"role":"tool","content":"hi"}]}""", 400, "unsupported_parameter", "messages[0].role")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":7}]}""", 400, null, "messages[0].content")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}}]}]}""", 400, "unsupported_parameter", "messages[0].content[0]")]
    [InlineData("""{"model":"m","messages":[{"role":"assistant","content":"x","tool_calls":[{}]}]}""", 400, "unsupported_parameter", "messages[0].tool_calls")]
    public async Task A_bad_request_is_refused_by_name(string body, int status, string? code, string? param)
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = new ScriptedModel("hi") });
        await AssertRefusedAsync(api, "/v1/chat/completions", body, status, code, param);
    }

    [Theory]
    [InlineData("\"tools\":[{}]", "tools", "unsupported_parameter")]
    [InlineData("\"tool_choice\":\"required\"", "tool_choice", "unsupported_parameter")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "response_format", "unsupported_parameter")]
    [InlineData("\"logprobs\":true", "logprobs", "unsupported_parameter")]
    [InlineData("\"logit_bias\":{\"1\":1}", "logit_bias", "unsupported_parameter")]
    [InlineData("\"store\":true", "store", "unsupported_parameter")]
    [InlineData("\"n\":2", "n", "unsupported_parameter")]
    [InlineData("\"invented\":1", "invented", "unknown_parameter")]
    [InlineData("\"invented\":null", "invented", "unknown_parameter")]
    [InlineData("\"temperature\":3", "temperature", null)]
    [InlineData("\"temperature\":-1", "temperature", null)]
    [InlineData("\"top_p\":1.5", "top_p", null)]
    [InlineData("\"max_tokens\":0", "max_tokens", null)]
    [InlineData("\"max_tokens\":65", "max_tokens", null)]
    [InlineData("\"stop\":[\"\"]", "stop", null)]
    [InlineData("\"stop\":3", "stop", null)]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "stream_options", null)]
    public async Task A_field_that_would_change_the_answer_is_never_ignored(string field, string param, string? code)
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = new ScriptedModel("hi") });
        await AssertRefusedAsync(api, "/v1/chat/completions", With(Hello, field), 400, code, param);
    }

    [Theory]
    [InlineData("\"tools\":[]")]
    [InlineData("\"tools\":null")]
    [InlineData("\"tool_choice\":\"auto\"")]
    [InlineData("\"response_format\":{\"type\": \"text\"}")]
    [InlineData("\"logprobs\":false")]
    [InlineData("\"store\":false")]
    [InlineData("\"n\":1")]
    [InlineData("\"metadata\":{\"a\":\"b\"}")]
    public async Task A_field_that_asks_for_nothing_is_accepted(string field)
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = new ScriptedModel("hi") });
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(api, "/v1/chat/completions", With(Hello, field))).Status);
    }

    [Fact]
    public async Task A_request_beyond_the_limit_is_refused_with_and_without_an_announced_length()
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = new ScriptedModel("hi") });
        string tooLong = JsonSerializer.Serialize(new string('x', ApiOnKestrel.Limits.RequestBytes));

        await AssertRefusedAsync(api, "/v1/chat/completions", tooLong, 413, "request_too_large", null);

        using var unannounced = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(tooLong) };
        unannounced.Headers.TransferEncodingChunked = true;
        using var response = await api.Client.SendAsync(unannounced);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task When_all_places_are_taken_the_next_is_told_so_at_once()
    {
        var asked = new CountdownEvent(ApiOnKestrel.Limits.Answers);
        var model = new ScriptedModel("hi") { BeforeWord = (_, cancellation) => { asked.Signal(); return Task.Delay(Timeout.Infinite, cancellation); } };
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });
        using var leaving = new CancellationTokenSource();
        var held = Enumerable.Range(0, ApiOnKestrel.Limits.Answers).Select(_ => api.Client.PostAsync("/v1/chat/completions", Json(Hello), leaving.Token)).ToArray();
        asked.Wait(TestContext.Current.CancellationToken);

        await AssertRefusedAsync(api, "/v1/chat/completions", Hello, 429, "busy", null);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(held));
    }

    [Fact]
    public async Task A_client_that_leaves_stops_the_model()
    {
        var stopped = new TaskCompletionSource();
        var model = new ScriptedModel("one", "two")
        {
            BeforeWord = async (word, cancellation) =>
            {
                if (word == 1)
                {
                    await using var registration = cancellation.Register(stopped.SetResult);
                    await Task.Delay(Timeout.Infinite, cancellation);
                }
            },
        };
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });

        using (var response = await SendAsync(api, "/v1/chat/completions", With(Hello, "\"stream\":true")))
        {
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
            await NextAsync(lines);
        }

        await stopped.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_fault_of_the_engine_says_nothing_of_itself()
    {
        var model = new ScriptedModel("hi") { BeforeWord = (_, _) => throw new InvalidOperationException("secret words") };
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });

        var (status, answer) = await PostAsync(api, "/v1/chat/completions", Hello);

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.DoesNotContain("secret", answer.ToJsonString());
    }

    [Fact]
    public async Task A_fault_in_the_middle_of_a_stream_ends_it_with_an_error_and_without_done()
    {
        var model = new ScriptedModel("one", "two") { BeforeWord = (word, _) => word == 1 ? throw new InvalidOperationException("secret words") : Task.CompletedTask };
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model });

        using var response = await SendAsync(api, "/v1/chat/completions", With(Hello, "\"stream\":true"));
        string stream = await response.Content.ReadAsStringAsync();

        Assert.Contains("\"content\":\"one\"", stream);
        Assert.Contains("\"error\":", stream);
        Assert.DoesNotContain("secret", stream);
        Assert.DoesNotContain("[DONE]", stream);
    }

    [Fact]
    public async Task Plain_text_is_continued_whole_and_streamed()
    {
        var model = new ScriptedModel(" upon", " a", " time");
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model, Continue = model.ContinueAsync });

        var (_, whole) = await PostAsync(api, "/v1/completions", """{"model":"m","prompt":"Once"}""");
        Assert.Equal(("text_completion", " upon a time"), (whole["object"]!.GetValue<string>(), whole["choices"]![0]!["text"]!.GetValue<string>()));
        Assert.Equal("Once", model.Asked.Single().Text);

        using var streamed = await SendAsync(api, "/v1/completions", """{"model":"m","prompt":["Once"],"stream":true}""");
        using var lines = new StreamReader(await streamed.Content.ReadAsStreamAsync());
        Assert.Equal(" upon", (await NextAsync(lines))!["choices"]![0]!["text"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"model":"m"}""", "prompt", null)]
    [InlineData("""{"model":"m","prompt":["a","b"]}""", "prompt", "unsupported_parameter")]
    [InlineData("""{"model":"m","prompt":[1,2]}""", "prompt", "unsupported_parameter")]
    [InlineData("""{"model":"m","prompt":"a","echo":true}""", "echo", "unsupported_parameter")]
    [InlineData("""{"model":"m","prompt":"a","best_of":2}""", "best_of", "unsupported_parameter")]
    public async Task A_bad_completion_is_refused_by_name(string body, string param, string? code)
    {
        var model = new ScriptedModel("hi");
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = model, Continue = model.ContinueAsync });
        await AssertRefusedAsync(api, "/v1/completions", body, 400, code, param);
    }

    [Fact]
    public async Task Texts_become_vectors_in_numbers_and_in_base64()
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("e") { Embeddings = new ScriptedEmbeddings() });

        var (_, numbers) = await PostAsync(api, "/v1/embeddings", """{"model":"e","input":["abc","z"]}""");
        Assert.Equal("[3,97]", numbers["data"]![0]!["embedding"]!.ToJsonString());
        Assert.Equal((1, "embedding"), (numbers["data"]![1]!["index"]!.GetValue<int>(), numbers["data"]![1]!["object"]!.GetValue<string>()));
        Assert.Equal(5, numbers["usage"]!["total_tokens"]!.GetValue<int>());

        var (_, encoded) = await PostAsync(api, "/v1/embeddings", """{"model":"e","input":"abc","encoding_format":"base64"}""");
        byte[] vector = Convert.FromBase64String(encoded["data"]![0]!["embedding"]!.GetValue<string>());
        Assert.Equal((3f, 97f), (BitConverter.ToSingle(vector, 0), BitConverter.ToSingle(vector, 4)));
    }

    [Fact]
    public async Task A_model_is_asked_only_for_what_it_serves()
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = new ScriptedModel("hi") }, new EmbeddedModel("e") { Embeddings = new ScriptedEmbeddings() });
        await AssertRefusedAsync(api, "/v1/embeddings", """{"model":"m","input":"a"}""", 400, "unsupported_parameter", "model");
        await AssertRefusedAsync(api, "/v1/completions", """{"model":"m","prompt":"a"}""", 400, "unsupported_parameter", "model");
        await AssertRefusedAsync(api, "/v1/chat/completions", Hello.Replace("\"m\"", "\"e\"", StringComparison.Ordinal), 400, "unsupported_parameter", "model");
    }

    [Fact]
    public async Task Models_are_listed_and_described()
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("org/m") { Chat = new ScriptedModel("hi") });

        var list = JsonNode.Parse(await api.Client.GetStringAsync("/v1/models"))!;
        var card = JsonNode.Parse(await api.Client.GetStringAsync("/v1/models/org/m"))!;

        Assert.Equal(("list", "org/m"), (list["object"]!.GetValue<string>(), list["data"]![0]!["id"]!.GetValue<string>()));
        Assert.Equal(list["data"]![0]!.ToJsonString(), card.ToJsonString());
        using var unknown = await api.Client.GetAsync("/v1/models/none");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/", 404, "not_found")]
    [InlineData("GET", "/v1/nothing", 404, "not_found")]
    [InlineData("GET", "/v1/chat/completions", 405, "method_not_allowed")]
    [InlineData("DELETE", "/v1/models", 405, "method_not_allowed")]
    public async Task Unknown_doors_are_closed_in_the_apis_own_words(string method, string path, int status, string code)
    {
        await using var api = await ApiOnKestrel.StartAsync(new EmbeddedModel("m") { Chat = new ScriptedModel("hi") });
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await api.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]!.GetValue<string>());
    }

    private static async Task AssertRefusedAsync(ApiOnKestrel api, string path, string body, int status, string? code, string? param)
    {
        var (found, answer) = await PostAsync(api, path, body);
        Assert.Equal(status, (int)found);
        Assert.Equal((code, param), (answer["error"]!["code"]?.GetValue<string>(), answer["error"]!["param"]?.GetValue<string>()));
        Assert.EndsWith(".", answer["error"]!["message"]!.GetValue<string>());
    }

    private static async Task<(HttpStatusCode Status, JsonNode Answer)> PostAsync(ApiOnKestrel api, string path, string body)
    {
        using var response = await api.Client.PostAsync(path, Json(body));
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private static async Task<HttpResponseMessage> SendAsync(ApiOnKestrel api, string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(body) };
        return await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static async Task<JsonNode?> NextAsync(StreamReader lines)
    {
        string? line = await lines.ReadLineAsync();
        Assert.Equal("", await lines.ReadLineAsync());
        string data = Assert.IsType<string>(line)["data: ".Length..];
        return data == "[DONE]" ? null : JsonNode.Parse(data);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static string With(string body, string fields) => $"{body[..^1]},{fields}}}";
}
