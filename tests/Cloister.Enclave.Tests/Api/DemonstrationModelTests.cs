using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Enclave.Engines;
using Cloister.Inference;
using Cloister.Inference.Tests;
using Cloister.Testing;

namespace Cloister.Enclave.Tests.Api;

/// <summary>The API with the model that ships in the repository.</summary>
public class DemonstrationModelTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "models", "demonstration");

    [Fact]
    public async Task It_answers_whole_and_streamed_alike_and_counts_what_it_said()
    {
        await using var api = await ApiOnKestrel.StartAsync(EmbeddedModel.Load("demonstration", Folder, ApiOnKestrel.Limits).Model);
        const string question = """{"model":"demonstration","temperature":0,"max_tokens":24,"messages":[{"role":"user","content":"Hello!"}]""";

        var whole = JsonNode.Parse(await PostAsync(api, question + "}", HttpStatusCode.OK))!;
        string streamed = await PostAsync(api, question + ""","stream":true}""", HttpStatusCode.OK);

        string text = whole["choices"]![0]!["message"]!["content"]!.GetValue<string>();
        Assert.NotEqual("", text);
        Assert.InRange(whole["usage"]!["completion_tokens"]!.GetValue<int>(), 1, 24);
        var words = streamed.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line["data: ".Length..])
            .Where(data => data != "[DONE]")
            .Select(data => (string?)JsonNode.Parse(data)!["choices"]![0]!["delta"]!["content"]);
        Assert.Equal(text, string.Concat(words));
    }

    [Fact]
    public async Task A_conversation_beyond_its_context_is_refused()
    {
        await using var api = await ApiOnKestrel.StartAsync(EmbeddedModel.Load("demonstration", Folder, ApiOnKestrel.Limits).Model);
        string question = JsonSerializer.Serialize(new { model = "demonstration", messages = new[] { new { role = "user", content = string.Join(' ', Enumerable.Repeat("word", 20_000)) } } });
        var refusal = JsonNode.Parse(await PostAsync(api, question, HttpStatusCode.BadRequest))!;
        Assert.Equal("context_length_exceeded", refusal["error"]!["code"]!.GetValue<string>());
    }

    [Fact]
    public void The_statement_names_its_files_by_their_digests()
    {
        var (model, statement) = EmbeddedModel.Load("demonstration", Folder, ApiOnKestrel.Limits);
        model.Dispose();
        var digest = ModelFolder.Open(Folder).Digest();
        Assert.Equal(("demonstration", digest.Weights, digest.Tokenizer, digest.Template), (statement.Name, statement.Weights, statement.Tokenizer, statement.Template));
    }

    [Fact]
    public async Task A_folder_with_an_embedder_answers_embeddings_and_no_conversations()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-embedder-").FullName;
        try
        {
            new ToyEmbedder().WriteTo(folder);
            var (model, statement) = EmbeddedModel.Load("e", folder, ApiOnKestrel.Limits);
            Assert.Equal(ModelFolder.Open(folder).Digest().Weights, statement.Weights);
            await using var api = await ApiOnKestrel.StartAsync(model);
            var numbers = JsonNode.Parse(await PostAsync(api, """{"model":"e","input":["a enclave","a"]}""", HttpStatusCode.OK, "/v1/embeddings"))!;
            Assert.Equal(7, numbers["usage"]!["prompt_tokens"]!.GetValue<int>());
            Assert.Equal(0.5f, numbers["data"]![0]!["embedding"]![ToyEmbedder.IdOf("enclave")]!.GetValue<float>());
            Assert.Equal(0, numbers["data"]![1]!["embedding"]![ToyEmbedder.IdOf("enclave")]!.GetValue<float>());
            await PostAsync(api, """{"model":"e","messages":[{"role":"user","content":"a"}]}""", HttpStatusCode.BadRequest);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_folder_without_a_model_is_one_clear_sentence() =>
        Assert.EndsWith(".", Assert.Throws<ModelException>(() => EmbeddedModel.Load("x", Path.Combine(Repository.Root, "docs"), ApiOnKestrel.Limits)).Message);

    private static async Task<string> PostAsync(ApiOnKestrel api, string body, HttpStatusCode expected, string path = "/v1/chat/completions")
    {
        using var response = await api.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(expected, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }
}
