using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Enclave.Api;

namespace Cloister.Enclave.Engines;

/// <summary>Answers with models in the enclave's own memory.</summary>
public sealed class EmbeddedEngine : Engine
{
    private readonly FrozenDictionary<string, EmbeddedModel> _models;
    private readonly ModelList _list;

    /// <summary>The engine owns the models and ends them.</summary>
    public EmbeddedEngine(IReadOnlyList<EmbeddedModel> models, EnclaveLimits limits, TimeProvider time) : base(limits.Answers)
    {
        (Limits, Time) = (limits, time);
        _models = models.ToFrozenDictionary(model => model.Name);
        long loaded = time.GetUtcNow().ToUnixTimeSeconds();
        _list = new ModelList([.. models.Select(model => new ModelCard(model.Name, loaded))]);
    }

    internal EnclaveLimits Limits { get; }

    internal TimeProvider Time { get; }

    public override ValueTask DisposeAsync()
    {
        foreach (var model in _models.Values)
        {
            model.Dispose();
        }
        return ValueTask.CompletedTask;
    }

    internal override void Map(IEndpointRouteBuilder api)
    {
        var chat = new ChatEndpoint(this);
        var completions = new CompletionsEndpoint(this);
        var embeddings = new EmbeddingsEndpoint(this);

        api.MapGet("/v1/models", context => WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(_list, ApiJson.Answers.ModelList)));
        api.MapGet("/v1/models/{**id}", DescribeModelAsync);
        api.MapPost("/v1/chat/completions", context => InAPlaceAsync(context, chat.AnswerAsync));
        api.MapPost("/v1/completions", context => InAPlaceAsync(context, completions.AnswerAsync));
        api.MapPost("/v1/embeddings", context => InAPlaceAsync(context, embeddings.AnswerAsync));
    }

    internal ApiError? FindModel(string? name, [NotNullWhen(true)] out EmbeddedModel? model)
    {
        model = null;
        if (string.IsNullOrEmpty(name))
        {
            return ApiError.Invalid("'model' must name a model.", "model");
        }
        return _models.TryGetValue(name, out model) ? null : ApiError.UnknownModel(name);
    }

    internal static async Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    private Task DescribeModelAsync(HttpContext context)
    {
        string id = (string)context.Request.RouteValues["id"]!;
        var card = _list.Data.FirstOrDefault(model => model.Id == id);
        return card is null
            ? ApiError.UnknownModel(id).WriteAsync(context)
            : WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(card, ApiJson.Answers.ModelCard));
    }
}
