using System.Text;
using Cloister.Vault.History;

namespace Cloister.Web.Talk;

/// <summary>How a turn stands. In the last three what had arrived is kept.</summary>
public enum TurnState { Waiting, Answering, Complete, Stopped, Lost, Failed }

/// <summary>One question and its answer.</summary>
/// <param name="question">Null where an imported conversation has an answer to nothing.</param>
public sealed class Turn(Message? question)
{
    private readonly StringBuilder _answer = new();
    private string? _text;

    public string Question => question?.Text ?? "";

    /// <summary>Null where there is none.</summary>
    public Message? Asked => question;

    /// <summary>The answer as a message; null until there is one.</summary>
    public Message? Answered { get; private set; }

    public string Answer => _text ??= _answer.ToString();

    public TurnState State { get; private set; }

    /// <summary>Why it ended as it did, as a sentence. Null where it ended well.</summary>
    public string? Note { get; private set; }

    public bool IsInProgress => State is TurnState.Waiting or TurnState.Answering;

    /// <summary>Raised with every piece that arrives and at the end.</summary>
    public event Action? Changed;

    /// <summary>A turn as it was kept.</summary>
    public static Turn Of(Message? question, Message? answer)
    {
        var turn = new Turn(question);
        if (answer is null)
        {
            turn.End(TurnState.Lost, "There is no answer to this.");
            return turn;
        }
        turn.Add(answer.Text);
        turn.Answered = answer;
        var (state, note) = answer.State switch
        {
            MessageState.Stopped => (TurnState.Stopped, "You stopped this answer."),
            MessageState.Failed  => (TurnState.Lost, "This answer broke off. What had arrived is kept, but it is not whole."),
            _                    => (TurnState.Complete, (string?)null),
        };
        turn.End(state, note);
        return turn;
    }

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

    /// <summary>The answer has become a message.</summary>
    public void Keep(Message answer) => Answered = answer;
}
