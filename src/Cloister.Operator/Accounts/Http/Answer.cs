using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cloister.Operator.Accounts.Http;

/// <summary>What a request is answered with, whole.</summary>
internal sealed record Answer(int Status, string? ContentType = null, ReadOnlyMemory<byte> Body = default, int? RetryAfterSeconds = null)
{
    public static readonly Answer Done = new(StatusCodes.Status200OK);
    public static readonly Answer Gone = new(StatusCodes.Status204NoContent);

    public static Answer Json<T>(int status, T value, JsonTypeInfo<T> type) => new(status, "application/json", JsonSerializer.SerializeToUtf8Bytes(value, type));

    public static Answer Octets(byte[] bytes) => new(StatusCodes.Status200OK, "application/octet-stream", bytes);

    /// <param name="code">For programs: docs/spec/accounts.md.</param>
    /// <param name="message">A sentence for people, without anything that the request brought.</param>
    public static Answer Refuse(int status, string code, string message, ulong? sequence = null) => Json(status, new FaultBody(code, message, sequence), AccountsJson.Default.FaultBody);

    public static Answer Malformed(string what) => Refuse(StatusCodes.Status400BadRequest, "malformed", $"This is not {what}.");

    public static Answer TooLarge => Refuse(StatusCodes.Status413PayloadTooLarge, "too_large", "This is larger than what is taken here.");

    public static Answer Unknown => Refuse(StatusCodes.Status404NotFound, "unknown", "There is no such thing.");

    public static Answer Wrong => Refuse(StatusCodes.Status401Unauthorized, "wrong", "There is no such unlocker, or the signature is not its own.");

    public static Answer NoSession => Refuse(StatusCodes.Status401Unauthorized, "session", "There is no session, or it ended.");

    public static Answer Full => Refuse(StatusCodes.Status507InsufficientStorage, "quota", "The account is full.");

    public static Answer Epoch => Refuse(StatusCodes.Status409Conflict, "epoch", "This is not of the account's current epoch.");

    public static Answer Signature => Refuse(StatusCodes.Status403Forbidden, "signature", "This is not signed by the account's own key.");

    public static Answer Taken => Refuse(StatusCodes.Status409Conflict, "taken", "That name is taken.");

    public static Answer TooMany(TimeSpan wait) => Refuse(StatusCodes.Status429TooManyRequests, "too_many", "There were too many attempts.") with { RetryAfterSeconds = (int)Math.Ceiling(Math.Max(1, wait.TotalSeconds)) };

    public async Task SendAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        if (RetryAfterSeconds is { } wait)
        {
            response.Headers.RetryAfter = wait.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        if (Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }
        if (Status != StatusCodes.Status204NoContent)
        {
            response.ContentLength = Body.Length;
            await SendBodyAsync(context);
        }
    }

    // Piece by piece: the server copies what it is given, and waits for the reader only after that. Its own measure of slow readers gives credit for what the network's buffers took at once,
    // some minutes for a page, so each piece has its time.
    private async Task SendBodyAsync(HttpContext context)
    {
        using var late = new CancellationTokenSource();
        using var abort = late.Token.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context);
        for (int sent = 0; sent < Body.Length; sent += InFlight.Small)
        {
            late.CancelAfter(Pace.Longest);
            await context.Response.Body.WriteAsync(Body.Slice(sent, Math.Min(InFlight.Small, Body.Length - sent)), context.RequestAborted);
        }
    }
}
