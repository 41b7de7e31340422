using System.Text.Json;

namespace Cloister.Vault.Exchange;

/// <summary>What is next in a stream.</summary>
internal enum PieceState : byte
{
    NeedsMore = 0,
    Piece = 1,
    End = 2,
    Malformed = 3,
    TooLong = 4,
}

/// <summary>Reads a stream piece by piece and holds no more than one piece and what was read with it.</summary>
internal abstract class Pieces(Stream stream, int max)
{
    private const int FirstSize = 64 << 10;

    private byte[] _buffer = new byte[FirstSize];
    private int _start;
    private int _end;
    private bool _isLast;

    /// <summary>Counts pieces from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>The next piece, the end, or what is wrong; never <see cref="PieceState.NeedsMore"/>.</summary>
    public async ValueTask<PieceState> NextAsync(CancellationToken cancellationToken)
    {
        Number++;
        while (true)
        {
            var state = Find(_buffer.AsSpan(_start, _end - _start), _isLast, out var piece, out int next);
            if (state is not PieceState.NeedsMore)
            {
                Current = state is PieceState.Piece ? _buffer.AsMemory(_start..)[piece] : default;
                _start += next;
                return Current.Length > max ? PieceState.TooLong : state;
            }
            if (_isLast)
            {
                return PieceState.Malformed;
            }
            if (_start == 0 && _end == _buffer.Length && _buffer.Length > max)
            {
                return PieceState.TooLong;
            }
            await FillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What comes first in the stream, a byte order mark and spaces aside; 0 where nothing does.</summary>
    public async ValueTask<byte> PeekAsync(CancellationToken cancellationToken)
    {
        await FillAsync(cancellationToken).ConfigureAwait(false);
        _start += _buffer.AsSpan(_start, _end - _start).StartsWith("\uFEFF"u8) ? 3 : 0;
        int at = Ahead.IndexOfAnyExcept(" \t\r\n"u8);
        return at < 0 ? (byte)0 : _buffer[_start + at];
    }

    /// <summary>What was read and is still to come.</summary>
    public ReadOnlySpan<byte> Ahead => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Goes on with what another reader of the same stream has already taken from it.</summary>
    public void Continue(Pieces other) => (_buffer, _start, _end, _isLast) = (other._buffer, other._start, other._end, other._isLast);

    /// <summary>Finds the next piece in bytes that begin where the last one ended. They are all that is left where <paramref name="isLast"/>.</summary>
    protected abstract PieceState Find(ReadOnlySpan<byte> bytes, bool isLast, out Range piece, out int next);

    // Until the buffer is full: looking through it again is paid for by twice as many bytes.
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        byte[] room = _start == 0 && _end == _buffer.Length ? new byte[2 * _buffer.Length] : _buffer;
        Buffer.BlockCopy(_buffer, _start, room, 0, _end - _start);
        (_buffer, _start, _end) = (room, 0, _end - _start);
        int read = await stream.ReadAtLeastAsync(_buffer.AsMemory(_end), _buffer.Length - _end, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        _isLast = _end + read < _buffer.Length;
        _end += read;
    }
}

/// <summary>Lines, the empty ones included.</summary>
internal sealed class Lines(Stream stream, int max) : Pieces(stream, max)
{
    protected override PieceState Find(ReadOnlySpan<byte> bytes, bool isLast, out Range piece, out int next)
    {
        int end = bytes.IndexOf((byte)'\n');
        int length = end < 0 ? bytes.Length : end;
        (piece, next) = (0..length, end < 0 ? length : end + 1);
        return end >= 0 || (isLast && length > 0) ? PieceState.Piece : isLast ? PieceState.End : PieceState.NeedsMore;
    }
}

/// <summary>The elements of a JSON array.</summary>
internal sealed class ArrayElements(Stream stream, int max) : Pieces(stream, max)
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = LenientJson.MaxDepth };

    private bool _afterElement;

    protected override PieceState Find(ReadOnlySpan<byte> bytes, bool isLast, out Range piece, out int next)
    {
        (piece, next) = (default, 0);
        int at = Skip(bytes, 0);
        if (at < bytes.Length && bytes[at] == (_afterElement ? (byte)',' : (byte)'['))
        {
            at = Skip(bytes, at + 1);
            return at < bytes.Length && bytes[at] == (byte)']' && !_afterElement ? End(bytes[(at + 1)..]) : Element(bytes, at, isLast, out piece, out next);
        }
        return at == bytes.Length                              ? PieceState.NeedsMore
            : _afterElement && bytes[at] == (byte)']'          ? End(bytes[(at + 1)..])
            : PieceState.Malformed;
    }

    private PieceState Element(ReadOnlySpan<byte> bytes, int start, bool isLast, out Range piece, out int next)
    {
        (piece, next) = (default, 0);
        var reader = new Utf8JsonReader(bytes[start..], isFinalBlock: false, new JsonReaderState(Options));
        try
        {
            // A number or a word that the bytes end with may go on: nothing is an element before something follows it.
            if (!reader.Read() || !reader.TrySkip() || start + (int)reader.BytesConsumed == bytes.Length)
            {
                return isLast ? PieceState.Malformed : PieceState.NeedsMore;
            }
        }
        catch (JsonException)
        {
            return PieceState.Malformed;
        }
        _afterElement = true;
        next = start + (int)reader.BytesConsumed;
        piece = start..next;
        return PieceState.Piece;
    }

    // Nothing but spaces may follow, as far as was read.
    private static PieceState End(ReadOnlySpan<byte> rest) => Skip(rest, 0) < rest.Length ? PieceState.Malformed : PieceState.End;

    private static int Skip(ReadOnlySpan<byte> bytes, int at)
    {
        int other = bytes[at..].IndexOfAnyExcept(" \t\r\n"u8);
        return other < 0 ? bytes.Length : at + other;
    }
}
