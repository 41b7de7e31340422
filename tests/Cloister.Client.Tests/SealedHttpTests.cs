using System.Net;
using System.Text;
using Cloister.Attestation;
using Cloister.Channel;
using CsCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Client.Tests;

public class SealedHttpTests
{
    private static readonly CancellationToken Patience = new CancellationTokenSource(TimeSpan.FromMinutes(3)).Token;

    [Theory]
    [InlineData(ShapingProfile.Padded)]
    [InlineData(ShapingProfile.Paced)]
    public async Task A_request_arrives_as_it_was_sent_and_its_answer_comes_back(ShapingProfile shaping)
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/echo/{name}", async (HttpContext context) =>
        {
            context.Response.StatusCode = 201;
            context.Response.Headers["X-Seen"] = $"{context.Request.Method} {context.Request.Path.Value}{context.Request.QueryString} {context.Request.Headers["X-Asked"]} {context.Request.ContentType}";
            await context.Request.Body.CopyToAsync(context.Response.Body);
        }));
        using var client = deployment.Client(shaping);

        using var request = new HttpRequestMessage(HttpMethod.Post, "echo/a%20b?c=d") { Content = new StringContent("hello") };
        request.Headers.Add("X-Asked", "yes");
        using var response = await client.SendAsync(request, Patience);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("POST /echo/a b?c=d yes text/plain; charset=utf-8", response.Headers.GetValues("X-Seen").Single());
        Assert.Equal("hello", await response.Content.ReadAsStringAsync(Patience));
    }

    [Fact]
    public async Task Large_contents_pass_both_ways()
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/echo", (HttpContext context) => context.Request.Body.CopyToAsync(context.Response.Body)));
        using var client = deployment.Client();
        byte[] content = new byte[900_000];
        new Random(1).NextBytes(content);
        using var response = await client.PostAsync("echo", new ByteArrayContent(content), Patience);
        Assert.Equal(content, await response.Content.ReadAsByteArrayAsync(Patience));
    }

    [Fact]
    public async Task Each_piece_of_an_answer_arrives_before_the_next_is_made()
    {
        var next = new SemaphoreSlim(0);
        await using var deployment = await Deployment.StartAsync(app => app.MapGet("/stream", async (HttpContext context) =>
        {
            for (int i = 0; i < 5; i++)
            {
                await context.Response.WriteAsync($"{i}");
                await context.Response.Body.FlushAsync();
                await next.WaitAsync(Patience);
            }
        }));
        using var client = deployment.Client();
        using var response = await client.GetAsync("stream", HttpCompletionOption.ResponseHeadersRead, Patience);
        await using var stream = await response.Content.ReadAsStreamAsync(Patience);
        var buffer = new byte[10];
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(1, await stream.ReadAsync(buffer, Patience));
            Assert.Equal('0' + i, buffer[0]);
            next.Release();
        }
        Assert.Equal(0, await stream.ReadAsync(buffer, Patience));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Letting_go_of_an_answer_stops_it_at_once(bool byToken)
    {
        var stopped = new TaskCompletionSource();
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/endless", async (HttpContext context) =>
        {
            context.RequestAborted.Register(() => stopped.TrySetResult());
            await context.Response.WriteAsync("begun");
            await context.Response.Body.FlushAsync();
            await stopped.Task.WaitAsync(Patience);
        }));
        using var client = deployment.Client();
        using var cancellation = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "endless");
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience);
        await using var stream = await response.Content.ReadAsStreamAsync(Patience);
        Assert.Equal(5, await stream.ReadAsync(new byte[10], Patience));
        if (byToken)
        {
            var reading = stream.ReadAsync(new byte[10], cancellation.Token);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
        }
        response.Dispose();
        await stopped.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Cancelling_before_the_head_stops_the_request()
    {
        var begun = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/silent", async (HttpContext context) =>
        {
            context.RequestAborted.Register(() => stopped.TrySetResult());
            begun.SetResult();
            await stopped.Task.WaitAsync(Patience);
        }));
        using var client = deployment.Client();
        using var cancellation = new CancellationTokenSource();
        var sending = client.PostAsync("silent", null, cancellation.Token);
        await begun.Task.WaitAsync(Patience);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        await stopped.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Many_exchanges_run_at_once_over_one_connection()
    {
        var all = new CountdownEvent(64);
        var release = new TaskCompletionSource();
        await using var deployment = await Deployment.StartAsync(app => app.MapGet("/wait/{n}", async (int n) =>
        {
            all.Signal();
            await release.Task.WaitAsync(Patience);
            return $"{n}";
        }));
        using var client = deployment.Client();
        var answers = Enumerable.Range(0, 80).Select(n => client.GetStringAsync($"wait/{n}", Patience)).ToArray();
        Assert.True(await Task.Run(() => all.Wait(TimeSpan.FromMinutes(1)), Patience));
        all.Reset(1_000_000);
        release.SetResult();
        Assert.Equal(Enumerable.Range(0, 80).Select(n => $"{n}"), await Task.WhenAll(answers));
        Assert.Equal(1, deployment.Connections);
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_the_enclave_up()
    {
        long produced = 0;
        await using var deployment = await Deployment.StartAsync(app => app.MapGet("/flood", async (HttpContext context) =>
        {
            var chunk = new byte[8192];
            while (!context.RequestAborted.IsCancellationRequested && produced < 100_000_000)
            {
                await context.Response.Body.WriteAsync(chunk);
                await context.Response.Body.FlushAsync();
                Interlocked.Add(ref produced, chunk.Length);
            }
        }));
        using var client = deployment.Client();
        using var response = await client.GetAsync("flood", HttpCompletionOption.ResponseHeadersRead, Patience);
        long before;
        do
        {
            before = Interlocked.Read(ref produced);
            await Task.Delay(300, Patience);
        }
        while (Interlocked.Read(ref produced) != before);
        Assert.InRange(before, 1, 8_000_000);
    }

    [Fact]
    public async Task An_application_that_fails_says_nothing_of_why()
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapGet("/fail", string () => throw new InvalidOperationException("a secret")));
        using var client = deployment.Client();
        using var response = await client.GetAsync("fail", Patience);
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync(Patience));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("nowhere", Patience)).StatusCode);
    }

    [Fact]
    public Task An_answer_cut_anywhere_is_resumed_without_a_byte_lost_or_doubled() => Gen.Int[0, 30].List[1, 3].SampleAsync(async cuts =>
    {
        int made = 0;
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/count", async (HttpContext context) =>
        {
            for (int i = 0; i < 40; i++)
            {
                await context.Response.WriteAsync($"{i},");
                await context.Response.Body.FlushAsync();
                Interlocked.Increment(ref made);
                await Task.Delay(2, Patience);
            }
        }));
        using var client = deployment.Client();
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "count"), HttpCompletionOption.ResponseHeadersRead, Patience);
        await using var stream = await response.Content.ReadAsStreamAsync(Patience);
        var text = new StringBuilder();
        var buffer = new byte[7];
        for (int reads = 0; await stream.ReadAsync(buffer, Patience) is > 0 and var length; reads++)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, length));
            if (cuts.Contains(reads))
            {
                deployment.Cut();
            }
        }
        Assert.Equal(string.Concat(Enumerable.Range(0, 40).Select(i => $"{i},")), text.ToString());
        Assert.Equal(40, made);
    }, iter: 12, threads: 1);

    [Fact]
    public async Task An_answer_whose_enclave_cannot_send_any_more_is_not_taken_for_a_cancelled_one()
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/flood", async (HttpContext context) =>
        {
            for (int i = 0; i < 800; i++)
            {
                await context.Response.Body.WriteAsync(new byte[1000]);
                await context.Response.Body.FlushAsync();
            }
        }));
        using var client = deployment.Client();
        for (int i = 0; i < 20; i++)
        {
            using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "flood"), HttpCompletionOption.ResponseHeadersRead, Patience);
            await using var stream = await response.Content.ReadAsStreamAsync(Patience);
            await stream.ReadExactlyAsync(new byte[1], Patience);
            deployment.Reset();
            var rest = new MemoryStream();
            await stream.CopyToAsync(rest, Patience);
            Assert.Equal(799_999, rest.Length);
        }
    }

    [Fact]
    public async Task An_enclave_out_of_reach_for_a_while_is_waited_for()
    {
        var next = new SemaphoreSlim(0);
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/two", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("one ");
            await context.Response.Body.FlushAsync();
            await next.WaitAsync(Patience);
            await context.Response.WriteAsync("two");
        }));
        using var client = deployment.Client();
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "two"), HttpCompletionOption.ResponseHeadersRead, Patience);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Patience));
        var first = new char[1];
        Assert.Equal(1, await reader.ReadAsync(first, Patience));
        deployment.IsAway = true;
        deployment.Cut();
        var rest = reader.ReadToEndAsync(Patience);
        await Task.Delay(1000, Patience);
        Assert.False(rest.IsCompleted);
        deployment.IsAway = false;
        next.Release();
        Assert.Equal("ne two", await rest);
    }

    [Fact]
    public async Task A_resumed_answer_that_is_cancelled_stops_where_it_is_made()
    {
        var stopped = new TaskCompletionSource();
        var next = new SemaphoreSlim(0);
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/endless", async (HttpContext context) =>
        {
            context.RequestAborted.Register(stopped.SetResult);
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await next.WaitAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
                await context.Response.WriteAsync(".");
                await context.Response.Body.FlushAsync();
            }
        }));
        using var client = deployment.Client();
        using (var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "endless"), HttpCompletionOption.ResponseHeadersRead, Patience))
        {
            await using var stream = await response.Content.ReadAsStreamAsync(Patience);
            await stream.ReadExactlyAsync(new byte[1], Patience);
            deployment.Cut();
            await stream.ReadExactlyAsync(new byte[5], Patience);
            Assert.False(stopped.Task.IsCompleted);
        }
        await stopped.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_cannot_be_resumed_says_so_and_keeps_what_had_arrived()
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapGet("/once", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("kept");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }));
        using var client = deployment.Client();
        using var response = await client.GetAsync("once", HttpCompletionOption.ResponseHeadersRead, Patience);
        await using var stream = await response.Content.ReadAsStreamAsync(Patience);
        var buffer = new byte[10];
        Assert.Equal(4, await stream.ReadAsync(buffer, Patience));
        deployment.Cut();
        await Assert.ThrowsAsync<EnclaveLostException>(async () => Assert.Equal(0, await stream.ReadAsync(buffer, Patience)));
    }

    [Fact]
    public async Task After_a_cut_the_next_request_appraises_again_and_goes_on()
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapGet("/", () => "here"));
        var seen = new List<AttestationResult>();
        using var client = new HttpClient(new SealedHttpHandler(new ClientOptions { Operator = deployment.Address, Policy = deployment.Policy, Shaping = ShapingProfile.Padded, Appraised = seen.Add })) { BaseAddress = SealedHttpHandler.EnclaveAddress };
        Assert.Equal("here", await client.GetStringAsync("", Patience));
        Assert.Single(seen);
        deployment.Cut();
        await Task.Delay(200, Patience);
        Assert.Equal("here", await client.GetStringAsync("", Patience));
        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public async Task A_bundle_that_does_not_pass_is_refused_and_nothing_is_carried()
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapGet("/", () => "here"));
        using var wanting = deployment.Client(policy: deployment.Policy with { Snp = deployment.Policy.Snp! with { Measurements = [] } });
        var refused = await Assert.ThrowsAsync<EnclaveRefusedException>(() => wanting.GetStringAsync("", Patience));
        Assert.Contains(refused.Results.Single().Checks, check => check is { Name: "Snp.Measurement", Verdict: Verdict.Failed });

        deployment.Bundle[^200] ^= 1;
        using var client = deployment.Client();
        await Assert.ThrowsAsync<EnclaveRefusedException>(() => client.GetStringAsync("", Patience));
        Assert.Equal((0, 0), (deployment.Connections, deployment.Carried));
    }

    [Theory]
    [InlineData(0)] // the handshake's first message
    [InlineData(1)] // its second
    [InlineData(2)] // the request
    [InlineData(3)] // the answer
    public async Task A_bit_flipped_by_the_operator_ends_the_session_and_nothing_wrong_is_delivered(int message)
    {
        await using var deployment = await Deployment.StartAsync(app => app.MapPost("/", () => "here"));
        int seen = 0;
        deployment.Carrying = (_, bytes) => bytes[bytes.Length / 2] ^= (byte)(seen++ == message ? 1 : 0);
        using var client = deployment.Client();

        // In the handshake nothing was sent. Later the request is asked again, or its answer resumed, after another appraisal.
        string? answer = null;
        var failure = await Record.ExceptionAsync(async () => answer = await (await client.PostAsync("", null, Patience)).Content.ReadAsStringAsync(Patience));
        Assert.True(message < 2 ? failure is EnclaveUnreachableException : answer == "here", $"{failure}");
        Assert.Equal(message < 2 ? 1 : 2, deployment.Connections);
    }
}
