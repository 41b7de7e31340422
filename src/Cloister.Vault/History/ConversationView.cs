using System.Collections.Immutable;
using Cloister.Ledger;

namespace Cloister.Vault.History;

/// <summary>A conversation as it is shown: its header, all its messages as a tree, and the one branch that is on the screen.</summary>
public sealed class ConversationView
{
    private ConversationView(ConversationHeader header, MessageTree tree) => (Header, Tree, Branch) = (header, tree, tree.Branch(header.Leaf));

    public ConversationHeader Header { get; }

    public MessageTree Tree { get; }

    /// <summary>From the first message to the last of the branch.</summary>
    public ImmutableArray<Message> Branch { get; }

    /// <param name="conversation">Which.</param>
    /// <param name="registers">Of kind <c>conversation</c>; null where there are none.</param>
    /// <param name="messages">Those that live.</param>
    public static ConversationView Of(Identity conversation, Registers? registers, IEnumerable<Message> messages)
    {
        var tree = MessageTree.Of(messages);
        return new(ConversationHeader.Of(conversation, registers, tree.Count, tree.Newest?.Clock), tree);
    }
}
