using Cloister.Journeys;

[assembly: Xunit.AssemblyFixture(typeof(Everything))]

namespace Cloister.Journeys;

/// <summary>One <c>cloister up</c> with the demonstration model and one before a stand-in server, each with its <c>cloister proxy</c>, for all tests.</summary>
public sealed class Everything : IAsyncLifetime
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("cloister-journeys-");
    private CloisterProgram _up = null!, _proxy = null!, _upStandIn = null!, _proxyStandIn = null!;

    internal StandInServer StandIn { get; private set; } = null!;

    public string Data => _data.FullName;

    public Uri Operator => new((string)_up.Ready["operator"]!);

    /// <summary>The proxy before the demonstration model.</summary>
    public Uri Proxy => new((string)_proxy.Ready["address"]!);

    /// <summary>The proxy before the stand-in server.</summary>
    public Uri ProxyToStandIn => new((string)_proxyStandIn.Ready["address"]!);

    /// <summary>Another folder with the same authority, which takes long to make, and a log of its own.</summary>
    public string NewData(string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Data, name)).FullName;
        File.Copy(Path.Combine(Data, "authority.json"), Path.Combine(folder, "authority.json"));
        return folder;
    }

    public string Policy => Path.Combine(Data, "policy.json");

    public async ValueTask InitializeAsync()
    {
        _up = await CloisterProgram.StartAsync("up", "--port", "0", "--data", Data);
        _proxy = await CloisterProgram.StartAsync("proxy", "--port", "0", "--operator", $"{Operator}", "--data", Data);

        StandIn = await StandInServer.StartAsync();
        string apart = NewData("stand-in");
        _upStandIn = await CloisterProgram.StartAsync("up", "--port", "0", "--data", apart, "--upstream", $"{StandIn.Address}");
        _proxyStandIn = await CloisterProgram.StartAsync("proxy", "--port", "0", "--operator", (string)_upStandIn.Ready["operator"]!, "--data", apart);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in (CloisterProgram?[])[_proxyStandIn, _upStandIn, _proxy, _up])
        {
            await (program?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
        await (StandIn?.DisposeAsync() ?? ValueTask.CompletedTask);
        _data.Delete(recursive: true);
    }
}
