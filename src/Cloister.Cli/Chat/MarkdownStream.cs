using System.Text;
using System.Text.RegularExpressions;

namespace Cloister.Cli.Chat;

/// <summary>Writes Markdown to a terminal as it comes, piece by piece: a mark is held back only until it is clear what it is.</summary>
/// <remarks>Control characters of the text never reach the terminal: an answer cannot move the cursor or set the title.</remarks>
internal sealed partial class MarkdownStream(TextWriter terminal)
{
    private const string Reset = "\e[0m", Bold = "\e[1m", Dim = "\e[2m", Italic = "\e[3m", Code = "\e[36m";

    private readonly StringBuilder _held = new();
    private bool _atStart = true;
    private bool _fenced;
    private bool _fenceLine;
    private bool _heading;
    private bool _bold;
    private bool _italic;
    private bool _code;
    private char _last = ' ';

    public void Write(string piece)
    {
        foreach (char character in piece)
        {
            if (character == '\n')
            {
                EndLine();
            }
            else if (!char.IsControl(character) || character == '\t')
            {
                Take(character);
            }
        }
        terminal.Flush();
    }

    /// <summary>Writes what was held back and ends every style.</summary>
    public void End()
    {
        Settle(next: ' ');
        terminal.Write(Reset);
        terminal.Flush();
        (_atStart, _fenced, _fenceLine) = (true, false, false);
        ForgetStyles();
    }

    private void Take(char character)
    {
        if (_fenceLine)
        {
            terminal.Write(character);
            return;
        }
        if (_atStart)
        {
            _held.Append(character);
            if (!MayBecomeMark.IsMatch(_held.ToString()))
            {
                BeginLine();
            }
            return;
        }
        if (_fenced)
        {
            terminal.Write(character);
            return;
        }
        TakeInline(character);
    }

    private void TakeInline(char character)
    {
        if (character == '*' && !_code)
        {
            _held.Append(character);
            return;
        }
        if (_held.Length > 0)
        {
            SettleStars(character);
        }
        if (character == '`')
        {
            _code = !_code;
            ApplyStyles();
        }
        else
        {
            terminal.Write(character);
        }
        _last = character;
    }

    // What stands at the start of the line is known: the line's own style begins.
    private void BeginLine()
    {
        string start = _held.ToString();
        _held.Clear();
        _atStart = false;

        if (start.TrimStart().StartsWith("```", StringComparison.Ordinal))
        {
            (_fenced, _fenceLine) = (!_fenced, true);
            terminal.Write(Dim);
            terminal.Write(start);
            return;
        }
        if (_fenced)
        {
            terminal.Write(Code);
            terminal.Write(start);
            return;
        }

        var mark = Mark.Match(start);
        terminal.Write(mark.Groups["indent"].Value);
        if (mark.Groups["heading"].Success)
        {
            _heading = true;
            ApplyStyles();
        }
        else if (mark.Groups["item"].Success)
        {
            terminal.Write("• ");
        }
        else if (mark.Groups["quote"].Success)
        {
            terminal.Write($"{Dim}│{Reset} ");
        }
        foreach (char character in start.AsSpan(mark.Length))
        {
            TakeInline(character);
        }
    }

    private void EndLine()
    {
        Settle(next: ' ');
        terminal.Write(Reset);
        terminal.Write('\n');
        (_atStart, _fenceLine) = (true, false);
        ForgetStyles();
    }

    private void Settle(char next)
    {
        if (_atStart && _held.Length > 0)
        {
            BeginLine();
        }
        if (_held.Length > 0)
        {
            SettleStars(next);
        }
    }

    // A run of stars opens before a word and closes behind one; anything else is only stars.
    private void SettleStars(char next)
    {
        int stars = _held.Length;
        _held.Clear();
        bool strong = stars >= 2, opens = !char.IsWhiteSpace(next), closes = !char.IsWhiteSpace(_last);
        bool isOpen = strong ? _bold : _italic;
        if (stars > 3 || !(isOpen ? closes : opens))
        {
            terminal.Write(new string('*', stars));
            return;
        }
        _bold ^= strong;
        _italic ^= stars % 2 == 1;
        ApplyStyles();
    }

    private void ApplyStyles()
    {
        terminal.Write(Reset);
        terminal.Write((_bold || _heading ? Bold : "") + (_italic ? Italic : "") + (_code ? Code : ""));
    }

    private void ForgetStyles() => (_heading, _bold, _italic, _code, _last) = (false, false, false, false, ' ');

    // Everything that may still turn into a fence, a heading, an item, a quote.
    [GeneratedRegex(@"^ *(`{0,2}|#{1,6}|[-+*>])$")]
    private static partial Regex MayBecomeMark { get; }

    [GeneratedRegex(@"^(?<indent> *)((?<heading>#{1,6}) |(?<item>[-+*]) |(?<quote>>) ?)?")]
    private static partial Regex Mark { get; }
}
