using System.Net.Sockets;
using System.Text;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>What stands before every path of accounts, and what stays closed beside them.</summary>
public sealed class DoorTests(InSqlite database) : IClassFixture<InSqlite>
{
    [Theory]
    [InlineData("Origin", "https://elsewhere.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Origin", "http://127.0.0.1:1", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("Sec-Fetch-Site", "none", 200)]
    [InlineData("Accept", "*/*", 200)]
    public async Task Only_the_apps_own_pages_are_answered(string header, string value, int status)
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        foreach (var (method, path) in ((string, string)[])[("GET", "/account"), ("POST", "/sign-in/challenge"), ("POST", "/sign-in/passkey/options")])
        {
            var reply = await device.Api.SendAsync(method, path, null, device.Token, request => request.Headers.TryAddWithoutValidation(header, value));
            Assert.Equal(status, reply.Status);
            Assert.Equal(status == 403 ? "origin" : null, reply.Error);
            Assert.DoesNotContain(reply.Headers, sent => sent.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task The_apps_own_origin_is_let_in()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        Assert.Equal(200, (await device.Api.SendAsync("GET", "/account", null, device.Token, request => request.Headers.Add("Origin", program.Address.GetLeftPart(UriPartial.Authority)))).Status);
    }

    [Fact]
    public async Task Without_accounts_there_are_no_such_paths()
    {
        await using var program = await RunningOperator.StartAsync(RunningOperator.Options(("one", "127.0.0.1:1")));
        var api = new Api(program.Http);
        Assert.Equal(404, (await api.AskAsync("GET", "/account")).Status);
        Assert.Equal(405, (await api.JsonAsync("POST", "/accounts", "{}")).Status);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/octet-stream")]
    public async Task What_a_form_can_send_is_no_JSON(string type)
    {
        var api = new Api((await database.OperatorAsync()).Http);
        var content = new StringContent("{}");
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        Assert.Equal("415 content_type", (await api.SendAsync("POST", "/sign-in", content, null)).Verdict);
    }

    [Fact]
    public async Task JSON_that_is_too_large_is_refused()
    {
        var api = new Api((await database.OperatorAsync()).Http);
        Assert.Equal("413 too_large", (await api.JsonAsync("POST", "/sign-in", new string(' ', 300_000))).Verdict);
        Assert.Equal("400 malformed", (await api.JsonAsync("POST", "/sign-in", new string('[', 10_000))).Verdict);
    }

    public static TheoryData<string, string> Lying => new()
    {
        { "Content-Length: 8388609\r\n", "413 " },
        { "Content-Length: 99999999999999\r\n", "413 " },
        { "Content-Length: -1\r\n", "400 " },
        { "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "" },
        { "Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n", "" },
        { "Content-Length: 300\r\n\r\nabc", "" },
    };

    [Theory]
    [MemberData(nameof(Lying))]
    public async Task Sizes_that_lie_cost_nothing(string headers, string answer)
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", program.Address.Port);
        string text = $"POST /cloister/v1/account/changes HTTP/1.1\r\nHost: {program.Address.Authority}\r\nAuthorization: Bearer {device.Token}\r\nContent-Type: application/octet-stream\r\n{headers}\r\n";
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
        if (answer.Length == 0)
        {
            client.Client.Shutdown(SocketShutdown.Send); // all that comes, and it is not all
        }
        using var reader = new StreamReader(stream);
        string said = "";
        try
        {
            said = await reader.ReadLineAsync() ?? "";
        }
        catch (IOException)
        {
            // Cut off, which is an answer as well.
        }
        Assert.True(said.Length == 0 ? answer.Length == 0 : said.StartsWith($"HTTP/1.1 {(answer.Length == 0 ? "4" : answer)}", StringComparison.Ordinal), said);
        await device.PushAsync(TestDevice.Change());
    }

    [Fact]
    public async Task A_large_body_that_dribbles_is_given_up()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", program.Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /cloister/v1/account/changes HTTP/1.1\r\nHost: {program.Address.Authority}\r\nAuthorization: Bearer {device.Token}\r\nContent-Type: application/octet-stream\r\nContent-Length: 4000000\r\n\r\n"));
        var answer = stream.ReadAsync(new byte[1000]).AsTask();
        try
        {
            // Four KiB in a second: a quarter of what is asked for, and seventeen times what the server is content with by itself.
            for (int i = 0; i < 120 && !answer.IsCompleted; i++)
            {
                await stream.WriteAsync(new byte[1024]);
                await Task.WhenAny(answer, Task.Delay(250));
            }
        }
        catch (IOException)
        {
            // Cut off.
        }
        Assert.True(answer.IsCompleted);
    }

    [Fact]
    public async Task Other_paths_take_no_body_as_before()
    {
        var program = await database.OperatorAsync();
        foreach (string path in (string[])["/cloister/v1/enclaves", "/cloister/v1/account"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Content = new ByteArrayContent(new byte[10]) };
            try
            {
                using var response = await program.Http.SendAsync(request);
            }
            catch (HttpRequestException)
            {
                // The connection is closed on it.
            }
        }
        Assert.Equal(200, (int)(await program.Http.GetAsync("/cloister/v1/enclaves")).StatusCode);
    }
}
