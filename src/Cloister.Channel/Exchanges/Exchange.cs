using Nerdbank.Streams;

namespace Cloister.Channel.Exchanges;

/// <summary>Many exchanges over one sealed stream (docs/spec/exchanges.md, section 1).</summary>
public static class Exchanges
{
    /// <summary>Exchanges in progress on one session.</summary>
    public const int MaxConcurrent = 64;

    /// <summary>Bytes that an exchange's receiver lets its sender be ahead.</summary>
    public const int Window = 256 * 1024;

    /// <summary>Names a request; the enclave answers a name once.</summary>
    public const string RequestField = "cloister-request";

    /// <summary>Makes an answer resumable, and is needed to resume it.</summary>
    public const string ResumeField = "cloister-resume";

    /// <summary>How many bytes of an answer's content the client has.</summary>
    public const string OffsetField = "cloister-offset";

    /// <summary>Where a cut answer goes on: this and the request's name.</summary>
    public const string AnswersPath = "/cloister/v1/answers/";

    /// <summary>How long an answer is kept for a client that was cut off.</summary>
    public static readonly TimeSpan ResumeWindow = TimeSpan.FromMinutes(2);

    /// <summary>Both sides start at once: version 3 of the protocol exchanges nothing before the first channel.</summary>
    public static MultiplexingStream Multiplex(Stream stream, EventHandler<MultiplexingStream.ChannelOfferEventArgs>? offered = null)
    {
        var options = new MultiplexingStream.Options
        {
            ProtocolMajorVersion = 3,
            DefaultChannelReceivingWindowSize = Window,
        };
        var multiplexer = MultiplexingStream.Create(stream, Starting(options));
        if (offered is not null)
        {
            multiplexer.ChannelOffered += offered;
        }
        multiplexer.StartListening();
        return multiplexer;
    }

    // Listening waits until the handler is in place, or an early offer would be missed.
    private static MultiplexingStream.Options Starting(MultiplexingStream.Options options) => new(options) { StartSuspended = true };
}
