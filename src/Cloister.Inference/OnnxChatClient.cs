using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Inference.Generation;
using Cloister.Inference.Tokenization;
using Microsoft.Extensions.AI;
using Microsoft.ML.OnnxRuntime;

namespace Cloister.Inference;

/// <summary>A decoder in ONNX Runtime as an <see cref="IChatClient"/> (docs/spec/inference.md).</summary>
/// <remarks>
/// Conversations take turns step by step, first come, first served. Cancelling ends a step in its middle. Nothing of a conversation is kept
/// after its answer: tokens, logits, keys and values are wiped. Strings, and what ONNX Runtime frees inside of a step, are not.
/// </remarks>
public sealed class OnnxChatClient : IChatClient
{
    private const int DefaultContext = 2048;

    // Where generation_config.json forgets the end of a turn.
    private static readonly string[] EndsOfTurns = ["<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>"];

    private readonly GraphFiles _graph;
    private readonly OnnxDecoder _decoder;
    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate? _template;
    private readonly SamplingRule _defaults;
    private readonly HashSet<int> _ends;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ChatClientMetadata _metadata;
    private readonly int _maxAnswers;
    private int _answers;

    internal OnnxChatClient(ModelFolder folder, GraphFiles graph, InferenceSession session, EngineOptions options)
    {
        Digest = folder.Digest(graph);
        _tokenizer = Tokenizer.Load(folder);
        _template = folder.Template.Length > 0 ? ChatTemplate.Load(folder) : null;
        _defaults = SamplingRule.Of(folder.Generation);
        _ends = EndsOf(folder, _tokenizer);
        _maxAnswers = options.MaxAnswers;
        Context = folder.ContextOr(DefaultContext);
        _metadata = new ChatClientMetadata("cloister", null, folder.Name);
        _graph = graph;
        _decoder = new OnnxDecoder(session, folder.Config);
    }

    /// <summary>What steers this model.</summary>
    public ModelDigest Digest { get; }

    /// <summary>How many tokens a conversation and its answer may have together.</summary>
    public int Context { get; }

    /// <exception cref="ModelException">The folder does not hold a model that can be run, or holds another than was asked for.</exception>
    public static OnnxChatClient Load(string folder, EngineOptions? options = null)
    {
        var model = OnnxModel.Load(folder, options);
        model.Embeddings?.Dispose();
        return model.Chat ?? throw new ModelException($"The model in {folder} embeds texts and does not answer.");
    }

    /// <inheritdoc/>
    /// <exception cref="ContextTooLongException">The conversation does not fit.</exception>
    /// <exception cref="EngineBusyException">Too many answers are in progress.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number among the options is out of its range.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var template = _template ?? throw new ModelException("The model has no chat template.");
        return GenerateAsync(prompt => template.Encode(messages, _tokenizer, prompt), _defaults.With(options), cancellationToken);
    }

    /// <summary>Continues plain text, without a template.</summary>
    /// <inheritdoc cref="GetStreamingResponseAsync"/>
    public IAsyncEnumerable<ChatResponseUpdate> CompleteAsync(string text, ChatOptions? options, CancellationToken cancellationToken) =>
        GenerateAsync(prompt => _tokenizer.Encode(text, prompt, atStart: true), _defaults.With(options), cancellationToken);

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null : serviceType == typeof(ChatClientMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;

    /// <summary>Frees the model. No answer may be in progress.</summary>
    public void Dispose()
    {
        _graph.Dispose();
        _turn.Dispose();
    }

    private async IAsyncEnumerable<ChatResponseUpdate> GenerateAsync(Action<TokenList> encode, SamplingRule rule, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var prompt = new TokenList();
        encode(prompt);
        if (prompt.Count == 0)
        {
            throw new ModelException("This model needs at least one token to begin with.");
        }
        if (prompt.Count >= Context)
        {
            throw new ContextTooLongException(prompt.Count, Context);
        }
        if (Interlocked.Increment(ref _answers) > _maxAnswers)
        {
            Interlocked.Decrement(ref _answers);
            throw new EngineBusyException();
        }

        try
        {
            string id = Guid.NewGuid().ToString("n");
            int limit = Math.Min(rule.MaxTokens ?? int.MaxValue, Context - prompt.Count), made = 0;
            var reason = ChatFinishReason.Length;
            using var text = new TextAssembler(rule.Stops);
            using var tokens = new TokenStream(_decoder, _turn, prompt.Memory, rule);
            while (made < limit && reason != ChatFinishReason.Stop)
            {
                int token = await tokens.NextAsync(cancellationToken).ConfigureAwait(false);
                made++;
                bool isEnd = _ends.Contains(token);
                string certain = isEnd ? "" : text.Add(_tokenizer.IsSpecial(token) ? [] : _tokenizer.BytesOf(token));
                if (isEnd || text.IsStopped)
                {
                    reason = ChatFinishReason.Stop;
                }
                if (certain.Length > 0)
                {
                    yield return Update(id, new TextContent(certain));
                }
            }

            if (text.Finish() is { Length: > 0 } rest)
            {
                yield return Update(id, new TextContent(rest));
            }
            var usage = new UsageContent(new UsageDetails { InputTokenCount = prompt.Count, OutputTokenCount = made, TotalTokenCount = prompt.Count + made });
            yield return Update(id, usage, reason);
        }
        finally
        {
            Interlocked.Decrement(ref _answers);
        }
    }

    private ChatResponseUpdate Update(string id, AIContent content, ChatFinishReason? reason = null) =>
        new(ChatRole.Assistant, [content]) { ResponseId = id, MessageId = id, ModelId = _metadata.DefaultModelId, FinishReason = reason };

    private static HashSet<int> EndsOf(ModelFolder folder, Tokenizer tokenizer)
    {
        var ends = new HashSet<int>();
        foreach (var file in new[] { folder.Generation, folder.Config })
        {
            ends.UnionWith(file["eos_token_id"] is JsonArray many
                ? many.Select(one => one is JsonValue value && value.TryGetValue(out int id) ? id : throw new ModelException("'eos_token_id' in one of the model's JSON files is not a list of whole numbers."))
                : file.Whole("eos_token_id") is { } one ? [one] : []);
        }
        ends.UnionWith(EndsOfTurns.Select(tokenizer.SpecialId).OfType<int>());
        return ends;
    }
}
