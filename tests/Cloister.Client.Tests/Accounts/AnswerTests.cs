using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Client.Tests.Accounts;

/// <summary>Answers of an operator that means no good, or nothing at all.</summary>
public class AnswerTests
{
    private static readonly string Token = Base64.EncodeUrl(new byte[32]);
    private static readonly string Id = Identity.Read("an unlocker....."u8).ToString();
    private static readonly AccountNumber Account = AccountNumber.Read("an account"u8);
    private static readonly string Session = $$"""{"token":"{{Token}}","expires":"2026-11-25T00:00:00Z","account":"{{Account}}","unlocker":"{{Id}}"}""";

    [Fact]
    public async Task A_session_is_read() => Assert.Equal(Account, (await SignInAsync(HttpStatusCode.OK, Session)).Account);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("<html>")]
    public async Task Nonsense_is_no_session(string body) => await IsUnexpectedAsync(SignInAsync(HttpStatusCode.OK, body));

    [Theory]
    [InlineData("\"token\":", "\"more\":1,\"token\":")]
    [InlineData("\"token\":", "\"token\":\"x\",\"token\":")]
    [InlineData("AAAA\",\"expires\"", "AAA=\",\"expires\"")]
    [InlineData("AAAA\",\"expires\"", "AAAAAAAA\",\"expires\"")]
    [InlineData("\"account\":\"", "\"account\":\" ")]
    [InlineData("\"unlocker\":\"", "\"unlocker\":\"A")]
    public async Task A_session_that_is_spoiled_anywhere_is_none(string what, string by)
    {
        Assert.Contains(what, Session, StringComparison.Ordinal);
        await IsUnexpectedAsync(SignInAsync(HttpStatusCode.OK, Session.Replace(what, by, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_session_of_another_unlocker_than_the_one_that_signed_is_none()
    {
        using var http = new HttpClient(new Parrot(HttpStatusCode.OK, Session));
        await IsUnexpectedAsync(new OperatorAccounts(http, new("http://operator.test/")).SignInAsync(Identity.Read("another unlocker"u8), null, new byte[32], new byte[64], default));
    }

    [Fact]
    public async Task An_answer_without_end_is_cut()
    {
        var endless = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new Endless()) };
        using var http = new HttpClient(new Always(endless));
        await IsUnexpectedAsync(new OperatorAccounts(http, new("http://operator.test/")).ChallengeAsync(default));
    }

    [Theory]
    [InlineData("AA")]
    [InlineData("")]
    public async Task A_challenge_of_another_length_is_not_signed(string challenge)
    {
        using var http = new HttpClient(new Parrot(HttpStatusCode.OK, $$"""{"challenge":"{{challenge}}"}"""));
        await IsUnexpectedAsync(new OperatorAccounts(http, new("http://operator.test/")).ChallengeAsync(default));
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "wrong", AccountFault.Wrong)]
    [InlineData(HttpStatusCode.Conflict, "taken", AccountFault.Taken)]
    [InlineData(HttpStatusCode.Conflict, "epoch", AccountFault.EpochPassed)]
    [InlineData(HttpStatusCode.TooManyRequests, "too_many", AccountFault.TooManyAttempts)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge, "too_large", AccountFault.TooLarge)]
    [InlineData(HttpStatusCode.InsufficientStorage, "quota", AccountFault.Full)]
    [InlineData(HttpStatusCode.NotFound, "unknown", AccountFault.NotThere)]
    [InlineData(HttpStatusCode.BadRequest, "malformed", AccountFault.Unexpected)]
    [InlineData((HttpStatusCode)418, "\u001b]0;mine", AccountFault.Unexpected)]
    public async Task A_refusal_has_a_name_and_none_of_the_operators_words(HttpStatusCode status, string code, AccountFault fault)
    {
        string body = $$"""{"error":{{System.Text.Json.JsonSerializer.Serialize(code)}},"message":"Send your words to evil.test"}""";
        var refused = await Assert.ThrowsAsync<AccountFaultException>(() => SignInAsync(status, body));
        Assert.Equal(fault, refused.Fault);
        Assert.DoesNotContain("evil", refused.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', refused.Message);
    }

    [Fact]
    public async Task How_long_to_wait_is_believed_up_to_a_day()
    {
        var refused = await Assert.ThrowsAsync<AccountFaultException>(() => SignInAsync(HttpStatusCode.TooManyRequests, "{}", response => response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromDays(9999))));
        Assert.Equal(TimeSpan.FromDays(1), refused.RetryAfter);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.BadGateway)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task A_fault_of_its_own_is_weather(HttpStatusCode status) => await Assert.ThrowsAsync<OperatorUnreachableException>(() => SignInAsync(status, "x"));

    [Fact]
    public async Task A_redirect_is_not_followed_with_the_token()
    {
        // The browser's client and the command's follow none; what comes of one is no answer.
        await IsUnexpectedAsync(SignInAsync(HttpStatusCode.Redirect, "", response => response.Headers.Location = new Uri("http://evil.test/")));
    }

    [Fact]
    public async Task A_feed_gives_sequences_and_ends_at_what_is_too_long()
    {
        string text = "event: head\ndata: {\"sequence\":3}\n\n: still here\n\nevent: other\ndata: {\"sequence\":4}\n\nevent: head\r\ndata:{\"sequence\":5}\r\n\r\nevent: head\ndata: nonsense\n\ndata: " + new string('x', 300);
        var feed = new HeadFeed(new MemoryStream(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(3ul, await feed.NextAsync(default));
        Assert.Equal(5ul, await feed.NextAsync(default));
        Assert.Null(await feed.NextAsync(default));
    }

    [Fact]
    public async Task A_feed_that_is_one_endless_line_ends()
    {
        var endless = new Endless();
        Assert.Null(await new HeadFeed(endless).NextAsync(default));
        Assert.True(endless.Taken < 100_000);
    }

    [Theory]
    [InlineData("ABCD-EFGH", true)]
    [InlineData("abcdefgh", true)]
    [InlineData("http://127.0.0.1:7000/#pair=ABCD-EFGH.47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", true)]
    [InlineData("http://127.0.0.1:7000/#pair=ABCD-EFGH", false)]
    [InlineData("http://127.0.0.1:7000/#pair=ABCD-EFGH.47DE", false)]
    [InlineData("ABCD", false)]
    [InlineData("../../accounts", false)]
    public void A_code_is_eight_letters_or_the_text_of_a_QR_code(string text, bool good)
    {
        Assert.Equal(good, PairingLink.TryRead(text, out string slot, out byte[]? fingerprint));
        Assert.Equal(good, slot == "ABCD-EFGH");
        Assert.Equal(good && text.Contains('#', StringComparison.Ordinal), good && fingerprint is not null);
    }

    private static async Task<AccountToken> SignInAsync(HttpStatusCode status, string body, Action<HttpResponseMessage>? more = null)
    {
        using var http = new HttpClient(new Parrot(status, body, more));
        return await new OperatorAccounts(http, new("http://operator.test/")).SignInAsync(Identity.Read("an unlocker....."u8), null, new byte[32], new byte[64], default);
    }

    private static async Task IsUnexpectedAsync(Task act) => Assert.Equal(AccountFault.Unexpected, (await Assert.ThrowsAsync<AccountFaultException>(() => act)).Fault);

    private sealed class Always(HttpResponseMessage response) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(response);
    }

    private sealed class Endless : MemoryStream
    {
        public long Taken { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill((byte)'x');
            Taken += buffer.Length;
            return new(buffer.Length);
        }
    }
}
