using System.Security.Cryptography;

namespace Cloister.Client.History;

/// <summary>How long to wait after an attempt that failed: twice as long each time, and never two devices alike, so that an operator that comes back is not met by all at once.</summary>
internal sealed class Backoff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Last = TimeSpan.FromMinutes(5);

    private int _failures;

    public void Reset() => _failures = 0;

    /// <summary>From half of the step to all of it.</summary>
    public TimeSpan Next()
    {
        var step = First * Math.Pow(2, Math.Min(_failures++, 20));
        return (step < Last ? step : Last) * (RandomNumberGenerator.GetInt32(500, 1001) / 1000.0);
    }
}
