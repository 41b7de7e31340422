using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Web.Accounts;
using Cloister.Web.Proof;

namespace Cloister.Web.Talk;

/// <summary>The conversation that is shown, and those whose answers are still coming.</summary>
public sealed class Desk : IDisposable
{
    private readonly Door _door;
    private readonly PageAccount _account;
    private readonly AnswerSource _source;
    private readonly Dictionary<Identity, Conversation> _busy = [];
    private UserHistory? _history;
    private bool _reading;
    private bool _readAgain;

    public Desk(Door door, PageAccount account)
    {
        (_door, _account, _source) = (door, account, (turns, cancellationToken) => Answers.StreamAsync(door, turns, cancellationToken));
        Current = Make(Identity.Generate());
        account.Changed += () => _ = FollowAsync();
    }

    public Conversation Current { get; private set; }

    /// <summary>Another conversation is shown, or this one changed.</summary>
    public event Action? Changed;

    /// <summary>A question that was not sent: it goes back to its writer.</summary>
    public event Action<string>? GivenBack;

    /// <summary>Begins a new conversation. It is in nobody's list before its first question.</summary>
    public void Begin() => Show(Make(Identity.Generate()));

    /// <summary>Opens a conversation of the history.</summary>
    public async Task OpenAsync(Identity conversation)
    {
        if (_account.History is not { } history || conversation == Current.Id)
        {
            return;
        }
        var opened = _busy.TryGetValue(conversation, out var busy) ? busy : Make(conversation);
        await opened.ReadAsync(history);
        Show(opened);
    }

    /// <summary>Deletes a conversation of the history. An answer that is still coming is stopped before: kept afterwards, it would bring the conversation back, on every device.</summary>
    public async Task DeleteAsync(Identity conversation)
    {
        if (_account.History is not { } history)
        {
            return;
        }
        if ((Current.Id == conversation ? Current : _busy.GetValueOrDefault(conversation)) is { } open)
        {
            await open.AbandonAsync();
        }
        if (Current.Id == conversation)
        {
            Begin();
        }
        await history.DeleteConversationAsync(conversation, CancellationToken.None);
    }

    /// <summary>Whether an answer of that conversation is coming.</summary>
    public bool IsAnswering(Identity conversation) => Current.Id == conversation ? Current.IsAnswering : _busy.ContainsKey(conversation);

    public void Dispose() => Current.Dispose();

    private Conversation Make(Identity id)
    {
        var conversation = new Conversation(_door, _source, id, _history);
        conversation.Changed += () =>
        {
            if (!conversation.IsAnswering)
            {
                _busy.Remove(id);
            }
            Changed?.Invoke();
        };
        conversation.GivenBack += question => GivenBack?.Invoke(question);
        return conversation;
    }

    private void Show(Conversation conversation)
    {
        if (Current.IsAnswering)
        {
            _busy[Current.Id] = Current;
        }
        Current = conversation;
        Changed?.Invoke();
    }

    // What other devices wrote, and what an account brings: the conversation that is here goes along when there is one from now on, and goes away with the account.
    private async Task FollowAsync()
    {
        if (_reading)
        {
            _readAgain = true;
            return;
        }
        _reading = true;
        try
        {
            do
            {
                _readAgain = false;
                await FollowOnceAsync();
            }
            while (_readAgain);
        }
        finally
        {
            _reading = false;
        }
    }

    private async Task FollowOnceAsync()
    {
        var history = _account.History;
        bool isNew = history != _history;
        _history = history;
        try
        {
            if (history is null)
            {
                if (isNew)
                {
                    Begin();
                    await Task.WhenAll(_busy.Values.ToList().Select(busy => busy.AbandonAsync()));
                }
            }
            else if (isNew)
            {
                await Current.KeepAsync(history);
            }
            else if (!Current.IsEmpty)
            {
                await Current.ReadAsync(history);
            }
        }
        catch (Exception fault) when (fault is StoreFailedException or ObjectDisposedException)
        {
            // The history says itself what is wrong with its store.
        }
        Changed?.Invoke();
    }
}
