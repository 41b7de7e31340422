using Cloister.Enclave.Api;

namespace Cloister.Enclave.Engines;

/// <summary>Where answers come from: <see cref="EmbeddedEngine"/> or <see cref="UpstreamEngine"/>. Which one stands in the measured configuration.</summary>
public abstract class Engine : IAsyncDisposable
{
    private readonly SemaphoreSlim _places;

    private protected Engine(int places) => _places = new SemaphoreSlim(places, places);

    public abstract ValueTask DisposeAsync();

    /// <summary>Puts the engine's endpoints into the API.</summary>
    internal abstract void Map(IEndpointRouteBuilder api);

    /// <summary>Answers while a place is free, and says so at once where none is: a queue would only hide that the enclave is full.</summary>
    private protected async Task InAPlaceAsync(HttpContext context, Func<HttpContext, Task> answer)
    {
        if (!_places.Wait(0))
        {
            await ApiError.Busy.WriteAsync(context);
            return;
        }
        try
        {
            await answer(context);
        }
        finally
        {
            _places.Release();
        }
    }
}
