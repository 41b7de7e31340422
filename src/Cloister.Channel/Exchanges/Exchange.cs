using System.Diagnostics;
using System.IO.Pipelines;

namespace Cloister.Channel.Exchanges;

/// <summary>One request and its answer on a session that carries many (docs/spec/exchanges.md, section 1). One reader and one writer at a time.</summary>
/// <remarks>
/// Read it with a <see cref="BinaryHttpReader"/> and write it with a <see cref="BinaryHttpWriter"/>. Whoever loses interest before the end
/// must <see cref="Abandon"/> it, or it keeps its place on the session.
/// </remarks>
public sealed class Exchange
{
    private readonly Multiplexer _multiplexer;
    private readonly IDisposable? _answer;
    private readonly Pipe _received = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly TaskCompletionSource<ExchangeFault> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();

    // All of these under the gate.
    private int _credit = Exchanges.Window;          // what the peer still lets us send
    private int _allowance = Exchanges.Window;       // what we still let the peer send
    private int _consumed;                           // what was read and not yet acknowledged
    private TaskCompletionSource? _creditWanted;
    private bool _receivedAll;
    private bool _sentAll;
    private bool _terminated;                        // we have said that it is over
    private ExchangeFault _fault;

    internal Exchange(Multiplexer multiplexer, IDisposable? answer)
    {
        (_multiplexer, _answer) = (multiplexer, answer);
        Input = new ConsumedReader(_received.Reader, this);
    }

    /// <summary>What the peer sends. It ends with the message, or early: then <see cref="Fault"/> says why.</summary>
    public PipeReader Input { get; }

    /// <summary>Why it ended before its end, if it did.</summary>
    public ExchangeFault Fault
    {
        get
        {
            lock (_gate)
            {
                return _fault;
            }
        }
    }

    /// <summary>
    /// Completes when nothing more will happen: with <see cref="ExchangeFault.None"/> when both sides have said all and the peer has let go
    /// of it, which is when it has received everything.
    /// </summary>
    public Task<ExchangeFault> Completion => _completion.Task;

    /// <summary>Something of it may have left.</summary>
    public bool HasBegun => Id != 0;

    /// <summary>0 until it was offered.</summary>
    internal ulong Id { get; set; }

    /// <summary>The peer knows that it was accepted.</summary>
    internal bool IsAccepted { get; set; }

    /// <summary>Lets go of it: what is under way ends, and the peer stops. Without effect after its end.</summary>
    public void Abandon()
    {
        bool tell;
        lock (_gate)
        {
            if (_completion.Task.IsCompleted)
            {
                return;
            }
            tell = !_terminated;
            (_terminated, _fault) = (true, ExchangeFault.Abandoned);
        }
        _multiplexer.Remove(this, tell);
        End(ExchangeFault.Abandoned);
    }

    internal ValueTask SendAsync(Outgoing data, bool last, CancellationToken cancellationToken) => _multiplexer.SendAsync(this, data, last, cancellationToken);

    /// <exception cref="ExchangeException">It is over.</exception>
    internal void ThrowIfOver()
    {
        lock (_gate)
        {
            if (_fault is not ExchangeFault.None || _terminated)
            {
                throw new ExchangeException(_fault is ExchangeFault.None ? ExchangeFault.Cancelled : _fault);
            }
        }
    }

