namespace Cloister.Operator.Accounts.Storage;

/// <summary>The database cannot be worked with: it is another process's, of a newer program, or not there. The message is a sentence for whoever operates it.</summary>
public sealed class AccountsDatabaseException(string message, Exception? inner = null) : IOException(message, inner);
