namespace Cloister.Channel;

/// <summary>What a session may do and how long it may take.</summary>
public sealed record ChannelOptions
{
    public required TimeProvider Time { get; init; }

    /// <summary>At the client: what it asks for. At the enclave: the floor, the least that it accepts.</summary>
    public ShapingProfile Shaping { get; init; } = ShapingProfile.Paced;

    /// <summary>Both messages of the handshake are through within this time.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A session in which no record goes either way for this long ends. It also ends a peer that neither reads nor closes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long closing waits for the peer's authenticated close.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
