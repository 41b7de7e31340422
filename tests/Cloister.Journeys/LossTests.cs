using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Client;

namespace Cloister.Journeys;

/// <summary>An enclave that goes away in the middle of an answer, and another that comes up in its place.</summary>
public class LossTests
{
    [Fact]
    public async Task What_had_arrived_is_kept_and_the_next_question_reaches_the_new_enclave()
    {
        await using var server = await StandInServer.StartAsync();
        var first = await Parties.StartEnclaveAsync(server.Address);
        await using var wire = new RecordingWire(first.Endpoint);
        await using var carrier = await Parties.StartOperatorAsync(wire.Endpoint);
        using var client = Parties.Client(new Uri(carrier.Urls.First()), resumePatience: TimeSpan.FromSeconds(1));

        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions") { Content = Json("""{"model":"stand-in","stream":true,"messages":[]}""") };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        string? begun = await lines.ReadLineAsync();
        await first.DisposeAsync();
        var lost = await Assert.ThrowsAnyAsync<IOException>(async () => { while (await lines.ReadLineAsync() is not null) { } });

        Assert.StartsWith("data: ", begun);
        Assert.IsType<EnclaveLostException>(lost);

        await using var second = await Parties.StartEnclaveAsync(server.Address);
        wire.Target = second.Endpoint;
        Assert.Equal(HttpStatusCode.OK, await AskAgainAsync(client));
    }

    [Fact]
    public async Task The_demonstration_model_answers_through_everything()
    {
        await using var enclave = await Parties.StartEnclaveAsync();
        await using var carrier = await Parties.StartOperatorAsync(enclave.Endpoint);
        using var client = Parties.Client(new Uri(carrier.Urls.First()));
        using var response = await client.PostAsync("v1/chat/completions", Json("""{"model":"demonstration","messages":[{"role":"user","content":"Hello!"}]}"""));
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.NotEqual("", (string)answer["choices"]![0]!["message"]!["content"]!);
    }

    // The operator's list may be some seconds old, and name the enclave that is gone.
    private static async Task<HttpStatusCode> AskAgainAsync(HttpClient client)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using var response = await client.GetAsync("v1/models");
                return response.StatusCode;
            }
            catch (HttpRequestException) when (attempt < 60)
            {
                await Task.Delay(250);
            }
        }
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
