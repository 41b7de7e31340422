using System.Text;

namespace Cloister.Inference.Generation;

/// <summary>Makes text of tokens' bytes as they come: never half a code point, and never the beginning of what may become a stop. What it holds back is wiped at its end.</summary>
internal sealed class TextAssembler(IReadOnlyList<string> stops) : IDisposable
{
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private char[] _held = new char[256];
    private int _count;

    /// <summary>A stop has been met: nothing follows.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The text that is certain now.</summary>
    public string Add(ReadOnlySpan<byte> bytes) => Take(bytes, flush: false);

    /// <summary>What was held back, at the end.</summary>
    public string Finish() => IsStopped ? "" : Take([], flush: true);

    public void Dispose()
    {
        Array.Clear(_held);
        _count = 0;
        _decoder.Reset();
    }

    private string Take(ReadOnlySpan<byte> bytes, bool flush)
    {
        Reserve(bytes.Length + 2);
        _count += _decoder.GetChars(bytes, _held.AsSpan(_count), flush);
        var text = _held.AsSpan(0, _count);
        if (FirstStop(text) is >= 0 and var stop)
        {
            IsStopped = true;
            string before = new(text[..stop]);
            Dispose();
            return before;
        }

        string certain = new(text[..(flush ? text.Length : text.Length - Uncertain(text))]);
        text[certain.Length..].CopyTo(text);
        _count -= certain.Length;
        text[_count..].Clear();
        return certain;
    }

    private void Reserve(int more)
    {
        if (_held.Length - _count < more)
        {
            char[] outgrown = _held;
            _held = new char[2 * (_count + more)];
            outgrown.CopyTo(_held, 0);
            Array.Clear(outgrown);
        }
    }

    private int FirstStop(ReadOnlySpan<char> text)
    {
        int first = -1;
        foreach (string stop in stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }
        return first;
    }

    // The longest end of the text that is the beginning of a stop.
    private int Uncertain(ReadOnlySpan<char> text)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(text.Length, stop.Length - 1); length > longest; length--)
            {
                if (stop.AsSpan().StartsWith(text[^length..], StringComparison.Ordinal))
                {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
