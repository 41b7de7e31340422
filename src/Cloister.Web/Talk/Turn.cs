using System.Text;

namespace Cloister.Web.Talk;

/// <summary>How a turn stands. In the last three what had arrived is kept.</summary>
public enum TurnState { Waiting, Answering, Complete, Stopped, Lost, Failed }

/// <summary>One question and its answer.</summary>
public sealed class Turn(string question)
{
    private readonly StringBuilder _answer = new();
    private string? _text;

    public string Question => question;

    public string Answer => _text ??= _answer.ToString();

    public TurnState State { get; private set; }

    /// <summary>Why it ended as it did, as a sentence. Null where it ended well.</summary>
    public string? Note { get; private set; }

    public bool IsInProgress => State is TurnState.Waiting or TurnState.Answering;

    /// <summary>Raised with every piece that arrives and at the end.</summary>
    public event Action? Changed;

    public void Add(string piece)
    {
        _answer.Append(piece);
        _text = null;
        State = TurnState.Answering;
        Changed?.Invoke();
    }

    public void End(TurnState state, string? note = null)
    {
        (State, Note) = (state, note);
        Changed?.Invoke();
    }
}
