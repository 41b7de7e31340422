using System.Text.Json.Nodes;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Web.Talk;

/// <summary>The messages of one conversation as a tree: in this page's memory, and in the user's history from the moment that there is one.</summary>
/// <remarks>One thing after another. A message has its identity from the beginning, so it is the same one in this page and in a history, and writing it may be tried again.</remarks>
internal sealed class Notebook : IDisposable
{
    private const int LongestTitle = 60;

    // Where clocks are concerned a page is a device of its own.
    private static readonly Identity Page = Identity.Generate();

    private readonly SemaphoreSlim _lock = new(1, 1);
    private readonly Dictionary<Identity, Message> _messages = [];

    // In no history yet, and lost when the page is closed.
    private readonly HashSet<Identity> _onlyHere = [];
    private string? _whyOnlyHere;
    private string? _lastFault;
    private Identity? _leaf;
    private UserHistory? _history;

    /// <param name="conversation">Which.</param>
    /// <param name="history">Null: in this page's memory alone, until there is one.</param>
    public Notebook(Identity conversation, UserHistory? history) => (Id, _history) = (conversation, history);

    public Identity Id { get; }

    public MessageTree Tree { get; private set; } = MessageTree.Of([]);

    public IReadOnlyList<Message> Branch => Tree.Branch(_leaf);

    public bool IsEmpty => _messages.Count == 0;

    /// <summary>Why something is in this page and could not be kept, as a sentence: until it is kept, whatever else is meanwhile.</summary>
    public string? Fault => _history is null ? null : _whyOnlyHere ?? _lastFault;

    /// <summary>Reads what the history has. What is only in this page stays.</summary>
    public Task ReadAsync(UserHistory history, CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        _history = history;
        var view = await history.ReadAsync(Id, cancellationToken);
        foreach (var gone in _messages.Keys.Except(_onlyHere).ToList())
        {
            _messages.Remove(gone);
        }
        foreach (var message in All(view.Tree))
        {
            _messages[message.Id] = message;
            _onlyHere.Remove(message.Id);
        }
        _whyOnlyHere = _onlyHere.Count > 0 ? _whyOnlyHere : null;
        _leaf = _leaf is { } leaf && _messages.ContainsKey(leaf) ? leaf : view.Header.Leaf;
        Tree = MessageTree.Of(_messages.Values);
        return true;
    }, cancellationToken);

    /// <summary>Writes what is in this page into the history, and goes on there.</summary>
    public Task KeepAsync(UserHistory history, CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        _history = history;
        _onlyHere.UnionWith(_messages.Keys);
        await WriteAsync(cancellationToken);
        await LeafAsync(_leaf, true, cancellationToken);
        return true;
    }, cancellationToken);

    /// <summary>Adds a message, and shows the branch that it is in. It is durable when this returns, where there is a history, or <see cref="Fault"/> says why it is not.</summary>
    public Task<Message> AddAsync(MessageDraft draft, CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        bool isSibling = draft.Parent is { } parent ? !Tree.Children(parent).IsEmpty : !IsEmpty;
        Clock? previous = draft.Parent is { } before && _messages.TryGetValue(before, out var found) ? found.Clock : null;
        var message = draft.ToMessage(Identity.Generate(), Clock.After(DateTimeOffset.UtcNow, previous, Page));
        _messages[message.Id] = message;
        _onlyHere.Add(message.Id);
        try
        {
            await WriteAsync(cancellationToken);
        }
        catch
        {
            Drop(message.Id);
            throw;
        }
        await LeafAsync(message.Id, isSibling, cancellationToken);
        return message;
    }, cancellationToken);

    /// <summary>Shows the branch through a message.</summary>
    public Task ShowAsync(Identity message, CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        await LeafAsync(message, true, cancellationToken);
        return true;
    }, cancellationToken);

    /// <summary>Takes a message back that was never sent. False where something follows it: then it stays.</summary>
    public Task<bool> TakeBackAsync(Identity message, CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        if (!Tree.Children(message).IsEmpty)
        {
            return false;
        }
        var parent = _messages.GetValueOrDefault(message)?.Parent;
        Drop(message);
        await LeafAsync(parent, false, cancellationToken);
        if (_history is { } history)
        {
            _lastFault = await TryAsync(() => IsEmpty ? history.DeleteConversationAsync(Id, cancellationToken) : history.DeleteMessageAsync(Id, message, cancellationToken));
        }
        return true;
    }, cancellationToken);

    public void Dispose() => _lock.Dispose();

    private async Task LeafAsync(Identity? message, bool keep, CancellationToken cancellationToken)
    {
        _leaf = message;
        Tree = MessageTree.Of(_messages.Values);
        if (keep && message is { } leaf && _history is { } history)
        {
            _lastFault = await TryAsync(() => history.SetAsync(RegisterKind.Conversation, Id.ToString(), ConversationHeader.LeafField, JsonValue.Create(leaf.ToString()), cancellationToken));
        }
    }

    // Everything that is only here, also what could not be written before: a disk that was full may have room again.
    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        (_whyOnlyHere, _lastFault) = (null, null);
        foreach (var message in _onlyHere.Select(id => _messages[id]).Order(Message.Order).ToList())
        {
            if (_history is { } history)
            {
                bool isFirst = _onlyHere.Count == _messages.Count;
                string? fault = await TryAsync(() => history.KeepAsync(message, cancellationToken));
                if (_history is null)
                {
                    return;
                }
                _whyOnlyHere = fault ?? _whyOnlyHere;
                if (fault is null)
                {
                    _onlyHere.Remove(message.Id);
                }
                if (fault is null && isFirst && message.Role is MessageRole.User)
                {
                    _lastFault = await TryAsync(() => history.SetAsync(RegisterKind.Conversation, Id.ToString(), ConversationHeader.TitleField, JsonValue.Create(TitleOf(message.Text)), cancellationToken));
                }
            }
        }
    }

    private void Drop(Identity message)
    {
        _messages.Remove(message);
        _onlyHere.Remove(message);
        _whyOnlyHere = _onlyHere.Count > 0 ? _whyOnlyHere : null;
    }

    private async Task<T> AloneAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        await _lock.WaitAsync(cancellationToken);
        try
        {
            return await act();
        }
        finally
        {
            _lock.Release();
        }
    }

    // Why it did not succeed, as a sentence: what cannot be kept is still in this page, and the page says so.
    private async Task<string?> TryAsync(Func<Task> write)
    {
        try
        {
            await write();
            return null;
        }
        catch (StoreFailedException fault)
        {
            return $"This could not be kept: {fault.Message} It stays until you close this page.";
        }
        catch (ArgumentException)
        {
            return "This is too long to be kept. It stays until you close this page.";
        }
        catch (ObjectDisposedException)
        {
            // The account has left this page.
            _history = null;
            return null;
        }
        catch (InvalidOperationException fault)
        {
            return $"This could not be kept: {fault.Message} It stays until you close this page.";
        }
    }

    private static IEnumerable<Message> All(MessageTree tree)
    {
        var waiting = new Stack<Message>(tree.Roots);
        while (waiting.TryPop(out var message))
        {
            yield return message;
            foreach (var child in tree.Children(message.Id))
            {
                waiting.Push(child);
            }
        }
    }

    private static string TitleOf(string question)
    {
        string line = string.Join(' ', question.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (line.Length <= LongestTitle)
        {
            return line;
        }
        int end = line.LastIndexOf(' ', LongestTitle) is > LongestTitle / 2 and var space ? space : LongestTitle;
        return $"{line[..(char.IsHighSurrogate(line[end - 1]) ? end - 1 : end)]}…";
    }
}
