using System.Net;
using Cloister.Client;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Web.Proof;

namespace Cloister.Web.Talk;

/// <summary>A conversation: its turns on the branch that is shown, and the answer that is coming.</summary>
/// <remarks>Without an account it is in this page's memory and nowhere else.</remarks>
/// <param name="door">Hears of it when the enclave is out of reach or refused.</param>
/// <param name="source">Where answers come from.</param>
/// <param name="id">Which.</param>
/// <param name="history">Where it is kept; null: nowhere, until there is one.</param>
public sealed class Conversation(Door door, AnswerSource source, Identity id, UserHistory? history) : IDisposable
{
    private readonly Notebook _notebook = new(id, history);
    private readonly Dictionary<(Identity? Asked, Identity? Answered), Turn> _known = [];
    private readonly List<Turn> _turns = [];
    private CancellationTokenSource? _answering;
    private Task _asking = Task.CompletedTask;
    private bool _isAbandoned;

    public Identity Id => id;

    public IReadOnlyList<Turn> Turns => _turns;

    public bool IsAnswering => _answering is not null;

    public bool IsEmpty => _turns.Count == 0;

    /// <summary>Why something that is shown could not be kept, as a sentence.</summary>
    public string? Fault => _notebook.Fault;

    /// <summary>A turn came, went or ended.</summary>
    public event Action? Changed;

    /// <summary>A question that was not sent: it goes back to its writer.</summary>
    public event Action<string>? GivenBack;

    /// <summary>Asks at the end of what is shown.</summary>
    public Task AskAsync(string question)
    {
        if (IsAnswering || _isAbandoned)
        {
            GivenBack?.Invoke(question);
            return Task.CompletedTask;
        }
        var parent = _notebook.Branch is [.., var last] ? last.Id : (Identity?)null;
        return BeginAsync(stopping => WriteQuestionAsync(question, parent, stopping));
    }

    /// <summary>Asks in other words, beside a question that was asked before: both stay.</summary>
    public Task EditAsync(Turn turn, string question)
    {
        if (IsAnswering || _isAbandoned || turn.Asked is not { } asked)
        {
            GivenBack?.Invoke(question);
            return Task.CompletedTask;
        }
        return BeginAsync(stopping => WriteQuestionAsync(question, _notebook.Tree.Parent(asked)?.Id, stopping));
    }

    /// <summary>Asks a turn's question once more: another answer beside the one that there is.</summary>
    public Task TryAgainAsync(Turn turn)
    {
        if (IsAnswering || _isAbandoned || turn.Asked is not { } asked || !_turns.Contains(turn))
        {
            return Task.CompletedTask;
        }
        Turn[] before = [.. _turns.TakeWhile(one => one != turn)];
        return BeginAsync(stopping => RunAnswerAsync(asked, before, isNew: false, stopping));
    }

    /// <summary>Stops the answer in progress, also in the enclave. What has arrived is kept.</summary>
    public void Stop() => _answering?.Cancel();

