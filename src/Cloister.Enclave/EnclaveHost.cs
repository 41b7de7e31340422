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
    private readonly SealedServer.SealedServer _door;
    private readonly IdentityRenewal _identity;
    private readonly Attester _attester;
    private readonly Engine _engine;

    private EnclaveHost(WebApplication application, SealedServer.SealedServer door, IdentityRenewal identity, Attester attester, Engine engine) =>
        (_application, _door, _identity, _attester, _engine, Endpoint) = (application, door, identity, attester, engine, door.LocalEndpoint!);

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

        var attester = new Attester(setup.Evidence);
        var identity = await IdentityRenewal.StartAsync(setup, attester, cancellation);
        var door = new SealedServer.SealedServer(new SealedServerOptions
        {
            Endpoint = setup.Endpoint,
            Identity = () => identity.Current,
            Channel = new ChannelOptions { Time = setup.Time, Shaping = Floor(setup.Configuration.ShapingFloor) },
            MaxSessions = setup.Configuration.Limits.Sessions,
            MaxRequestBytes = setup.Configuration.Limits.RequestBytes,
        });
        var application = EnclaveApi.Build(setup.Engine, door, new SessionEvidenceEndpoint(attester, setup.Time).Map);
        try
        {
            await application.StartAsync(cancellation);
        }
        catch
        {
            await application.DisposeAsync();
            door.Dispose();
            await identity.DisposeAsync();
            attester.Dispose();
            throw;
        }
        return new EnclaveHost(application, door, identity, attester, setup.Engine);
    }

    /// <summary>Closes the door, ends the sessions, wipes the keys and ends the engine.</summary>
    public async ValueTask DisposeAsync()
    {
        // Disposing a host that was not stopped would leave the door open.
        await _application.StopAsync();
        await _application.DisposeAsync();
        _door.Dispose();
        await _identity.DisposeAsync();
        _attester.Dispose();
        await _engine.DisposeAsync();
    }

    private static ShapingProfile Floor(ShapingFloor floor) => floor switch
    {
        ShapingFloor.None   => ShapingProfile.None,
        ShapingFloor.Padded => ShapingProfile.Padded,
        _                   => ShapingProfile.Paced,
    };
}
