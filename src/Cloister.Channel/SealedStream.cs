using Cloister.Attestation;
using Cloister.Channel.Records;
using Cloister.Channel.Shaping;
using Cloister.Primitives;

namespace Cloister.Channel;

/// <summary>
/// A duplex stream of bytes between a device and an enclave, through an operator that sees sealed records of a few sizes. Docs/spec/channel.md.
/// </summary>
/// <remarks>
/// <para>One read and one write may be under way at a time, and only the asynchronous kind. A write completes when its bytes are in
/// a record, which leaves by itself: <see cref="FlushAsync"/> has nothing to add. A zero-byte read waits for data.</para>
/// <para>A read returns 0 only after the peer's authenticated close. Any other end is a <see cref="ChannelException"/>; its cause stays in
/// <see cref="Fault"/>, the keys are wiped, and what was received so far must be treated as cut short.</para>
/// </remarks>
public sealed class SealedStream : Stream
{
    // Ours to choose: how often the two limits below are looked at. The specification gives a used key ten minutes.
    private static readonly TimeSpan ClockPeriod = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan KeyAge = TimeSpan.FromMinutes(9);

    private readonly MessageTransport _transport;
    private readonly ChannelOptions _options;
    private readonly IncomingRecords _incoming;
    private readonly OutgoingRecords _outgoing;
    private readonly SemaphoreSlim _reading = new(1);
    private readonly long _origin;
    private readonly ITimer _clock;
    private int _fault;
    private int _disposed;

    private SealedStream(MessageTransport transport, SealedSession session, PaceRule rule, ChannelOptions options)
    {
        (_transport, _options) = (transport, options);
        (Shaping, HandshakeHash) = (session.Shaping, session.HandshakeHash);
        _incoming = new IncomingRecords(transport, session.Opener, session.Shaping, options.Time);
        _outgoing = new OutgoingRecords(transport, session.Sealer, session.Shaping, rule, options.Time);
        _origin = options.Time.GetTimestamp();
        _clock = options.Time.CreateTimer(static stream => ((SealedStream)stream!).KeepTime(), this, ClockPeriod, ClockPeriod);
    }

    /// <summary>Why the session ended, if it did other than by authenticated close.</summary>
    public ChannelFault? Fault => (ChannelFault)Volatile.Read(ref _fault) is var fault and not ChannelFault.None ? fault : null;

    /// <summary>The peer's end came without an authenticated close.</summary>
    public bool Truncated => Fault is ChannelFault.Truncated;

    /// <summary>The session's name, 32 bytes: both sides have the same one and no other session has it.</summary>
    public ReadOnlyMemory<byte> HandshakeHash { get; }

    /// <summary>What both sides agreed on.</summary>
    public ShapingProfile Shaping { get; }

    /// <summary>The enclave's side: waits for a client's handshake. The stream owns the transport, also where this throws.</summary>
    /// <param name="channelKey">Stays the caller's.</param>
    /// <param name="statementHash">SHA-256 of the statement that names the key: 32 bytes.</param>
    /// <param name="options">Its shaping is the floor.</param>
    /// <exception cref="ChannelException">The peer did not complete a handshake that is acceptable.</exception>
    public static Task<SealedStream> AcceptAsync(
        MessageTransport transport, X25519PrivateKey channelKey, ReadOnlyMemory<byte> statementHash, ChannelOptions options, CancellationToken cancellationToken) =>
        ShakeHandsAsync(transport, PaceRule.Answering, options,
            limited => SealedSession.RespondAsync(transport, channelKey, statementHash, options.Shaping, limited), cancellationToken);

    /// <summary>The client's side: opens only to an enclave that was appraised. The stream owns the transport, also where this throws.</summary>
    /// <param name="options">Its shaping is what the client wants; where the enclave's floor is higher, that is asked for.</param>
    /// <exception cref="ArgumentException">The appraisal has expired.</exception>
    /// <exception cref="ChannelException">The peer did not complete a handshake: it is not that enclave, or somebody cut in.</exception>
    public static async Task<SealedStream> OpenAsync(
        MessageTransport transport, AppraisedEnclave enclave, ChannelOptions options, CancellationToken cancellationToken)
    {
        if (options.Time.GetUtcNow() >= enclave.ExpiresAt)
        {
            await transport.DisposeAsync().ConfigureAwait(false);
            throw new ArgumentException("The appraisal has expired. Appraise a newer bundle.", nameof(enclave));
        }

        var floor = enclave.Statement.Config.ShapingFloor switch
        {
            ShapingFloor.None   => ShapingProfile.None,
            ShapingFloor.Padded => ShapingProfile.Padded,
            _                   => ShapingProfile.Paced,
        };
        var asked = options.Shaping > floor ? options : options with { Shaping = floor };
        return await OpenAsync(transport, enclave.ChannelKey, enclave.StatementHash, asked, cancellationToken).ConfigureAwait(false);
    }

    // The public door takes what only an appraisal can make.
    internal static Task<SealedStream> OpenAsync(
        MessageTransport transport, X25519PublicKey channelKey, ReadOnlyMemory<byte> statementHash, ChannelOptions options, CancellationToken cancellationToken) =>
        ShakeHandsAsync(transport, PaceRule.Asking, options,
            limited => SealedSession.RequestAsync(transport, channelKey, statementHash, options.Shaping, limited), cancellationToken);

