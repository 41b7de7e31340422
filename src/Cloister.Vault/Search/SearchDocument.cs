using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Vault.Search;

/// <summary>A message as it goes into the index.</summary>
public sealed record SearchDocument(Identity Message, Identity Conversation, Clock Clock, string Text)
{
    public static SearchDocument Of(Message message) => new(message.Id, message.Conversation, message.Clock, message.Text);
}

/// <summary>A message that the index found. The caller opens it, and shows it where <see cref="SearchQuery.TryExtract"/> finds the words in its text: the index may be older than the message.</summary>
public sealed record SearchMatch(Identity Message, Identity Conversation, Clock Clock);

/// <summary>A piece of text around what was found.</summary>
/// <param name="Text">At most about 160 characters of the message.</param>
/// <param name="Marks">Where in it the words stand.</param>
public sealed record Snippet(string Text, System.Collections.Immutable.ImmutableArray<Range> Marks);
