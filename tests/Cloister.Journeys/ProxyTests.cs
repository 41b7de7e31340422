using System.Net;
using System.Text.Json.Nodes;
using Cloister.Simulation;

namespace Cloister.Journeys;

/// <summary>The local port: who may use it, and what it answers when there is no enclave to speak to.</summary>
public class ProxyTests(Everything everything)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(1) };

    [Theory]
    [InlineData("Host", "evil.example", "caller_refused")]
    [InlineData("Origin", "https://evil.example", "caller_refused")]
    [InlineData("Origin", "null", "caller_refused")]
    [InlineData("Origin", "http://localhost:3000", null)]
    [InlineData("Host", "localhost", null)]
    public async Task A_page_from_elsewhere_is_not_answered(string field, string value, string? code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{everything.Proxy}/models");
        request.Headers.TryAddWithoutValidation(field, value);
        using var response = await Http.SendAsync(request);
        Assert.Equal(code is null ? HttpStatusCode.OK : HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal(code, await CodeAsync(response));
    }

    [Fact]
    public async Task Errors_of_the_enclave_arrive_as_they_are()
    {
        using var response = await Http.PostAsync($"{everything.Proxy}/chat/completions", new StringContent("not json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_json", await CodeAsync(response));
    }

    [Fact]
    public async Task Without_an_accepted_enclave_there_is_a_clear_refusal()
    {
        using var other = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);
        string policy = Path.Combine(everything.Data, "proxys-other-policy.json");
        await File.WriteAllBytesAsync(policy, SimulatedEnclave.Policy(other).ToBytes());
        await using var proxy = await CloisterProgram.StartAsync("proxy", "--port", "0", "--operator", $"{everything.Operator}", "--policy", policy);

        using var response = await Http.GetAsync($"{proxy.Ready["address"]}/models");

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("enclave_refused", await CodeAsync(response));
    }

    [Fact]
    public async Task With_a_key_only_those_who_bear_it_are_answered()
    {
        string key = Path.Combine(everything.Data, "key");
        await File.WriteAllTextAsync(key, "secret\n");
        await using var proxy = await CloisterProgram.StartAsync("proxy", "--port", "0", "--operator", $"{everything.Operator}", "--data", everything.Data, "--api-key-file", key);

        foreach (var (sent, status) in new (string?, HttpStatusCode)[] { (null, HttpStatusCode.Unauthorized), ("wrong", HttpStatusCode.Unauthorized), ("secret", HttpStatusCode.OK) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{proxy.Ready["address"]}/models");
            request.Headers.Authorization = sent is null ? null : new("Bearer", sent);
            using var response = await Http.SendAsync(request);
            Assert.Equal(status, response.StatusCode);
        }
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage response) =>
        response.IsSuccessStatusCode ? null : (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"];
}
