using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cloister.Operator.Accounts.Http;

/// <summary>How slow a sender or reader of much may be.</summary>
internal static class Pace
{
    // Docs/spec/accounts.md, section 7. At the server's own, 240 bytes in a second, whoever sends or reads a few MiB could keep them in memory for hours.
    private const int BytesPerSecond = 16 << 10;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Of a sender.</summary>
    public static readonly MinDataRate Slowest = new(BytesPerSecond, Grace);

    /// <summary>That a reader takes for <see cref="InFlight.Small"/>.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(InFlight.Small / BytesPerSecond) + Grace;
}
