namespace Cloister.Channel.Noise;

/// <summary>A handshake pattern with its modifiers applied: what each side knows before, and the tokens of each message.</summary>
internal sealed class HandshakePattern
{
    private HandshakePattern(bool initiatorIsKnown, bool responderIsKnown, List<HandshakeToken[]> messages)
    {
        (InitiatorIsKnown, ResponderIsKnown) = (initiatorIsKnown, responderIsKnown);
        Messages = [.. messages];
        HasPsk = messages.Any(message => message.Contains(HandshakeToken.Psk));
    }

    /// <summary>The responder holds the initiator's static key before the first message.</summary>
    public bool InitiatorIsKnown { get; }

    /// <summary>The initiator holds the responder's static key before the first message.</summary>
    public bool ResponderIsKnown { get; }

    /// <summary>The initiator sends the first, and then they alternate.</summary>
    public IReadOnlyList<HandshakeToken[]> Messages { get; }

    public bool HasPsk { get; }

    /// <summary>Reads a name such as <c>XX</c>, <c>NKhfs</c> or <c>IKpsk0+psk2</c>.</summary>
    /// <exception cref="FormatException">No such pattern or modifier.</exception>
    public static HandshakePattern Parse(string name)
    {
        int end = name.AsSpan().IndexOfAnyInRange('a', 'z') is var first and >= 0 ? first : name.Length;
        string text = PatternTable.Text.GetValueOrDefault(name[..end]) ?? throw new FormatException($"There is no pattern {name[..end]}.");

        var (initiatorIsKnown, responderIsKnown, messages) = Read(text);
        foreach (string modifier in name[end..].Split('+', StringSplitOptions.RemoveEmptyEntries))
        {
            Apply(modifier, messages);
        }
        return new(initiatorIsKnown, responderIsKnown, messages);
    }

    private static (bool, bool, List<HandshakeToken[]>) Read(string text)
    {
        var (before, after) = text.Split(" ... ") is [var known, var rest] ? (known, rest) : ("", text);
        var messages = after.Split(["->", "<-"], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(message => message.Split(", ").Select(token => Enum.Parse<HandshakeToken>(token, ignoreCase: true)).ToArray());

        return (before.Contains("-> s", StringComparison.Ordinal), before.Contains("<- s", StringComparison.Ordinal), [.. messages]);
    }

    private static void Apply(string modifier, List<HandshakeToken[]> messages)
    {
        switch (modifier)
        {
            // Noise rev 34, section 9.4: psk0 starts the first message, psk1 ends the first, psk2 the second, and so on.
            case "psk0":
                messages[0] = [HandshakeToken.Psk, .. messages[0]];
                break;

            case ['p', 's', 'k', >= '1' and <= '9' and var digit] when digit - '0' <= messages.Count:
                messages[digit - '1'] = [.. messages[digit - '1'], HandshakeToken.Psk];
                break;

            // noise_hfs rev 1, section 5: e1 follows the first e, or the first DH of that message so that it is encrypted;
            // ekem1 follows the first ee.
            case "hfs":
                InsertAfterFirst(messages, HandshakeToken.Ee, HandshakeToken.Ekem1);
                var firstDh = messages[0].FirstOrDefault(HandshakeTokens.IsDiffieHellman, HandshakeToken.E);
                InsertAfterFirst(messages, firstDh, HandshakeToken.E1);
                break;

            default:
                throw new FormatException($"There is no modifier {modifier}.");
        }
    }

    private static void InsertAfterFirst(List<HandshakeToken[]> messages, HandshakeToken anchor, HandshakeToken token)
    {
        int message = messages.FindIndex(tokens => tokens.Contains(anchor));
        int place = Array.IndexOf(messages[message], anchor) + 1;
        messages[message] = [.. messages[message][..place], token, .. messages[message][place..]];
    }
}
