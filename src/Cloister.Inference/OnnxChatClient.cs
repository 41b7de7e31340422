using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Inference.Generation;
using Cloister.Inference.Tokenization;
using Microsoft.Extensions.AI;

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

/// <summary>A decoder in ONNX Runtime as an <see cref="IChatClient"/> (docs/spec/inference.md).</summary>
/// <remarks>
/// Conversations take turns token by token, first come, first served. Cancelling stops before the next step. Nothing of a conversation is
/// kept after its answer; what ONNX Runtime leaves in freed memory is not wiped.
/// </remarks>
public sealed class OnnxChatClient : IChatClient
{
    // A step of reading: short enough that cancelling and other conversations do not wait long for it.
    private const int PrefillTokens = 128;
    private const int DefaultContext = 2048;

    private readonly OnnxDecoder _decoder;
    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate? _template;
    private readonly SamplingRule _defaults;
    private readonly HashSet<int> _ends;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ChatClientMetadata _metadata;
    private readonly int _maxAnswers;
    private int _answers;

    private OnnxChatClient(ModelFolder folder, EngineOptions options)
    {
        Digest = folder.Digest();
        if (options.Digest is not null && options.Digest != Digest)
        {
            throw new ModelException($"The model in {folder.Path} is not the one that was asked for: a digest differs.");
        }
        _tokenizer = Tokenizer.Load(folder);
        _template = folder.Template.Length > 0 ? ChatTemplate.Load(folder) : null;
        _defaults = DefaultsOf(folder.Generation);
        _ends = EndsOf(folder, _tokenizer);
        _maxAnswers = options.MaxAnswers;
        Context = (int?)folder.Config["max_position_embeddings"] ?? (int?)folder.Config["n_positions"] ?? DefaultContext;
        _metadata = new ChatClientMetadata("cloister", null, Path.GetFileName(Path.TrimEndingDirectorySeparator(folder.Path)));
        _decoder = new OnnxDecoder(folder, options.Threads);
    }

    /// <summary>What steers this model.</summary>
    public ModelDigest Digest { get; }

    /// <summary>How many tokens a conversation and its answer may have together.</summary>
    public int Context { get; }

    /// <exception cref="ModelException">The folder does not hold a model that can be run, or holds another than was asked for.</exception>
    public static OnnxChatClient Load(string folder, EngineOptions? options = null) => new(ModelFolder.Open(folder), options ?? new EngineOptions());

    /// <inheritdoc/>
    /// <exception cref="ContextTooLongException">The conversation does not fit.</exception>
    /// <exception cref="EngineBusyException">Too many answers are in progress.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var template = _template ?? throw new ModelException("The model has no chat template.");
        return GenerateAsync(template.Encode(messages, _tokenizer), options, cancellationToken);
    }

    /// <summary>Continues plain text, without a template.</summary>
    public IAsyncEnumerable<ChatResponseUpdate> CompleteAsync(string text, ChatOptions? options, CancellationToken cancellationToken)
    {
        var ids = new List<int>();
        _tokenizer.Encode(text, ids, atStart: true);
        return GenerateAsync(ids, options, cancellationToken);
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null : serviceType == typeof(ChatClientMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        _decoder.Dispose();
        _turn.Dispose();
    }

    private async IAsyncEnumerable<ChatResponseUpdate> GenerateAsync(List<int> prompt, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (prompt.Count == 0 || prompt.Count >= Context)
        {
            throw new ContextTooLongException(prompt.Count, Context);
        }
        if (Interlocked.Increment(ref _answers) > _maxAnswers)
        {
            Interlocked.Decrement(ref _answers);
            throw new EngineBusyException();
        }

        string id = Guid.NewGuid().ToString("n");
        var rule = SamplingRule.From(options, _defaults);
        var sampler = new Sampler(rule);
        sampler.Read(prompt);
        var text = new TextAssembler(rule.Stops);
        int limit = Math.Min(rule.MaxTokens ?? int.MaxValue, Context - prompt.Count), made = 0;
        var reason = ChatFinishReason.Length;
        float[] logits = [];
        using var cache = _decoder.Begin();
        try
        {
            int[] reading = [.. prompt];
            int read = 0;
            while (made < limit)
            {
                int token = 0;
                while (read < reading.Length)
                {
                    var piece = reading.AsMemory(read, Math.Min(PrefillTokens, reading.Length - read));
                    logits = await StepAsync(cache, piece, logits, cancellationToken).ConfigureAwait(false);
                    read += piece.Length;
                }
                token = sampler.Choose(logits);
                made++;
                if (_ends.Contains(token))
                {
                    reason = ChatFinishReason.Stop;
                    break;
                }

                string certain = text.Add(_tokenizer.IsSpecial(token) ? [] : _tokenizer.BytesOf(token));
                if (certain.Length > 0)
                {
                    yield return Update(id, new TextContent(certain));
                }
                if (text.IsStopped)
                {
                    reason = ChatFinishReason.Stop;
                    break;
                }
                (reading, read) = ([token], 0);
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
            prompt.Clear();
            Array.Clear(logits);
            Interlocked.Decrement(ref _answers);
        }
    }

    // One step at a time for all conversations. Those that wait are served in the order in which they came, so nobody waits longer than
    // one step of each other.
    private async Task<float[]> StepAsync(OnnxDecoder.Cache cache, ReadOnlyMemory<int> tokens, float[] logits, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Yield();
            _decoder.Step(cache, tokens.Span, ref logits);
            return logits;
        }
        finally
        {
            _turn.Release();
        }
    }

    private ChatResponseUpdate Update(string id, AIContent content, ChatFinishReason? reason = null) =>
        new(ChatRole.Assistant, [content]) { ResponseId = id, MessageId = id, ModelId = _metadata.DefaultModelId, FinishReason = reason };

    private static SamplingRule DefaultsOf(JsonObject generation) => new()
    {
        Temperature = (bool?)generation["do_sample"] is false ? 0 : (float?)generation["temperature"] ?? 1,
        TopP = (float?)generation["top_p"] ?? 1,
        TopK = (int?)generation["top_k"] ?? 0,
        MinP = (float?)generation["min_p"] ?? 0,
        RepetitionPenalty = (float?)generation["repetition_penalty"] ?? 1,
    };

    private static HashSet<int> EndsOf(ModelFolder folder, Tokenizer tokenizer)
    {
        var ends = new HashSet<int>();
        foreach (var node in new[] { folder.Generation["eos_token_id"], folder.Config["eos_token_id"] })
        {
            ends.UnionWith(node switch { JsonArray many => many.Select(one => one!.GetValue<int>()), JsonValue one => [one.GetValue<int>()], _ => [] });
        }
        foreach (string marker in new[] { "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>" })
        {
            if (tokenizer.SpecialId(marker) is { } id)
            {
                ends.Add(id);
            }
        }
        return ends;
    }
}
