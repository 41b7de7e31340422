namespace Cloister.Inference;

/// <summary>A model's files are not what they should be. The message is one sentence for whoever runs the model, and holds nothing that a user typed.</summary>
public sealed class ModelException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The conversation does not fit into the model's context.</summary>
public sealed class ContextTooLongException(int tokens, int context) : Exception($"The conversation has {tokens} tokens; the model's context is {context}.")
{
    public int Tokens { get; } = tokens;

    public int Context { get; } = context;
}

/// <summary>As many answers are in progress as the engine allows.</summary>
public sealed class EngineBusyException() : Exception("As many answers are in progress as the engine allows.");
