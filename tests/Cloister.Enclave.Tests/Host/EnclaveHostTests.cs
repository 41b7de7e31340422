using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Enclave.Engines;
using Cloister.Enclave.Tests.Api;
using Microsoft.AspNetCore.Http;

namespace Cloister.Enclave.Tests.Host;

public class EnclaveHostTests
{
    private static CancellationToken Patience => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ShapingProfile.Padded)]
    [InlineData(ShapingProfile.Paced)]
    public async Task A_conversation_runs_through_the_enclaves_own_door(ShapingProfile shaping)
    {
        await using var enclave = await RunningEnclave.StartAsync(RunningEnclave.Setup(Embedded("Good ", "day", ".")));
        using var client = enclave.Client(shaping);

        using var whole = await client.PostAsync("v1/chat/completions", Json("""{"model":"m","messages":[{"role":"user","content":"hello"}]}"""), Patience);
        using var streamed = await client.PostAsync("v1/chat/completions", Json("""{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}"""), Patience);

        Assert.Equal("Good day.", JsonNode.Parse(await whole.Content.ReadAsStringAsync(Patience))!["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        string events = await streamed.Content.ReadAsStringAsync(Patience);
        Assert.Contains("\"content\":\"day\"", events);
        Assert.EndsWith("data: [DONE]\n\n", events);
    }

    [Fact]
    public async Task An_enclave_that_was_disposed_leaves_no_door_open()
    {
        var enclave = await EnclaveHost.StartAsync(RunningEnclave.Setup(Embedded("hi")));
        using var open = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await open.ConnectAsync(enclave.Endpoint, Patience);
        await enclave.DisposeAsync();

        using var late = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(async () => await late.ConnectAsync(enclave.Endpoint, Patience));
        Assert.Equal(0, await open.ReceiveAsync(new byte[1], Patience));
    }

    [Fact]
    public async Task The_statement_holds_the_configuration_and_the_models_as_they_are()
    {
        var setup = RunningEnclave.Setup(Embedded("hi"));
        var model = new ServedModel { Name = "m", Weights = new string('a', 64) };
        await using var enclave = await RunningEnclave.StartAsync(setup with { Models = [model] });
        AttestationResult? result = null;
        using var client = enclave.Client(appraised: found => result = found);

        await client.GetStringAsync("v1/models", Patience);

        Assert.True(result!.TryAccept(out var appraised));
        Assert.Equal(setup.Configuration.Limits, appraised.Statement.Config.Limits);
        Assert.Equal(EngineKind.Embedded, appraised.Statement.Config.Engine.Kind);
        Assert.Equal(model, appraised.Statement.Models.Single());
    }

    [Fact]
    public async Task Refusals_arrive_in_the_apis_own_words()
    {
        await using var enclave = await RunningEnclave.StartAsync(RunningEnclave.Setup(Embedded("hi")));
        using var client = enclave.Client();
        using var unknown = await client.PostAsync("v1/chat/completions", Json("""{"model":"x","messages":[{"role":"user","content":"hello"}]}"""), Patience);
        using var nowhere = await client.GetAsync("elsewhere", Patience);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (unknown.StatusCode, nowhere.StatusCode));
        Assert.Contains("model_not_found", await unknown.Content.ReadAsStringAsync(Patience));
        Assert.Contains("not_found", await nowhere.Content.ReadAsStringAsync(Patience));
    }

    [Fact]
    public async Task A_client_that_leaves_stops_the_model_through_the_whole_path()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var model = new ScriptedModel("one", "two")
        {
            BeforeWord = async (word, cancellation) =>
            {
                if (word == 1)
                {
                    reached.SetResult();
                    try
                    {
                        await Task.Delay(Timeout.Infinite, cancellation);
                    }
                    finally
                    {
                        stopped.SetResult();
                    }
                }
            },
        };
        await using var enclave = await RunningEnclave.StartAsync(RunningEnclave.Setup(Engine(model)));
        using var client = enclave.Client();

        using (var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions") { Content = Json("""{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}""") })
        using (var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience))
        {
            await using var stream = await response.Content.ReadAsStreamAsync(Patience);
            Assert.True(await stream.ReadAsync(new byte[100], Patience) > 0);
            await reached.Task.WaitAsync(Patience);
        }

        await stopped.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task An_upstream_that_breaks_off_cuts_the_answer_off_at_the_device()
    {
        var read = new SemaphoreSlim(0);
        await using var upstream = await Upstream.StartAsync(async context =>
        {
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            await read.WaitAsync(Patience);
            context.Abort();
        });
        await using var enclave = await RunningEnclave.StartAsync(RunningEnclave.Setup(upstream.Engine, upstream.Address.ToString()));
        using var client = enclave.Client();

        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions") { Content = Json("{}") };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience);
        await using var body = await response.Content.ReadAsStreamAsync(Patience);
        Assert.True(await body.ReadAsync(new byte[100], Patience) > 0);
        read.Release();
        await Assert.ThrowsAnyAsync<IOException>(async () => Assert.Equal(0, await body.ReadAsync(new byte[100], Patience)));
    }

    [Fact]
    public async Task A_new_statement_is_made_before_the_last_one_expires_and_a_new_key_within_the_day()
    {
        var time = new SteppedTime();
        var setup = RunningEnclave.Setup(Embedded("hi")) with { Time = time };
        using var attester = new Attester(setup.Evidence);
        await using var renewal = await IdentityRenewal.StartAsync(setup, attester, Patience);
        var first = renewal.Current;
        for (var now = TimeSpan.Zero; now < TimeSpan.FromHours(24); now += TimeSpan.FromMinutes(20))
        {
            Assert.True(EnclaveBundle.TryParse(renewal.Current.Bundle.Span, out var bundle));
            Assert.True(EnclaveStatement.TryParse(bundle.Statement.Span, out var statement));
            Assert.True(string.CompareOrdinal(EnclaveStatement.FormatTime(time.GetUtcNow() + TimeSpan.FromMinutes(20)), statement.ExpiresAt) < 0);

            var former = renewal.Current;
            time.Advance(TimeSpan.FromMinutes(20));
            while (ReferenceEquals(renewal.Current, former))
            {
                await Task.Delay(1, Patience);
            }
        }
        Assert.NotEqual(first.ChannelKey.PublicKey, renewal.Current.ChannelKey.PublicKey);
    }

    [Fact]
    public async Task A_machine_that_does_not_answer_once_is_asked_again()
    {
        var time = new SteppedTime();
        int asked = 0;
        var failsOnce = new EvidenceSource(RunningEnclave.Evidence.Node, (data, cancellation) =>
            Interlocked.Increment(ref asked) == 2 ? throw new IOException() : RunningEnclave.Evidence.AttestAsync(data, cancellation));
        using var attester = new Attester(failsOnce);
        await using var renewal = await IdentityRenewal.StartAsync(RunningEnclave.Setup(Embedded("hi")) with { Time = time }, attester, Patience);
        var former = renewal.Current;

        while (ReferenceEquals(renewal.Current, former))
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(1, Patience);
        }
        Assert.True(asked >= 3);
    }

    [Fact]
    public async Task A_setup_with_faults_names_them_all()
    {
        var setup = RunningEnclave.Setup(Embedded("hi"));
        var faulty = setup with { Configuration = setup.Configuration with { Egress = ["example.org"], Counters = ["requests"], Engine = new EngineConfiguration { Kind = EngineKind.Upstream, Upstream = "http://127.0.0.1:1" } } };
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => EnclaveHost.StartAsync(faulty, Patience));
        Assert.Contains("egress:", fault.Message);
        Assert.Contains("counters:", fault.Message);
        Assert.Contains("engine:", fault.Message);
    }

    [Fact]
    public async Task An_occupied_endpoint_is_said_so()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var setup = RunningEnclave.Setup(Embedded("hi")) with { Endpoint = taken.LocalEndPoint! };
        var fault = await Assert.ThrowsAsync<SocketException>(() => EnclaveHost.StartAsync(setup, Patience));
        Assert.Equal(SocketError.AddressAlreadyInUse, fault.SocketErrorCode);
    }

    private static EmbeddedEngine Embedded(params string[] words) => Engine(new ScriptedModel(words));

    private static EmbeddedEngine Engine(ScriptedModel model) => new([new EmbeddedModel("m") { Chat = model }], ApiOnKestrel.Limits, TimeProvider.System);

    private static StringContent Json(string body) => new(body, System.Text.Encoding.UTF8, "application/json");
}
