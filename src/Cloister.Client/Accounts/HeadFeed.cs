using System.Text;
using System.Text.Json;

namespace Cloister.Client.Accounts;

/// <summary>Server-sent events of the operator (docs/spec/accounts.md, section 3), in bounded memory: a line that is longer than any of ours ends the feed.</summary>
internal sealed class HeadFeed(Stream body)
{
    private const int LongestLine = 256;

    // The operator says something every 20 seconds.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    private readonly byte[] _buffer = new byte[4096];
    private readonly StringBuilder _line = new();
    private int _read;
    private int _filled;

    /// <summary>The next sequence; null when the feed is over.</summary>
    public async Task<ulong?> NextAsync(CancellationToken cancellationToken)
    {
        string name = "";
        ulong? sequence = null;
        while (await LineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (line.Length == 0)
            {
                if (name == "head" && sequence is not null)
                {
                    return sequence;
                }
                (name, sequence) = ("", null);
            }
            else if (line.StartsWith("event:", StringComparison.Ordinal))
            {
                name = line["event:".Length..].Trim();
            }
            else if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                sequence = Read(line["data:".Length..]);
            }
        }
        return null;
    }

    private static ulong? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, AccountJson.Default.SequenceJson)?.Sequence;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<string?> LineAsync(CancellationToken cancellationToken)
    {
        _line.Clear();
        while (true)
        {
            if (_read == _filled && !await FillAsync(cancellationToken).ConfigureAwait(false))
            {
                return null;
            }
            char letter = (char)_buffer[_read++];
            if (letter == '\n')
            {
                return _line is [.., '\r'] ? _line.ToString(0, _line.Length - 1) : _line.ToString();
            }
            if (_line.Length == LongestLine)
            {
                return null;
            }
            _line.Append(letter);
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(LongestSilence);
        try
        {
            (_read, _filled) = (0, await body.ReadAsync(_buffer, silence.Token).ConfigureAwait(false));
            return _filled > 0;
        }
        catch (Exception fault) when (OperatorRequests.IsUnreachable(fault, cancellationToken))
        {
            return false;
        }
    }
}
