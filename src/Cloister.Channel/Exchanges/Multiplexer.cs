using System.Buffers;
using System.Runtime.CompilerServices;

namespace Cloister.Channel.Exchanges;

/// <summary>Many exchanges over one stream: the MultiplexingStream protocol, version 3, as docs/spec/exchanges.md, section 1, narrows it.</summary>
/// <remarks>
/// Whatever the peer sends, memory stays bounded: by the window of each exchange, by their number, and by <see cref="MaxControl"/>.
/// A fault of the peer's ends the session. It owns the stream.
/// </remarks>
public sealed class Multiplexer : IAsyncDisposable
{
    // Ours to choose: what is owed to a peer that does not read. An honest one is told some dozens of bytes per exchange.
    private const int MaxControl = 16 * 1024;

    // Ours to choose: the data of one record.
    private const int ReadLength = 16 * 1024;

    private readonly Stream _stream;
    private readonly Func<Exchange, bool>? _offered;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly TaskCompletionSource<ExchangeFault> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();

    // Under the gate.
    private readonly Dictionary<ulong, Exchange> _exchanges = [];
    private Outgoing _control = new();
    private ulong _highest;
    private ExchangeFault _ended;

    // Only the receiving loop's.
    private Exchange? _receiving;
    private int _contentLeft;

    private Multiplexer(Stream stream, Func<Exchange, bool>? offered)
    {
        (_stream, _offered) = (stream, offered);
        _ = ReceiveAsync();
    }

    /// <summary>What the peer did wrong, if the session ended for that.</summary>
    public MultiplexingFault Fault { get; private set; }

    /// <summary>Completes when the session is over: <see cref="ExchangeFault.SessionClosed"/> where the peer closed it, <see cref="ExchangeFault.SessionLost"/> where it was cut.</summary>
    public Task<ExchangeFault> Completion => _completion.Task;

    internal bool IsClient => _offered is null;

    /// <summary>The side that begins exchanges.</summary>
    public static Multiplexer ForClient(Stream stream) => new(stream, null);

    /// <summary>The side that answers.</summary>
    /// <param name="offered">Called for each exchange that the client begins, in between reading: it must return at once. False rejects it.</param>
    public static Multiplexer ForEnclave(Stream stream, Func<Exchange, bool> offered) => new(stream, offered);

    /// <summary>A new exchange. The peer hears of it with the first bytes that are written to it.</summary>
    /// <exception cref="ExchangeException">The session is over.</exception>
    public Exchange Begin()
    {
        if (!IsClient)
        {
            throw new InvalidOperationException("Only the client begins exchanges.");
        }
        ThrowIfEnded();
        return new Exchange(this, (_stream as SealedStream)?.BeginAnswer());
    }

