using Cloister.Channel;
using Cloister.Channel.Exchanges;
using Microsoft.AspNetCore.Hosting.Server;
using Nerdbank.Streams;

namespace Cloister.Enclave.SealedServer;

/// <summary>One session: accepts the client's exchanges and runs each on its own.</summary>
internal sealed class SealedConnection<TContext>(
    SealedStream stream, IHttpApplication<TContext> application, SealedServerOptions options, AnswerMemory answers, ReplayWindow replays) where TContext : notnull
{
    // Twice what a client may begin: one that has ended for the client may still be ending here.
    private const int MaxRunning = 2 * Exchanges.MaxConcurrent;

    private int _running;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // An idle session costs a socket and its keys: what multiplexes is made when the first byte comes.
        _ = await stream.ReadAsync(Memory<byte>.Empty, cancellationToken);

        await using var multiplexer = Exchanges.Multiplex(stream, Offered);
        await multiplexer.Completion.WaitAsync(cancellationToken);
    }

    private void Offered(object? sender, MultiplexingStream.ChannelOfferEventArgs offer)
    {
        var multiplexer = (MultiplexingStream)sender!;
        if (Interlocked.Increment(ref _running) > MaxRunning)
        {
            Interlocked.Decrement(ref _running);
            multiplexer.RejectChannel(offer.QualifiedId.Id);
            return;
        }
        _ = RunAsync(multiplexer.AcceptChannel(offer.QualifiedId.Id));
    }

    private async Task RunAsync(MultiplexingStream.Channel channel)
    {
        // Off the thread that reads the session's records.
        await Task.Yield();
        try
        {
            using var answer = stream.BeginAnswer();
            await new SealedExchange<TContext>(channel, application, options, answers, replays, () => stream.IsLost).RunAsync();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException or ObjectDisposedException)
        {
            // Malformed, cut off or cancelled: this exchange is over, the session goes on.
        }
        finally
        {
            channel.Dispose();
            Interlocked.Decrement(ref _running);
        }
    }
}