    /// <summary>Waits until the peer's window has room, and takes up to that much of it.</summary>
    internal ValueTask<int> TakeCreditAsync(int wanted, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            int taken = Math.Min(wanted, _credit);
            _credit -= taken;
            return taken > 0 ? ValueTask.FromResult(taken) : WaitForCreditAsync(wanted, cancellationToken);
        }
    }

    internal void ReturnCredit(int count)
    {
        lock (_gate)
        {
            _credit += count;
        }
    }

    /// <summary>All is written. An enclave's exchange is over for its side then; a client's when the answer has come.</summary>
    /// <returns>The peer is to be told, in the same breath, that we let go of it.</returns>
    internal bool SentAll(bool thenLetGo)
    {
        lock (_gate)
        {
            _sentAll = true;
            bool letGo = (thenLetGo || _receivedAll) && !_terminated;
            _terminated |= letGo;
            return letGo;
        }
    }

    internal void StopAnswer() => _answer?.Dispose();

    /// <summary>Content from the peer.</summary>
    internal MultiplexingFault Announce(int length)
    {
        lock (_gate)
        {
            _allowance -= length;
            return _allowance < 0 ? MultiplexingFault.BadWindow : _receivedAll ? MultiplexingFault.OutOfOrder : MultiplexingFault.None;
        }
    }

    internal void Receive(ReadOnlySpan<byte> content)
    {
        lock (_gate)
        {
            if (!_receivedAll && _fault is ExchangeFault.None)
            {
                content.CopyTo(_received.Writer.GetSpan(content.Length));
                _received.Writer.Advance(content.Length);
            }
        }
    }

    internal void Deliver()
    {
        lock (_gate)
        {
            if (!_receivedAll && _fault is ExchangeFault.None)
            {
                // It never waits: the window bounds what gathers, and the reader goes on elsewhere.
                var flushed = _received.Writer.FlushAsync();
                Debug.Assert(flushed.IsCompleted);
            }
        }
    }

    /// <summary>The peer has written all.</summary>
    /// <returns>Both sides have: it is over, and the peer is to be told.</returns>
    internal bool ReceivedAll(out MultiplexingFault fault)
    {
        lock (_gate)
        {
            fault = _receivedAll ? MultiplexingFault.OutOfOrder : MultiplexingFault.None;
            if (!_receivedAll && _fault is ExchangeFault.None)
            {
                _received.Writer.Complete();
            }
            _receivedAll = true;
            bool over = _sentAll && !_terminated;
            _terminated |= over;
            return over;
        }
    }

    /// <summary>The peer lets go of it.</summary>
    /// <returns>It is to be told that we do too.</returns>
    internal bool Terminated(out ExchangeFault fault)
    {
        lock (_gate)
        {
            bool tell = !_terminated;
            _terminated = true;
            fault = _multiplexer.IsClient
                ? _receivedAll ? ExchangeFault.None : IsAccepted ? ExchangeFault.Cancelled : ExchangeFault.Rejected
                : _sentAll ? ExchangeFault.None : ExchangeFault.Cancelled;
            return tell;
        }
    }

    /// <summary>The peer has read so much, or accepts with a larger window.</summary>
    internal MultiplexingFault AddCredit(ulong count)
    {
        TaskCompletionSource? wanted;
        lock (_gate)
        {
            if (count > (ulong)(int.MaxValue - _credit))
            {
                return MultiplexingFault.BadWindow;
            }
            _credit += (int)count;
            (wanted, _creditWanted) = (_creditWanted, null);
        }
        wanted?.TrySetResult();
        return MultiplexingFault.None;
    }

    internal void End(ExchangeFault fault)
    {
        TaskCompletionSource? wanted;
        lock (_gate)
        {
            if (_completion.Task.IsCompleted)
            {
                return;
            }
            _fault = fault;
            if (!_receivedAll)
            {
                _received.Writer.Complete();
            }
            (wanted, _creditWanted) = (_creditWanted, null);
            _completion.SetResult(fault);
        }
        wanted?.TrySetResult();
        StopAnswer();
    }

    private async ValueTask<int> WaitForCreditAsync(int wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                ThrowIfOver();
                int taken = Math.Min(wanted, _credit);
                if (taken > 0)
                {
                    _credit -= taken;
                    return taken;
                }
                _creditWanted ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _creditWanted.Task;
            }
            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // The peer's window opens again in steps of a quarter, so that small reads cost no frame each.
    private void Consumed(long count)
    {
        int acknowledged = 0;
        lock (_gate)
        {
            _consumed += (int)count;
            if (_consumed >= Exchanges.Window / 4 && !_receivedAll && !_terminated)
            {
                (acknowledged, _consumed) = (_consumed, 0);
                _allowance += acknowledged;
            }
        }
        if (acknowledged > 0)
        {
            _multiplexer.Acknowledge(this, acknowledged);
        }
    }

    /// <summary>Tells the exchange how much its owner has read.</summary>
    private sealed class ConsumedReader(PipeReader inner, Exchange exchange) : PipeReader
    {
        private System.Buffers.ReadOnlySequence<byte> _shown;

        public override bool TryRead(out ReadResult result)
        {
            bool read = inner.TryRead(out result);
            _shown = result.Buffer;
            return read;
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var reading = inner.ReadAsync(cancellationToken);
            return reading.IsCompletedSuccessfully ? ValueTask.FromResult(Show(reading.Result)) : ShowAsync(reading);
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            long count = _shown.Slice(0, consumed).Length;
            _shown = default;
            inner.AdvanceTo(consumed, examined);
            if (count > 0)
            {
                exchange.Consumed(count);
            }
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<ReadResult> ShowAsync(ValueTask<ReadResult> reading) => Show(await reading.ConfigureAwait(false));

        private ReadResult Show(ReadResult result)
        {
            _shown = result.Buffer;
            return result;
        }
    }
}
