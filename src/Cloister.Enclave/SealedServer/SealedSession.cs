using Cloister.Channel;
using Cloister.Channel.Exchanges;
using Microsoft.AspNetCore.Hosting.Server;

namespace Cloister.Enclave.SealedServer;

/// <summary>One session: accepts the client's exchanges and runs each on its own.</summary>
internal sealed class SealedSession<TContext>(SealedStream stream, ServedSession session, IHttpApplication<TContext> application, Door door) where TContext : notnull
{
    // Ours to choose: one that was cancelled, or has just ended, may still be running when its place on the session is taken again.
    private const int MaxRunning = 4 * Exchanges.MaxConcurrent;

    private int _running;

    public async Task RunAsync(CancellationToken stopping)
    {
        // An idle session costs a socket and its keys: what multiplexes is made when the first byte comes.
        _ = await stream.ReadAsync(Memory<byte>.Empty, stopping);

        await using var multiplexer = Multiplexer.ForEnclave(stream, Offered);
        var ended = await multiplexer.Completion.WaitAsync(stopping);
        if (multiplexer.Fault is not MultiplexingFault.None)
        {
            door.Counters.Count(DoorCounter.SessionsMalformed);
        }
        else if (ended is ExchangeFault.SessionLost)
        {
            door.Counters.Count(DoorCounter.SessionsLost);
        }
    }

    private bool Offered(Exchange exchange)
    {
        bool taken = Interlocked.Increment(ref _running) <= MaxRunning;
        if (taken)
        {
            _ = RunAsync(exchange);
        }
        else
        {
            Interlocked.Decrement(ref _running);
            door.Counters.Count(DoorCounter.RequestsRefused);
        }
        return taken;
    }

    private async Task RunAsync(Exchange exchange)
    {
        try
        {
            await new SealedExchange<TContext>(exchange, session, application, door).RunAsync();
        }
        catch (Exception)
        {
            // Malformed, cut off, cancelled, or an application that fails where nobody can be told: it ends this exchange and nothing else.
            exchange.Abandon();
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
