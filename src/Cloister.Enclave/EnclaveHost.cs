using System.Net;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Enclave.Api;
using Cloister.Enclave.Engines;
using Cloister.Enclave.SealedServer;

namespace Cloister.Enclave;

/// <summary>A running enclave: identity, engine, API, and the one door to them.</summary>
public sealed class EnclaveHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly IdentityRenewal _identity;
    private readonly Engine _engine;

    private EnclaveHost(WebApplication application, IdentityRenewal identity, Engine engine, EndPoint endpoint) =>
        (_application, _identity, _engine, Endpoint) = (application, identity, engine, endpoint);

    /// <summary>Where the carrier connects: the port where the setup said 0.</summary>
    public EndPoint Endpoint { get; }

    /// <summary>Attests, and then opens the door.</summary>
    /// <exception cref="ArgumentException">The setup has faults: the message lists them all.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The endpoint is taken or not allowed.</exception>
    public static async Task<EnclaveHost> StartAsync(EnclaveSetup setup, CancellationToken cancellation = default)
    {
        if (setup.Faults() is { IsEmpty: false } faults)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, faults), nameof(setup));
        }

        var identity = await IdentityRenewal.StartAsync(setup, cancellation);
        var door = new SealedServer.SealedServer(new SealedServerOptions
        {
            Endpoint = setup.Endpoint,
            Identity = () => identity.Current,
            Channel = new ChannelOptions { Time = setup.Time, Shaping = Floor(setup.Configuration.ShapingFloor) },
            MaxSessions = setup.Configuration.Limits.Sessions,
            MaxRequestBytes = setup.Configuration.Limits.RequestBytes,
        });
        var application = EnclaveApi.Build(setup.Engine, door);
        try
        {
            await application.StartAsync(cancellation);
        }
        catch
        {
            await application.DisposeAsync();
            await identity.DisposeAsync();
            throw;
        }
        return new EnclaveHost(application, identity, setup.Engine, door.LocalEndpoint!);
    }

    /// <summary>Closes the door, ends the sessions, wipes the keys and ends the engine.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        await _identity.DisposeAsync();
        await _engine.DisposeAsync();
    }

    private static ShapingProfile Floor(ShapingFloor floor) => floor switch
    {
        ShapingFloor.None   => ShapingProfile.None,
        ShapingFloor.Padded => ShapingProfile.Padded,
        _                   => ShapingProfile.Paced,
    };
}