    /// <summary>
    /// From now until the returned scope is disposed an answer is in progress on this session. Under the paced profile this side's records
    /// then leave at a fixed pace, data or not, and go on doing so until a power of two of seconds has passed. The enclave opens a
    /// scope for each request that it has begun to receive, the client for each that it sends.
    /// </summary>
    public IDisposable BeginAnswer()
    {
        _outgoing.BeginAnswer();
        return new Answer(_outgoing);
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    /// <inheritdoc/>
    /// <exception cref="ChannelException">The session ended other than by the peer's authenticated close.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (!_reading.Wait(0, CancellationToken.None))
        {
            throw new InvalidOperationException("Another read is under way.");
        }
        try
        {
            while (!_incoming.HasData && !_incoming.IsClosed)
            {
                await ReceiveAsync(cancellationToken).ConfigureAwait(false);
            }
            return _incoming.Read(buffer.Span);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ChannelException">The session has ended, or the peer has closed it.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _outgoing.WriteAsync(buffer, cancellationToken);

    /// <summary>Completes at once: what was written is on its way, or leaves at the next tick.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        _outgoing.ThrowIfNotWritable();
        return Task.CompletedTask;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>
    /// Sends what waits and an authenticated close, waits shortly for the peer's, wipes the keys and disposes the transport.
    /// What the peer still sent is discarded.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Starts what <see cref="DisposeAsync"/> does and does not wait for it.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ = EndAsync();
        }
        base.Dispose(disposing);
    }

    private async Task EndAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            if (Fault is null)
            {
                await CloseAsync().ConfigureAwait(false);
            }
            Wipe(ChannelFault.None, null);
            await _transport.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        if (Fault is { } earlier)
        {
            throw new ChannelException(earlier);
        }

        ChannelFault fault;
        Exception? cause = null;
        try
        {
            fault = await _incoming.ReceiveAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is IOException or ObjectDisposedException)
        {
            (fault, cause) = (ChannelFault.Truncated, broken);
        }

        if (fault is not ChannelFault.None)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            Fail(fault, cause);
            throw new ChannelException(Fault ?? fault, cause);
        }
        if (_incoming.IsClosed)
        {
            _ = _outgoing.AnswerCloseAsync();
        }
    }

    // Whoever notices first says why. What is under way on the transport ends with it.
    private void Fail(ChannelFault fault, Exception? cause)
    {
        if (Interlocked.CompareExchange(ref _fault, (int)fault, 0) == 0)
        {
            Wipe(fault, cause);
            _ = _transport.DisposeAsync().AsTask();
        }
    }

    private void Wipe(ChannelFault fault, Exception? cause)
    {
        _clock.Dispose();
        _outgoing.Stop(fault, cause);
        _incoming.Stop();
    }

    private async Task CloseAsync()
    {
        using var limit = new CancellationTokenSource(_options.CloseTimeout, _options.Time);
        try
        {
            await _outgoing.CloseAsync().WaitAsync(limit.Token).ConfigureAwait(false);

            // Unread bytes would make a socket reset the connection and take our close with it.
            await _reading.WaitAsync(limit.Token).ConfigureAwait(false);
            _incoming.Discard();
            while (!_incoming.IsClosed && await _incoming.ReceiveAsync(limit.Token).ConfigureAwait(false) is ChannelFault.None)
            {
                _incoming.Discard();
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The peer is slow or gone. We have said all we had to say.
        }
    }

    private void KeepTime()
    {
        var last = _incoming.LastRecord > _outgoing.LastRecord ? _incoming.LastRecord : _outgoing.LastRecord;
        if (_options.Time.GetElapsedTime(_origin) - last >= _options.IdleTimeout)
        {
            _ = _outgoing.CloseAsync();
            Fail(ChannelFault.Idle, null);
        }
        else
        {
            _outgoing.RekeyIfUsedFor(KeyAge);
        }
    }

    private static async Task<SealedStream> ShakeHandsAsync(
        MessageTransport transport, PaceRule rule, ChannelOptions options,
        Func<CancellationToken, Task<(ChannelFault, SealedSession?)>> handshake, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.HandshakeTimeout, options.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        ChannelFault fault;
        Exception? cause = null;
        try
        {
            (fault, var session) = await handshake(limit.Token).ConfigureAwait(false);
            if (session is not null)
            {
                return new SealedStream(transport, session, rule, options);
            }
        }
        catch (IOException broken)
        {
            (fault, cause) = (ChannelFault.Truncated, broken);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            fault = ChannelFault.HandshakeTimeout;
        }
        catch
        {
            await transport.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await transport.DisposeAsync().ConfigureAwait(false);
        throw new ChannelException(fault, cause);
    }

    private const string OnlyAsynchronous = "A sealed stream reads and writes asynchronously only.";
    private const string OnlyForward = "A sealed stream has no length and no position.";

    public override void Flush() => _outgoing.ThrowIfNotWritable();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException(OnlyAsynchronous);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException(OnlyAsynchronous);

    public override long Length => throw new NotSupportedException(OnlyForward);

    public override long Position { get => throw new NotSupportedException(OnlyForward); set => throw new NotSupportedException(OnlyForward); }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(OnlyForward);

    public override void SetLength(long value) => throw new NotSupportedException(OnlyForward);

    private sealed class Answer(OutgoingRecords outgoing) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                outgoing.EndAnswer();
            }
        }
    }
}
