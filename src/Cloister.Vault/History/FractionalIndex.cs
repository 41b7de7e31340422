using System.Diagnostics.CodeAnalysis;

namespace Cloister.Vault.History;

/// <summary>A place in an order that a user made (docs/spec/vault.md, section 6): letters <c>0-9A-Za-z</c>, read as the digits of a fraction. Between any two there is another.</summary>
/// <remarks>At the ends the digits count: moving to the end again and again makes it longer with the logarithm of how often.</remarks>
public readonly record struct FractionalIndex : IComparable<FractionalIndex>
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private readonly string? _text;

    private FractionalIndex(string text) => _text = text;

    /// <summary>The place of the first thing in an order.</summary>
    public static FractionalIndex First { get; } = new("V");

    /// <summary>False for other letters, none at all, and a 0 at the end.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out FractionalIndex index)
    {
        bool parsed = text is { Length: > 0 } && text.All(char.IsAsciiLetterOrDigit) && text[^1] != '0';
        index = parsed ? new(text!) : default;
        return parsed;
    }

    /// <summary>A place after <paramref name="before"/> and before <paramref name="after"/>; null is the end of the order.</summary>
    /// <exception cref="ArgumentException">They are not in this order, or they are equal: see <see cref="Spread"/>.</exception>
    public static FractionalIndex Between(FractionalIndex? before, FractionalIndex? after) => (before, after) switch
    {
        (null, null) => First,
        ({ } low, null) => new(Next(low.ToString())),
        (null, { } high) => new(Previous(high.ToString())),
        ({ } low, { } high) when low < high => new(Middle(low.ToString(), high.ToString())),
        _ => throw new ArgumentException("Between two equal places there is none.", nameof(after)),
    };

    /// <summary><paramref name="count"/> places between two: for several things at once, or to tell apart what two devices put at the same place.</summary>
    public static IReadOnlyList<FractionalIndex> Spread(FractionalIndex? before, FractionalIndex? after, int count)
    {
        var places = new FractionalIndex[count];
        Fill(before, after, places);
        return places;
    }

    /// <summary>What has no place comes last.</summary>
    public static int Compare(FractionalIndex? one, FractionalIndex? other) => (one, other) switch
    {
        ({ } a, { } b) => a.CompareTo(b),
        _              => other.HasValue.CompareTo(one.HasValue),
    };

    public int CompareTo(FractionalIndex other) => string.CompareOrdinal(ToString(), other.ToString());

    public static bool operator <(FractionalIndex left, FractionalIndex right) => left.CompareTo(right) < 0;

    public static bool operator >(FractionalIndex left, FractionalIndex right) => left.CompareTo(right) > 0;

    public static bool operator <=(FractionalIndex left, FractionalIndex right) => left.CompareTo(right) <= 0;

    public static bool operator >=(FractionalIndex left, FractionalIndex right) => left.CompareTo(right) >= 0;

    public override string ToString() => _text ?? "";

    // At the end: as many letters z as there are in front, and one letter more, are a number to count up. When its own first letter becomes a z,
    // the next number is two letters longer in all, and lasts 62 times as long.
    private static string Next(string last)
    {
        int full = last.Length - last.AsSpan().TrimStart('z').Length;
        char[] digits = [.. last.PadRight((2 * full) + 1, '0').AsSpan(0, (2 * full) + 1)];
        int at = 2 * full;
        for (; digits[at] == 'z'; at--)
        {
            digits[at] = '0';
        }
        digits[at] = Digits[Digits.IndexOf(digits[at]) + 1];
        return new string(digits).TrimEnd('0');
    }

    // At the beginning: the same with 0, counting down. What was cut off makes it smaller already.
    private static string Previous(string first)
    {
        int empty = first.Length - first.AsSpan().TrimStart('0').Length;
        char[] digits = [.. first.PadRight((2 * empty) + 1, '0').AsSpan(0, (2 * empty) + 1)];
        if (first.Length <= digits.Length)
        {
            int at = 2 * empty;
            for (; digits[at] == '0'; at--)
            {
                digits[at] = 'z';
            }
            digits[at] = Digits[Digits.IndexOf(digits[at]) - 1];
        }
        return digits[empty] == '0' ? new string('0', empty + 1) + new string('z', empty + 2) : new string(digits).TrimEnd('0');
    }

    // Digit by digit: the part in common, then a digit between the first that differ, or one more digit behind the smaller.
    private static string Middle(string low, string high)
    {
        int common = 0;
        while (common < high.Length && (common < low.Length ? low[common] : '0') == high[common])
        {
            common++;
        }
        string prefix = high[..common];
        int from = common < low.Length ? Digits.IndexOf(low[common]) : 0;
        int to = Digits.IndexOf(high[common]);
        if (to - from > 1)
        {
            return prefix + Digits[(from + to) / 2];
        }
        if (common + 1 < high.Length)
        {
            return prefix + high[common];
        }
        string rest = common + 1 < low.Length ? low[(common + 1)..] : "";
        return prefix + Digits[from] + Above(rest);
    }

    // More than the digits given, less than one.
    private static string Above(string digits)
    {
        int full = digits.Length - digits.AsSpan().TrimStart('z').Length;
        int next = full < digits.Length ? Digits.IndexOf(digits[full]) : 0;
        return new string('z', full) + Digits[(next + Digits.Length + 1) / 2];
    }

    private static void Fill(FractionalIndex? before, FractionalIndex? after, Span<FractionalIndex> places)
    {
        if (places.IsEmpty)
        {
            return;
        }
        int half = places.Length / 2;
        places[half] = Between(before, after);
        Fill(before, places[half], places[..half]);
        Fill(places[half], after, places[(half + 1)..]);
    }
}
