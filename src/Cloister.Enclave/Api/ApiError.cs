using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Enclave.Api;

/// <summary>What the client got wrong, or what the enclave cannot do, in the OpenAI API's shape.</summary>
/// <remarks>It goes only to the client whose request it answers, through the sealed channel. Nothing of it is logged.</remarks>
/// <param name="Status">The HTTP status it travels with.</param>
/// <param name="Type">The API's class of error, e.g. <c>invalid_request_error</c>.</param>
/// <param name="Code">What a program can act on, e.g. <c>model_not_found</c>.</param>
/// <param name="Param">The request's field that is at fault, where it is one.</param>
public sealed record ApiError(int Status, string Message, string Type, string? Code = null, string? Param = null)
{
    public static ApiError Invalid(string message, string? param = null, string? code = null) =>
        new(StatusCodes.Status400BadRequest, message, "invalid_request_error", code, param);

    /// <summary>A field we know and do not serve. Refused, because leaving it out would change the answer without a word.</summary>
    public static ApiError Unsupported(string param, string what) =>
        Invalid($"{what} is not supported by this model.", param, "unsupported_parameter");

    public static ApiError UnknownModel(string model) =>
        new(StatusCodes.Status404NotFound, $"The model '{model}' is not served here.", "invalid_request_error", "model_not_found", "model");

    public static ApiError NoSuchPath { get; } =
        new(StatusCodes.Status404NotFound, "There is nothing at this path.", "invalid_request_error", "not_found");

    public static ApiError WrongMethod { get; } =
        new(StatusCodes.Status405MethodNotAllowed, "This path does not answer this method.", "invalid_request_error", "method_not_allowed");

    public static ApiError TooLarge { get; } =
        new(StatusCodes.Status413PayloadTooLarge, "The request is larger than this enclave accepts.", "invalid_request_error", "request_too_large");

    public static ApiError Busy { get; } =
        new(StatusCodes.Status429TooManyRequests, "All places in this enclave are taken. Try again in a moment.", "rate_limit_error", "busy");

    public static ApiError UpstreamUnreachable { get; } =
        new(StatusCodes.Status502BadGateway, "The model's server inside the enclave does not answer.", "server_error", "upstream_unreachable");

    // No exception's text: it could hold a part of somebody's prompt.
    public static ApiError Failed { get; } =
        new(StatusCodes.Status500InternalServerError, "The enclave could not answer this request.", "server_error", "internal_error");

    public async Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        if (Status == StatusCodes.Status429TooManyRequests)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        byte[] body = JsonSerializer.SerializeToUtf8Bytes(ToBody(), ApiJson.Default.ApiErrorBody);
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    internal ApiErrorBody ToBody() => new(new ApiErrorDetail(Message, Type, Param, Code));
}

internal sealed record ApiErrorBody(ApiErrorDetail Error);

internal sealed record ApiErrorDetail(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);
