using System.Collections.Immutable;
using Cloister.Ledger;

namespace Cloister.Vault.History;

/// <summary>The messages of a conversation by their parents (docs/spec/vault.md, section 6): a function of the set of messages, in whatever order they came.</summary>
/// <remarks>
/// A parent counts only where it is there and its clock is earlier; otherwise the message is a root. So nothing that anybody writes makes a circle,
/// and no message is ever hidden by another one.
/// </remarks>
public sealed class MessageTree
{
    private readonly Dictionary<Identity, Message> _messages;
    private readonly Dictionary<Identity, ImmutableArray<Message>> _children;

    private MessageTree(ImmutableArray<Message> roots, Dictionary<Identity, Message> messages, Dictionary<Identity, ImmutableArray<Message>> children) =>
        (Roots, _messages, _children) = (roots, messages, children);

    /// <summary>Messages without a parent, in order.</summary>
    public ImmutableArray<Message> Roots { get; }

    public int Count => _messages.Count;

    /// <summary>The last one by clock and identity; null in an empty tree.</summary>
    public Message? Newest => _messages.Values.Max(Message.Order);

    /// <summary>Of one conversation, none twice.</summary>
    public static MessageTree Of(IEnumerable<Message> messages)
    {
        var all = messages.ToDictionary(message => message.Id);
        var roots = new List<Message>();
        var children = new Dictionary<Identity, List<Message>>();
        foreach (var message in all.Values.Order(Message.Order))
        {
            var siblings = ParentOf(message, all) is { } parent ? children.TryGetValue(parent.Id, out var found) ? found : children[parent.Id] = [] : roots;
            siblings.Add(message);
        }
        return new([.. roots], all, children.ToDictionary(pair => pair.Key, pair => pair.Value.ToImmutableArray()));
    }

    public Message? Find(Identity id) => _messages.GetValueOrDefault(id);

    /// <summary>Null for a root.</summary>
    public Message? Parent(Message message) => ParentOf(message, _messages);

    /// <summary>What follows a message, in order; more than one where there are edits, other answers or branches.</summary>
    public ImmutableArray<Message> Children(Identity id) => _children.TryGetValue(id, out var children) ? children : [];

    /// <summary>A message and those beside it, in order.</summary>
    public ImmutableArray<Message> Siblings(Message message) => Parent(message) is { } parent ? Children(parent.Id) : Roots;

    /// <summary>From a root to an end: through <paramref name="leaf"/>, where it is there, and on to the newest answers; else to the newest message.</summary>
    public ImmutableArray<Message> Branch(Identity? leaf)
    {
        var through = (leaf is { } id ? Find(id) : null) ?? Newest;
        var branch = new List<Message>();
        for (var message = through; message is not null; message = Parent(message))
        {
            branch.Add(message);
        }
        branch.Reverse();
        while (branch.Count > 0 && Children(branch[^1].Id) is { IsEmpty: false } next)
        {
            branch.Add(next[^1]);
        }
        return [.. branch];
    }

    private static Message? ParentOf(Message message, Dictionary<Identity, Message> all) =>
        message.Parent is { } id && all.TryGetValue(id, out var parent) && parent.Clock < message.Clock ? parent : null;
}
