using Cloister.Attestation;
using Cloister.Cli.Collateral;
using Cloister.Enclave.Evidence;
using Cloister.Enclave.Tests.Program;
using Cloister.Testing;

namespace Cloister.Cli.Tests.Collateral;

/// <summary>The host's helper with its folders, beside makers that a test plays.</summary>
internal sealed class Helper : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-collateral-");
    private readonly VendorWeb _web;

    private Helper(VendorServer makers)
    {
        Makers = makers;
        _web = new VendorWeb(Time);
        foreach (var folder in new[] { Requests, Endorsements, Kept })
        {
            Directory.CreateDirectory(folder.Path);
        }
        Rounds = Restart();
    }

    public static TdxAuthority Intel { get; } = new(DateTimeOffset.UtcNow);

    public VendorServer Makers { get; }

    public SkippingTime Time { get; } = new(DateTimeOffset.UtcNow);

    public CollateralRounds Rounds { get; private set; }

    public SharedFolder Requests => new(Path.Combine(_folder.FullName, "wanted"));

    public SharedFolder Endorsements => new(Path.Combine(_folder.FullName, "endorsements"));

    public SharedFolder Kept => new(Path.Combine(_folder.FullName, "kept"));

    public static SnpWant SnpWant => SnpReport.TryParse(Machine.Report(new byte[64]), out var report, out _) ? Enclave.Evidence.SnpWant.Of(report) : throw new InvalidOperationException();

    public static TdxWant TdxWant => new() { Fmspc = TdxAuthority.Fmspc.ToLowerInvariant(), Authority = PckAuthority.Platform };

    public static async Task<Helper> StartAsync(WantedCollateral? wanted = null)
    {
        var helper = new Helper(await VendorServer.StartAsync());
        helper.Makers.ServeAmd();
        helper.Makers.ServeIntel(Intel);
        helper.Want(wanted ?? new WantedCollateral { Snp = SnpWant });
        return helper;
    }

    public void Want(WantedCollateral wanted) => Requests.Replace(WantedCollateral.FileName, wanted.ToBytes());

    /// <summary>As after the process ended: what is in memory is forgotten.</summary>
    public CollateralRounds Restart() => Rounds = new CollateralRounds(Requests, Endorsements, new KeptAnswers(_web, Kept, Time), Makers.Vendors, Time);

    public Task<Round> RunAsync() => Rounds.RunAsync(TestContext.Current.CancellationToken);

    /// <summary>What was asked of the makers since the last time.</summary>
    public string[] Asked()
    {
        string[] asked = [.. Makers.Asked];
        Makers.Asked.Clear();
        return asked;
    }

    public SnpSet? Snp => Endorsements.Read(SnpSet.FileName, SnpSet.MaxSize) is { } file ? SnpSet.TryParse(file, out var set) ? set : throw new InvalidDataException() : null;

    public TdxSet? Tdx => Endorsements.Read(TdxSet.FileName, TdxSet.MaxSize) is { } file ? TdxSet.TryParse(file, out var set) ? set : throw new InvalidDataException() : null;

    public async ValueTask DisposeAsync()
    {
        _web.Dispose();
        await Makers.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
