using Cloister.Channel.Exchanges;

namespace Cloister.Client;

/// <summary>An answer that has begun: where it arrives from, and its head.</summary>
internal sealed record ArrivingAnswer(Exchange Exchange, BinaryHttpReader Reader, ResponseHead Head, EnclaveSession Session)
{
    /// <summary>Its session was cut. Nobody let go of anything, so the enclave may still have it.</summary>
    public bool WasLost => Exchange.Fault is ExchangeFault.SessionLost or ExchangeFault.SessionClosed;
}
