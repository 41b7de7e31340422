namespace Cloister.Channel.Exchanges;

/// <summary>Why an exchange is over. The numbers are frozen: counters carry them.</summary>
public enum ExchangeFault : byte
{
    /// <summary>Nothing is wrong with it.</summary>
    None = 0,

    /// <summary>The peer let go of it before its end: a client cancels, an enclave breaks off.</summary>
    Cancelled = 1,

    /// <summary>We let go of it before its end.</summary>
    Abandoned = 2,

    /// <summary>Its session was lost. Nobody cancelled anything.</summary>
    SessionLost = 3,

    /// <summary>The peer closed its session, as it may.</summary>
    SessionClosed = 4,

    /// <summary>The enclave did not take it: too many are in progress. Nothing of it was read.</summary>
    Rejected = 5,
}

/// <summary>An exchange ended before its end. The message names the fault and holds nothing that the peer sent.</summary>
public sealed class ExchangeException(ExchangeFault fault) : IOException($"The exchange ended: {fault}.")
{
    public ExchangeFault Fault { get; } = fault;
}

/// <summary>What was wrong with the multiplexing that a peer sent; it ends the session (docs/spec/exchanges.md, section 1).</summary>
public enum MultiplexingFault : byte
{
    None = 0,

    /// <summary>Not a frame, or not in its shortest form.</summary>
    BadFrame = 1,

    /// <summary>A frame that has no place where it stands: for an exchange that was never offered, or in the wrong state.</summary>
    OutOfOrder = 2,

    /// <summary>More content than the window allows, or more window than can be.</summary>
    BadWindow = 3,

    /// <summary>The peer asks and asks and does not read what it is told.</summary>
    Overflow = 4,
}
