namespace Cloister.Inference;

/// <summary>How a model is run.</summary>
public sealed record EngineOptions
{
    /// <summary>Threads of one step. All conversations share them.</summary>
    public int Threads { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Answers in progress at once; one more is refused.</summary>
    public int MaxAnswers { get; init; } = 64;

    /// <summary>Null: whatever is in the folder. Otherwise a folder with other content is refused.</summary>
    public ModelDigest? Digest { get; init; }
}
