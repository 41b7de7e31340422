namespace Cloister.Enclave.SealedServer;

/// <summary>All that is ever counted at the enclave's door. Nothing else about a connection is kept, and nothing is logged.</summary>
/// <remarks>The numbers are frozen: counters carry them.</remarks>
public enum DoorCounter
{
    /// <summary>Connections that asked for the bundle.</summary>
    Bundles = 0,

    /// <summary>Sessions whose handshake succeeded.</summary>
    Sessions = 1,

    /// <summary>Connections closed unread because there were too many.</summary>
    ConnectionsRefused = 2,

    /// <summary>Connections that asked for nothing we know, or whose handshake failed.</summary>
    HandshakesFailed = 3,

    /// <summary>Sessions that ended without the client's authenticated close.</summary>
    SessionsLost = 4,

    /// <summary>Sessions ended because of what the client sent.</summary>
    SessionsMalformed = 5,

    /// <summary>Requests that reached the application.</summary>
    Requests = 6,

    /// <summary>Requests refused because there were too many.</summary>
    RequestsRefused = 7,

    /// <summary>Requests that were malformed, late, or without a name.</summary>
    RequestsMalformed = 8,

    /// <summary>Requests whose name was used up.</summary>
    RequestsRepeated = 9,

    /// <summary>Requests that the application failed at.</summary>
    ApplicationFaults = 10,

    /// <summary>Answers that went on after a cut.</summary>
    AnswersResumed = 11,
}

/// <summary>Totals since the start.</summary>
public sealed class DoorCounters
{
    private readonly long[] _totals = new long[Enum.GetValues<DoorCounter>().Length];

    public long this[DoorCounter counter] => Interlocked.Read(ref _totals[(int)counter]);

    internal void Count(DoorCounter counter) => Interlocked.Increment(ref _totals[(int)counter]);
}
