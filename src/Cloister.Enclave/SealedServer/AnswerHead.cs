using System.Collections.Immutable;
using Cloister.Channel.Exchanges;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Enclave.SealedServer;

/// <summary>Status, fields and trailers of an answer, and what ASP.NET Core wants done before and after it.</summary>
internal sealed class AnswerHead : IHttpResponseFeature, IHttpResponseTrailersFeature
{
    private static readonly string[] HopByHop = ["Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"];

    private Stack<(Func<object, Task> Callback, object State)>? _starting;
    private Stack<(Func<object, Task> Callback, object State)>? _completed;
    private int _status = StatusCodes.Status200OK;

    public int StatusCode
    {
        get => _status;
        set => _status = HasStarted ? throw Late() : value;
    }

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();

    /// <summary>The old way to the body, which ASP.NET Core does not go any more.</summary>
    public Stream Body { get; set; } = Stream.Null;

    public bool HasStarted { get; private set; }

    public void OnStarting(Func<object, Task> callback, object state)
    {
        if (HasStarted)
        {
            throw Late();
        }
        (_starting ??= new()).Push((callback, state));
    }

    public void OnCompleted(Func<object, Task> callback, object state) => (_completed ??= new()).Push((callback, state));

    /// <summary>The head as it leaves. From now on it is fixed.</summary>
    public async ValueTask<ResponseHead> StartAsync()
    {
        await RunAsync(_starting);
        HasStarted = true;
        if (Headers is HeaderDictionary headers)
        {
            headers.IsReadOnly = true;
        }
        return new ResponseHead(_status, Fields(Headers));
    }

    public ImmutableArray<Field> EndingFields() => Fields(Trailers);

    /// <summary>Forgets what a failed application had prepared.</summary>
    public void Reset(int status)
    {
        _starting = null;
        _status = status;
        Headers.Clear();
        Trailers.Clear();
    }

    // Scopes and whatever was registered for disposal end here, so one that fails must not keep the others from it.
    public async Task RunCompletedAsync()
    {
        while (_completed?.Count > 0)
        {
            try
            {
                await RunAsync(_completed);
            }
            catch (Exception)
            {
                // There is nobody to tell, and nothing may be logged.
            }
        }
    }

    private static async ValueTask RunAsync(Stack<(Func<object, Task> Callback, object State)>? callbacks)
    {
        while (callbacks is not null && callbacks.TryPop(out var next))
        {
            await next.Callback(next.State);
        }
    }

    private static ImmutableArray<Field> Fields(IHeaderDictionary headers)
    {
        if (headers.Count == 0)
        {
            return [];
        }
        var fields = ImmutableArray.CreateBuilder<Field>(headers.Count);
        foreach (var (name, values) in headers)
        {
            if (!HopByHop.Contains(name, StringComparer.OrdinalIgnoreCase) && !name.StartsWith(Exchanges.FieldPrefix, StringComparison.OrdinalIgnoreCase))
            {
                string lower = name.ToLowerInvariant();
                foreach (string? value in values)
                {
                    fields.Add(new(lower, (value ?? "").Trim(' ', '\t')));
                }
            }
        }
        return fields.DrainToImmutable();
    }

    private static InvalidOperationException Late() => new("The answer has started.");
}
