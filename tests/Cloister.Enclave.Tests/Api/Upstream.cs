using Cloister.Enclave.Engines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Cloister.Enclave.Tests.Api;

/// <summary>A real server beside the enclave's program, which notes what reaches it.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly WebApplication _application;

    private Upstream(WebApplication application) => _application = application;

    public string? Target { get; private set; }

    public Dictionary<string, string> Fields { get; private set; } = [];

    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public UpstreamEngine Engine => new(new Uri(Address, "/v1/"), ApiOnKestrel.Limits);

    public static async Task<Upstream> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var upstream = new Upstream(builder.Build());
        upstream._application.Run(context =>
        {
            upstream.Target = context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent();
            upstream.Fields = context.Request.Headers.ToDictionary(field => field.Key, field => field.Value.ToString());
            return answer(context);
        });
        await upstream._application.StartAsync();
        return upstream;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
