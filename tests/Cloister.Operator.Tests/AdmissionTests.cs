using System.Net;
using System.Net.WebSockets;

namespace Cloister.Operator.Tests;

public class AdmissionTests
{
    [Fact]
    public async Task Sessions_beyond_the_bound_are_refused_until_one_ends()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour, sessions: 2);
        using var first = await program.OpenAsync();
        using var enclave = await neighbour.NextAsync();
        using var second = await program.OpenAsync();
        Assert.Equal(503, await program.RefusalAsync());

        _ = enclave.EchoAsync();
        await first.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await UntilAsync(async () =>
        {
            try
            {
                using var third = await program.OpenAsync();
                return true;
            }
            catch (WebSocketException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task An_unknown_enclave_is_not_found()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        Assert.Equal(404, await program.RefusalAsync("two"));
        Assert.Equal(0, neighbour.Accepted);
    }

    [Fact]
    public async Task An_enclave_that_is_away_is_a_bad_gateway()
    {
        await using var program = await RunningOperator.StartAsync(RunningOperator.Options(("one", Neighbour.Nobody())));
        Assert.Equal(502, await program.RefusalAsync());
    }

    [Fact]
    public async Task A_request_that_is_no_channel_is_refused()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        Assert.Equal(HttpStatusCode.BadRequest, (await program.Http.GetAsync("/cloister/v1/enclaves/one/channel")).StatusCode);

        using var device = new ClientWebSocket();
        device.Options.AddSubProtocol("cloister.v2");
        await Assert.ThrowsAsync<WebSocketException>(() => device.ConnectAsync(new Uri($"ws://{program.Address.Authority}/cloister/v1/enclaves/one/channel"), CancellationToken.None));
        Assert.Equal(0, neighbour.Accepted);
    }

    [Theory]
    [InlineData("https://elsewhere.example")]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("null")]
    public async Task A_page_of_another_origin_is_refused(string origin)
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        Assert.Equal(403, await program.RefusalAsync(configure: options => options.SetRequestHeader("Origin", origin)));
        Assert.Equal(0, neighbour.Accepted);
    }

    [Fact]
    public async Task The_apps_own_page_is_let_in()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync(configure: options => options.SetRequestHeader("Origin", program.Address.GetLeftPart(UriPartial.Authority)));
        Assert.Equal(WebSocketState.Open, device.State);
    }

    [Fact]
    public async Task Compression_is_not_agreed_on()
    {
        using var neighbour = new Neighbour();
        await using var program = await RunningOperator.StartAsync(neighbour);
        using var device = await program.OpenAsync(configure: options => options.DangerousDeflateOptions = new WebSocketDeflateOptions());
        Assert.DoesNotContain("Sec-WebSocket-Extensions", device.HttpResponseHeaders!.Keys, StringComparer.OrdinalIgnoreCase);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
        {
            await Task.Delay(20);
        }
    }
}
