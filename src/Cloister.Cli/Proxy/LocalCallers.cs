using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Cli.Proxy;

/// <summary>Who may use the port: programs of this machine, and no web page that somebody else wrote.</summary>
/// <param name="key">Null: no key is asked for.</param>
internal sealed class LocalCallers(string? key)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _keyHash = key is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <returns>Null where the caller may pass; otherwise a status and a sentence.</returns>
    public (int Status, string Message)? Refuse(HttpRequest request)
    {
        // A page whose own name was made to point to this machine sends that name (DNS rebinding); one from elsewhere sends its origin.
        if (!IsLoopback(request.Host.Host))
        {
            return (StatusCodes.Status403Forbidden, "This port answers only to its own loopback address.");
        }
        foreach (string? origin in request.Headers.Origin)
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var page) || !IsLoopback(page.Host))
            {
                return (StatusCodes.Status403Forbidden, "This port does not answer to web pages.");
            }
        }
        return _keyHash is null || BearsKey(request) ? null : (StatusCodes.Status401Unauthorized, "This port asks for its API key.");
    }

    private bool BearsKey(HttpRequest request)
    {
        string? authorization = request.Headers.Authorization;
        return authorization?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) is true
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim())), _keyHash);
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