    /// <summary>Ends it for good: what is coming is stopped, and nothing of it is kept or given back. When this returns nothing more is written.</summary>
    public async Task AbandonAsync()
    {
        _isAbandoned = true;
        Stop();
        await _asking.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A message and what stands beside it, in order.</summary>
    public IReadOnlyList<Message> Siblings(Message message) => [.. _notebook.Tree.Siblings(_notebook.Tree.Find(message.Id) ?? message).Where(one => one.Role == message.Role)];

    /// <summary>Shows the branch through a message.</summary>
    public async Task ShowAsync(Message message)
    {
        if (!IsAnswering)
        {
            await _notebook.ShowAsync(message.Id, CancellationToken.None);
            Arrange();
        }
    }

    /// <summary>Reads what the history has of it. Not while an answer is coming: that is read after.</summary>
    public async Task ReadAsync(UserHistory kept)
    {
        if (!IsAnswering)
        {
            await _notebook.ReadAsync(kept, CancellationToken.None);
            if (!IsAnswering)
            {
                Arrange();
            }
        }
    }

    /// <summary>Goes on in a history: what is in this page is written there.</summary>
    public async Task KeepAsync(UserHistory kept)
    {
        await _notebook.KeepAsync(kept, CancellationToken.None);
        if (!IsAnswering)
        {
            Arrange();
        }
    }

    public void Dispose()
    {
        _answering?.Dispose();
        _notebook.Dispose();
    }

    private Task BeginAsync(Func<CancellationToken, Task> ask)
    {
        return _asking = RunAsync();

        async Task RunAsync()
        {
            using var stopping = _answering = new CancellationTokenSource();
            try
            {
                await ask(stopping.Token);
            }
            finally
            {
                _answering = null;
                Changed?.Invoke();
            }
        }
    }

    private async Task WriteQuestionAsync(string question, Identity? parent, CancellationToken stopping)
    {
        Message asked;
        try
        {
            asked = await _notebook.AddAsync(new MessageDraft(id, parent, MessageRole.User, question), CancellationToken.None);
        }
        catch
        {
            // Whatever it was, it has left the field, and is nowhere else.
            GivenBack?.Invoke(question);
            throw;
        }
        Arrange();
        await RunAnswerAsync(asked, [.. _turns.Where(turn => turn.Asked?.Id != asked.Id)], isNew: true, stopping);
    }

    private async Task RunAnswerAsync(Message asked, IReadOnlyList<Turn> before, bool isNew, CancellationToken stopping)
    {
        var turn = _known[(asked.Id, null)] = new Turn(asked);
        _turns.Clear();
        _turns.AddRange(before);
        _turns.Add(turn);
        Changed?.Invoke();
        try
        {
            bool sent = await StreamIntoAsync(turn, stopping);
            if (_isAbandoned)
            {
                return;
            }
            if (!sent)
            {
                await LeaveUnsentAsync(turn, asked, isNew);
            }
            else if (turn.Answer.Length > 0)
            {
                await KeepAnswerAsync(turn, asked);
            }
        }
        finally
        {
            if (turn.IsInProgress)
            {
                turn.End(TurnState.Failed, "The answer broke off: this page made a mistake.");
            }
        }
    }

    // False where nothing left the device.
    private async Task<bool> StreamIntoAsync(Turn turn, CancellationToken stopping)
    {
        try
        {
            await foreach (string piece in source(_turns, stopping))
            {
                turn.Add(piece);
            }
            turn.End(TurnState.Complete);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            turn.End(TurnState.Stopped, "You stopped this answer.");
        }
        catch (EnclaveRefusedException refusal)
        {
            door.Refuse(refusal);
            return false;
        }
        catch (EnclaveUnreachableException fault)
        {
            _ = door.OpenAgainAsync(fault);
            return false;
        }
        catch (AnswerRefusedException refusal)
        {
            turn.End(TurnState.Failed, refusal.Status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
                ? "The enclave is busy: all of its places are taken. Try again in a moment."
                : $"The enclave did not answer: {refusal.Message}");
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException or System.Text.Json.JsonException)
        {
            turn.End(TurnState.Lost, turn.Answer.Length > 0
                ? "The connection was lost. What had arrived is kept, but the answer is not whole."
                : "The connection was lost before an answer arrived.");
        }
        return true;
    }

    private async Task KeepAnswerAsync(Turn turn, Message asked)
    {
        var draft = new MessageDraft(id, asked.Id, MessageRole.Assistant, turn.Answer)
        {
            State = turn.State switch { TurnState.Complete => MessageState.Complete, TurnState.Stopped => MessageState.Stopped, _ => MessageState.Failed },
        };
        var answer = await _notebook.AddAsync(draft, CancellationToken.None);
        turn.Keep(answer);
        _known.Remove((asked.Id, null));
        _known[(answer.Parent, answer.Id)] = turn;
        Arrange();
    }

    // Nothing left the device, so the page looks as it did before: a question that was new is back in its writer's hands, and one that was kept stays kept.
    private async Task LeaveUnsentAsync(Turn turn, Message asked, bool isNew)
    {
        turn.End(TurnState.Lost, "Nothing was sent.");
        if (isNew && await _notebook.TakeBackAsync(asked.Id, CancellationToken.None))
        {
            GivenBack?.Invoke(asked.Text);
        }
        Arrange();
    }

    // The branch as turns. Those that were shown before stay the same objects, so that what is drawn stays as well.
    private void Arrange()
    {
        _turns.Clear();
        Message? asked = null;
        foreach (var message in _notebook.Branch)
        {
            if (message.Role is MessageRole.Assistant)
            {
                _turns.Add(Known(asked, message));
                asked = null;
            }
            else if (message.Role is MessageRole.User)
            {
                if (asked is not null)
                {
                    _turns.Add(Known(asked, null));
                }
                asked = message;
            }
        }
        if (asked is not null)
        {
            _turns.Add(Known(asked, null));
        }
        Changed?.Invoke();
    }

    private Turn Known(Message? asked, Message? answered)
    {
        var key = (asked?.Id, answered?.Id);
        return _known.TryGetValue(key, out var turn) ? turn : _known[key] = Turn.Of(asked, answered);
    }
}
