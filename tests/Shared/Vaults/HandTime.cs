namespace Cloister.Testing.Vaults;

/// <summary>A device's clock, set by hand. Timers run on real time.</summary>
public sealed class HandTime(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
