namespace Cloister.Operator;

/// <summary>Whether a request comes from the page that this program serves, or from no page.</summary>
internal static class OwnOrigin
{
    /// <summary>
    /// Browsers send the page's origin, and let any page open a WebSocket or post a form; other programs send none. Compared without the scheme, because TLS may end in front of this program.
    /// </summary>
    public static bool Holds(HttpRequest request) => request.Headers.Origin switch
    {
        { Count: 0 } => true,
        [var origin] => Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    /// <summary>The same, also for what browsers ask for without saying whose page it is.</summary>
    public static bool HoldsForAccounts(HttpRequest request) => Holds(request) && request.Headers["Sec-Fetch-Site"] is { Count: 0 } or ["same-origin" or "none"];
}
