using System.ClientModel;
using System.Text;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;

namespace Cloister.Journeys;

/// <summary>The official OpenAI client for .NET, unmodified, through <c>cloister proxy</c>.</summary>
public class OfficialDotNetClientTests(Everything everything)
{
    private const string Model = "demonstration";

    private static readonly ChatMessage[] Hello = [new UserChatMessage("Hello!")];

    private static CancellationToken Patience => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Models_are_listed()
    {
        var client = new OpenAIModelClient(new ApiKeyCredential("any"), At(everything.Proxy));
        var models = await client.GetModelsAsync(Patience);
        Assert.Equal([Model], models.Value.Select(model => model.Id));
    }

    [Fact]
    public async Task Chat_whole_and_streamed_say_the_same()
    {
        var client = new ChatClient(Model, new ApiKeyCredential("any"), At(everything.Proxy));
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 24, Temperature = 0 };

        var whole = (await client.CompleteChatAsync(Hello, options, Patience)).Value;
        var streamed = new StringBuilder();
        int pieces = 0;
        await foreach (var update in client.CompleteChatStreamingAsync(Hello, options, Patience))
        {
            foreach (var part in update.ContentUpdate)
            {
                streamed.Append(part.Text);
                pieces++;
            }
        }

        Assert.NotEqual("", whole.Content[0].Text);
        Assert.Equal(whole.Content[0].Text, streamed.ToString());
        Assert.InRange(whole.Usage.OutputTokenCount, 1, 24);
        Assert.True(pieces > 2);
    }

    [Fact]
    public async Task Tools_are_passed_through()
    {
        var client = new ChatClient("stand-in", new ApiKeyCredential("any"), At(everything.ProxyToStandIn));
        var options = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather", "of a city", BinaryData.FromString("""{"type":"object"}""")) }, IncludeLogProbabilities = true };

        var answer = (await client.CompleteChatAsync(Hello, options, Patience)).Value;

        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        var sent = JsonNode.Parse(answer.ToolCalls[0].FunctionArguments)!;
        Assert.Equal("weather", (string)sent["tools"]![0]!["function"]!["name"]!);
        Assert.True((bool)sent["logprobs"]!);
    }

    [Fact]
    public async Task A_refusal_has_its_status()
    {
        var client = new ChatClient("none-of-these", new ApiKeyCredential("any"), At(everything.Proxy));
        var refusal = await Assert.ThrowsAsync<ClientResultException>(() => client.CompleteChatAsync(Hello, cancellationToken: Patience));
        Assert.Equal(404, refusal.Status);
    }

    private static OpenAIClientOptions At(Uri proxy) => new() { Endpoint = proxy };
}