    /// <summary>Closes the session, and with it every exchange that is in progress.</summary>
    public async ValueTask DisposeAsync()
    {
        End(ExchangeFault.Abandoned);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Sends what has gathered, in frames as long as the peer's window allows, and where it is the last, the exchange's end.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    internal async ValueTask SendAsync(Exchange exchange, Outgoing data, bool last, CancellationToken cancellationToken)
    {
        do
        {
            int length = data.Length == 0 ? 0 : await exchange.TakeCreditAsync(Math.Min(data.Length, Frame.UsualPayload), cancellationToken).ConfigureAwait(false);
            try
            {
                await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                exchange.ReturnCredit(length);
                throw;
            }

            try
            {
                // What is owed goes first: it may be what makes place for this exchange.
                await SendOwedAsync().ConfigureAwait(false);
                exchange.ThrowIfOver();
                var frames = Wrap(exchange, data, length, last && length == data.Length);

                // A half-written frame would be the end of the session, so nothing interrupts it.
                await _stream.WriteAsync(frames, CancellationToken.None).ConfigureAwait(false);
                data.Drop(frames.Length);
            }
            catch (Exception broken) when (broken is ObjectDisposedException or (IOException and not ExchangeException))
            {
                // Whoever notices first says it to all.
                End(broken is ChannelException { Fault: ChannelFault.Closed } ? ExchangeFault.SessionClosed : ExchangeFault.SessionLost);
                throw Over(exchange);
            }
            finally
            {
                _sending.Release();
            }
            Pump();
        }
        while (data.Length > 0);
    }

    internal void Acknowledge(Exchange exchange, int count)
    {
        Post(FrameCode.ContentProcessed, exchange.Id, (ulong)count);
        Pump();
    }

    internal void Remove(Exchange exchange, bool tellPeer)
    {
        bool known;
        lock (_gate)
        {
            known = _exchanges.Remove(exchange.Id);
        }
        if (known && tellPeer)
        {
            if (!IsClient && !exchange.IsAccepted)
            {
                // Letting go of an offer would be to reject it: the client would think that nothing of it was read.
                Post(FrameCode.OfferAccepted, exchange.Id, Exchanges.Window);
            }
            Post(FrameCode.ChannelTerminated, exchange.Id);
            Pump();
        }
    }

    // Puts the frames around the first bytes of what has gathered. Called by whoever has the turn to send.
    private ReadOnlyMemory<byte> Wrap(Exchange exchange, Outgoing data, int length, bool last)
    {
        bool partial = length < data.Length;
        if (last)
        {
            WriteEnd(exchange, data);
        }

        Span<byte> header = stackalloc byte[Frame.MaxControlLength];
        int total = partial ? length : data.Length;
        bool offer = exchange.Id == 0;
        if (offer && !TryRegister(exchange))
        {
            throw Over(exchange);
        }
        if (length > 0)
        {
            int written = Frame.WriteHeader(header, new(FrameCode.Content, exchange.Id, IsClient, length));
            data.Prepend(header[..written]);
            total += written;
        }
        if (offer || !exchange.IsAccepted && !IsClient)
        {
            int written = Frame.WriteControl(header, offer ? FrameCode.Offer : FrameCode.OfferAccepted, exchange.Id, IsClient, Exchanges.Window);
            data.Prepend(header[..written]);
            total += written;
            exchange.IsAccepted |= !offer;
        }
        return data.Memory[..total];
    }

    private void WriteEnd(Exchange exchange, Outgoing data)
    {
        // The enclave's exchange is over with its answer, whether or not the client has more to say.
        bool letGo = exchange.SentAll(thenLetGo: !IsClient);
        data.Advance(Frame.WriteControl(data.GetSpan(Frame.MaxControlLength), FrameCode.ContentWritingCompleted, IdToBe(exchange), IsClient));
        if (letGo)
        {
            data.Advance(Frame.WriteControl(data.GetSpan(Frame.MaxControlLength), FrameCode.ChannelTerminated, exchange.Id, IsClient));
        }
        if (!IsClient)
        {
            exchange.StopAnswer();
        }
    }

    private ulong IdToBe(Exchange exchange) => exchange.Id == 0 ? _highest + 1 : exchange.Id;

    // False where the session is over.
    private bool TryRegister(Exchange exchange)
    {
        lock (_gate)
        {
            if (_ended is ExchangeFault.None)
            {
                exchange.Id = ++_highest;
                _exchanges.Add(exchange.Id, exchange);
            }
            return _ended is ExchangeFault.None;
        }
    }

    // The session is over, and with it this exchange: it may never have been known, or its turn to be told may not have come yet.
    private ExchangeException Over(Exchange exchange)
    {
        ExchangeFault ended;
        lock (_gate)
        {
            ended = _ended;
        }
        exchange.End(ended);
        return new ExchangeException(exchange.Fault is ExchangeFault.None ? ended : exchange.Fault);
    }

    // What is owed is written by whoever has the turn; nobody waits for it.
    private void Post(FrameCode code, ulong id, ulong number = 0)
    {
        lock (_gate)
        {
            if (_control.Length <= MaxControl)
            {
                _control.Advance(Frame.WriteControl(_control.GetSpan(Frame.MaxControlLength), code, id, IsClient, number));
            }
        }
    }

    private void Pump()
    {
        if (_control.Length > 0)
        {
            _ = PumpAsync();
        }
    }

    private async Task PumpAsync()
    {
        while (_control.Length > 0 && _sending.Wait(0, CancellationToken.None))
        {
            try
            {
                await SendOwedAsync().ConfigureAwait(false);
            }
            catch (Exception broken) when (broken is IOException or ObjectDisposedException)
            {
                // The receiving loop finds out why, and says so to every exchange.
                return;
            }
            finally
            {
                _sending.Release();
            }
        }
    }

    private ValueTask SendOwedAsync() => _control.Length == 0 ? ValueTask.CompletedTask : TakeAndSendOwedAsync();

    private async ValueTask TakeAndSendOwedAsync()
    {
        Outgoing owed;
        lock (_gate)
        {
            (owed, _control) = (_control, new Outgoing());
        }
        if (owed.Length > 0)
        {
            await _stream.WriteAsync(owed.Memory, CancellationToken.None).ConfigureAwait(false);
            owed.Clear();
        }
    }

    private async Task ReceiveAsync()
    {
        byte[]? buffer = null;
        var end = ExchangeFault.SessionLost;
        try
        {
            int held = 0;
            while (Fault is MultiplexingFault.None)
            {
                if (held == 0)
                {
                    // Waits without a buffer; an idle session holds none.
                    GiveBack(ref buffer);
                    await _stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                    buffer = ArrayPool<byte>.Shared.Rent(ReadLength);
                }
                int read = await _stream.ReadAsync(buffer.AsMemory(held)).ConfigureAwait(false);
                if (read == 0)
                {
                    Fault = held > 0 || _contentLeft > 0 ? MultiplexingFault.BadFrame : MultiplexingFault.None;
                    end = held > 0 ? end : ExchangeFault.SessionClosed;
                    break;
                }

                held += read;
                Fault = Take(buffer.AsSpan(0, held), out int taken);
                buffer.AsSpan(taken, held - taken).CopyTo(buffer);
                held -= taken;
                Pump();
            }
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException or OperationCanceledException)
        {
            end = ExchangeFault.SessionLost;
        }
        finally
        {
            GiveBack(ref buffer);
            End(end);
        }
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    private static void GiveBack(ref byte[]? buffer)
    {
        if (buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
            buffer = null;
        }
    }

    // As many frames as are there. Content is handed on piece by piece, so that no frame is held.
    private MultiplexingFault Take(ReadOnlySpan<byte> source, out int taken)
    {
        taken = 0;
        var fault = MultiplexingFault.None;
        while (fault is MultiplexingFault.None && taken < source.Length)
        {
            var rest = source[taken..];
            if (_contentLeft > 0)
            {
                taken += TakeContent(rest);
                continue;
            }
            if (Frame.ReadHeader(rest, out var header, out int length) is var progress and not Progress.Done)
            {
                fault = progress is Progress.Refused ? MultiplexingFault.BadFrame : fault;
                break;
            }
            if (header.Code is FrameCode.Content)
            {
                taken += length;
                fault = BeginContent(header);
                continue;
            }
            if (header.PayloadLength > Frame.MaxControlLength - Frame.MaxHeaderLength)
            {
                fault = MultiplexingFault.BadFrame;
            }
            if (fault is not MultiplexingFault.None || rest.Length - length < header.PayloadLength)
            {
                break;
            }
            taken += length + header.PayloadLength;
            fault = Obey(header, rest.Slice(length, header.PayloadLength), source[taken..]);
        }
        if (fault is MultiplexingFault.None && _control.Length > MaxControl)
        {
            fault = MultiplexingFault.Overflow;
        }
        return fault;
    }

    private int TakeContent(ReadOnlySpan<byte> source)
    {
        int length = Math.Min(source.Length, _contentLeft);
        _contentLeft -= length;
        _receiving?.Receive(source[..length]);
        _receiving?.Deliver();
        return length;
    }

    private MultiplexingFault BeginContent(FrameHeader header)
    {
        if (header.PayloadLength == 0)
        {
            return MultiplexingFault.BadFrame;
        }
        if (Find(header, out _receiving) is var fault and not MultiplexingFault.None)
        {
            return fault;
        }
        _contentLeft = header.PayloadLength;
        return _receiving is null                       ? MultiplexingFault.None
             : IsClient && !_receiving.IsAccepted       ? MultiplexingFault.OutOfOrder
             :                                            _receiving.Announce(header.PayloadLength);
    }

    private MultiplexingFault Obey(FrameHeader header, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> next)
    {
        if (header.Code is FrameCode.Offer)
        {
            return Offered(header, payload, next);
        }
        var fault = Find(header, out var exchange);
        if (fault is not MultiplexingFault.None)
        {
            return fault;
        }
        switch (header.Code)
        {
            case FrameCode.OfferAccepted:
                return Accepted(exchange, payload);

            case FrameCode.ContentProcessed:
                return !Frame.TryReadNumber(payload, out ulong count) ? MultiplexingFault.BadFrame : exchange?.AddCredit(count) ?? MultiplexingFault.None;

            case FrameCode.ContentWritingCompleted when payload.IsEmpty:
                if (exchange?.ReceivedAll(out fault) is true)
                {
                    Remove(exchange, tellPeer: true);
                    exchange.End(ExchangeFault.None);
                }
                return fault;

            case FrameCode.ChannelTerminated when payload.IsEmpty:
                if (exchange is not null)
                {
                    // The peer is told first: its place for another is free when it hears of this, and ours when we say so.
                    bool tell = exchange.Terminated(out var ending);
                    Remove(exchange, tell);
                    exchange.End(ending);
                }
                return MultiplexingFault.None;

            case FrameCode.ContentReadingCompleted or FrameCode.ChannelWindowGrowthRequest when payload.IsEmpty:
                return MultiplexingFault.None;

            default:
                return MultiplexingFault.BadFrame;
        }
    }

    private MultiplexingFault Offered(FrameHeader header, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> next)
    {
        if (!Frame.TryReadOffer(payload, out ulong window))
        {
            return MultiplexingFault.BadFrame;
        }
        if (window < Exchanges.Window)
        {
            return MultiplexingFault.BadWindow;
        }

        Exchange exchange;
        bool hasPlace;
        lock (_gate)
        {
            if (IsClient || !header.OfferedBySender || header.Channel <= _highest)
            {
                return MultiplexingFault.OutOfOrder;
            }
            _highest = header.Channel;
            hasPlace = _exchanges.Count < Exchanges.MaxConcurrent && _ended is ExchangeFault.None;
            exchange = new Exchange(this, hasPlace ? (_stream as SealedStream)?.BeginAnswer() : null) { Id = header.Channel };
            if (hasPlace)
            {
                _exchanges.Add(exchange.Id, exchange);
            }
        }

        _ = exchange.AddCredit(Math.Min(window, int.MaxValue / 2) - Exchanges.Window);
        if (!hasPlace || !_offered!(exchange))
        {
            exchange.End(ExchangeFault.Abandoned);
            lock (_gate)
            {
                _exchanges.Remove(exchange.Id);
            }
            Post(FrameCode.ChannelTerminated, exchange.Id);
        }
        else if (Frame.ReadHeader(next, out var following, out _) is not Progress.Done || following.Code is not FrameCode.Content || following.Channel != exchange.Id)
        {
            // This client may be waiting for it. One that is not gets it with the answer's first bytes.
            exchange.IsAccepted = true;
            Post(FrameCode.OfferAccepted, exchange.Id, Exchanges.Window);
        }
        return MultiplexingFault.None;
    }

    private MultiplexingFault Accepted(Exchange? exchange, ReadOnlySpan<byte> payload)
    {
        if (!Frame.TryReadNumber(payload, out ulong window))
        {
            return MultiplexingFault.BadFrame;
        }
        if (exchange is null)
        {
            return MultiplexingFault.None;
        }
        if (!IsClient || exchange.IsAccepted)
        {
            return MultiplexingFault.OutOfOrder;
        }
        exchange.IsAccepted = true;
        return window < Exchanges.Window ? MultiplexingFault.BadWindow : exchange.AddCredit(window - Exchanges.Window);
    }

    // Null for an exchange that is over: what was under way when it ended still arrives.
    private MultiplexingFault Find(FrameHeader header, out Exchange? exchange)
    {
        lock (_gate)
        {
            exchange = null;
            bool everOffered = header.Channel <= _highest && header.OfferedBySender != IsClient;
            return everOffered && (_exchanges.TryGetValue(header.Channel, out exchange) || true) ? MultiplexingFault.None : MultiplexingFault.OutOfOrder;
        }
    }

    private void End(ExchangeFault fault)
    {
        Exchange[] left;
        lock (_gate)
        {
            if (_ended is not ExchangeFault.None)
            {
                return;
            }
            _ended = fault;
            left = [.. _exchanges.Values];
            _exchanges.Clear();
        }
        foreach (var exchange in left)
        {
            exchange.End(fault);
        }
        _completion.TrySetResult(fault);
    }

    private void ThrowIfEnded()
    {
        lock (_gate)
        {
            if (_ended is not ExchangeFault.None)
            {
                throw new ExchangeException(_ended);
            }
        }
    }
}
