namespace Cloister.Channel;

/// <summary>Why a session ended other than by an authenticated close. For our own logs and counters; the peer is told nothing.</summary>
/// <remarks>Section 9 of docs/spec/channel.md. The numbers are frozen: counters carry them.</remarks>
public enum ChannelFault : byte
{
    /// <summary>No fault.</summary>
    None = 0,

    /// <summary>The peer's end came without an authenticated close: whatever was being received may be cut short.</summary>
    Truncated = 1,

    /// <summary>A message, or a length in a record, that no sender of this protocol makes.</summary>
    BadLength = 2,

    /// <summary>An X25519 key of low order: the agreed secret would be known to everyone.</summary>
    LowOrderKey = 3,

    /// <summary>An ML-KEM-768 key that fails the check of FIPS 203, section 7.2.</summary>
    BadKemKey = 4,

    /// <summary>A message that did not open: altered, replayed, out of order, or made for another key or another statement.</summary>
    Unauthentic = 5,

    /// <summary>A handshake payload that is not in its one form.</summary>
    BadPayload = 6,

    /// <summary>No version that both sides speak.</summary>
    NoCommonVersion = 7,

    /// <summary>The client asked for less shaping than the enclave's floor, or the enclave answered with another profile than was asked for.</summary>
    ShapingRefused = 8,

    /// <summary>A record of a kind that does not exist.</summary>
    BadKind = 9,

    /// <summary>Padding that is not zero.</summary>
    DirtyPadding = 10,

    /// <summary>More records under one key than are allowed.</summary>
    RekeyOverdue = 11,

    /// <summary>The handshake was not complete in time.</summary>
    HandshakeTimeout = 12,

    /// <summary>No record went either way for longer than a session may rest.</summary>
    Idle = 13,

    /// <summary>The peer closed the session, as it may, before what we tried to write. The session itself has no fault.</summary>
    Closed = 14,
}
