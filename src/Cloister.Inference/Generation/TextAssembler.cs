using System.Text;

namespace Cloister.Inference.Generation;

/// <summary>Makes text of tokens' bytes as they come: never half a code point, and never the beginning of what may become a stop.</summary>
internal sealed class TextAssembler(IReadOnlyList<string> stops)
{
    private readonly Decoder _decoder = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private readonly StringBuilder _held = new();

    /// <summary>A stop has been met: nothing follows.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The text that is certain now.</summary>
    public string Add(ReadOnlySpan<byte> bytes) => Take(bytes, flush: false);

    /// <summary>What was held back, at the end.</summary>
    public string Finish() => IsStopped ? "" : Take([], flush: true);

    private string Take(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[bytes.Length + 2];
        _held.Append(characters, 0, _decoder.GetChars(bytes, characters, flush));
        Array.Clear(characters);

        string text = _held.ToString();
        int stop = stops.Select(one => text.IndexOf(one, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        if (stop >= 0)
        {
            IsStopped = true;
            _held.Clear();
            return text[..stop];
        }

        int certain = flush ? text.Length : text.Length - Uncertain(text);
        _held.Remove(0, certain);
        return text[..certain];
    }

    // The longest end of the text that is the beginning of a stop.
    private int Uncertain(string text)
    {
        for (int length = Math.Min(text.Length, stops.Select(stop => stop.Length - 1).DefaultIfEmpty(0).Max()); length > 0; length--)
        {
            if (stops.Any(stop => stop.AsSpan().StartsWith(text.AsSpan(text.Length - length), StringComparison.Ordinal)))
            {
                return length;
            }
        }
        return 0;
    }
}
