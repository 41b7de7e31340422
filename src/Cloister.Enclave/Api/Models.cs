namespace Cloister.Enclave.Api;

internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    public string Object { get; } = "list";
}

internal sealed record ModelCard(string Id, long Created)
{
    public string Object { get; } = "model";

    public string OwnedBy { get; } = "cloister";
}

internal sealed record Usage(long PromptTokens, long CompletionTokens)
{
    public long TotalTokens => PromptTokens + CompletionTokens;
}
