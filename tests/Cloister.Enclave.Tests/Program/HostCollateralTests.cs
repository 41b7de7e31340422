using System.Diagnostics;
using System.Text;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
using Cloister.Simulation;

namespace Cloister.Enclave.Tests.Program;

/// <summary>The folders between an enclave and a host, each of which may be an adversary.</summary>
public sealed class HostCollateralTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-shared-");

    public void Dispose() => _folder.Delete(recursive: true);

    private SharedFolder Folder => new(_folder.FullName);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private string Text(string name, int max = 10) => Encoding.ASCII.GetString(Folder.Read(name, max)!);

    [Fact]
    public void What_is_put_down_is_read()
    {
        Assert.Null(Folder.Read("a", 10));
        Folder.Replace("a", "first"u8);
        Assert.Equal("first", Text("a", 5));
        Folder.Replace("a", "second"u8);
        Assert.Equal("second", Text("a"));
        Assert.Equal([At("a")], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_folder_that_is_not_there_holds_nothing() => Assert.Null(new SharedFolder(At("none")).Read("a", 10));

    [Fact]
    public void A_longer_file_is_refused()
    {
        Folder.Replace("a", new byte[11]);
        Assert.Contains("longer than the 10 bytes", Assert.Throws<IOException>(() => Folder.Read("a", 10)).Message);
        File.CreateSymbolicLink(At("zero"), "/dev/zero");
        Assert.Contains("is a link", Assert.Throws<IOException>(() => Folder.Read("zero", 10)).Message);
    }

    /// <summary>The host would have a file of the enclave's published, or overwritten.</summary>
    [Fact]
    public void No_link_is_followed()
    {
        var secrets = Directory.CreateTempSubdirectory("cloister-secrets-");
        string secret = Path.Combine(secrets.FullName, "secret");
        File.WriteAllText(secret, "secret");
        File.CreateSymbolicLink(At("a"), secret);
        File.CreateSymbolicLink(At(".b.new"), secret);
        File.CreateSymbolicLink(At("b"), secret);

        Assert.Contains("is a link", Assert.Throws<IOException>(() => Folder.Read("a", 10)).Message);
        Folder.Replace("b", "other"u8);
        Assert.Equal("secret", File.ReadAllText(secret));
        Assert.Equal("other", Text("b"));
        secrets.Delete(recursive: true);
    }

    [Fact]
    public async Task A_pipe_or_a_folder_keeps_nobody_waiting()
    {
        using var pipe = Process.Start("mkfifo", [At("pipe")]);
        await pipe.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", Text("pipe"));
        Directory.CreateDirectory(At("folder"));
        Assert.Contains("cannot be read", Assert.Throws<IOException>(() => Folder.Read("folder", 10)).Message);
    }

    /// <summary>Ended at any step, the former file or the new one is there as a whole, and the next one finds its way.</summary>
    [Theory]
    [InlineData(ReplacementStep.Created, "former")]
    [InlineData(ReplacementStep.HalfWritten, "former")]
    [InlineData(ReplacementStep.Written, "former")]
    [InlineData(ReplacementStep.Flushed, "former")]
    [InlineData(ReplacementStep.Renamed, "new one")]
    public void An_end_in_the_middle_leaves_no_half(object step, string found)
    {
        Folder.Replace("a", "former"u8);
        Assert.Throws<InvalidOperationException>(() => Folder.Replace("a", "new one"u8, reached =>
        {
            if (reached == (ReplacementStep)step)
            {
                throw new InvalidOperationException("The power went.");
            }
        }));
        Assert.Equal(found, Text("a"));
        Folder.Replace("a", "next"u8);
        Assert.Equal("next", Text("a"));
    }

    [Fact]
    public void What_lacks_is_wanted_and_told_in_one_sentence()
    {
        var host = new HostCollateral(Folder, Folder);
        Assert.Contains("has put no snp.json into", Assert.Throws<IOException>(() => host.Take(Want)).Message);
        Assert.True(WantedCollateral.TryParse(Folder.Read(WantedCollateral.FileName, WantedCollateral.MaxSize), out var wanted));
        Assert.Equal(new WantedCollateral { Snp = Want }, wanted);

        Folder.Replace(SnpSet.FileName, Set.ToBytes());
        Assert.Equal(Set.Certificates, host.Take(Want).Certificates);
        Assert.Contains("for this machine and its present firmware", Assert.Throws<IOException>(() => host.Take(Want with { Tcb = SnpFirmware.Of(default) })).Message);
        Assert.Contains("has put no tdx.json", Assert.Throws<IOException>(() => host.Take(new TdxWant { Fmspc = "00a0b0c0d0e0", Authority = PckAuthority.Processor })).Message);
        Assert.Contains("has put no nvidia.json", Assert.Throws<IOException>(() => host.Take(new NvidiaWant { Manifests = ["NV_GPU_DRIVER_GH100_550.144.03"], Chains = [] })).Message);
        Assert.True(WantedCollateral.TryParse(Folder.Read(WantedCollateral.FileName, WantedCollateral.MaxSize), out wanted));
        Assert.NotNull(wanted.Snp);
        Assert.NotNull(wanted.Tdx);
        Assert.Equal(["NV_GPU_DRIVER_GH100_550.144.03"], wanted.Nvidia!.Manifests);
    }

    [Fact]
    public void Who_cannot_be_told_is_named_only_where_something_lacks()
    {
        var host = new HostCollateral(Folder, new SharedFolder(At("none")));
        Assert.Contains("could not be told", Assert.Throws<IOException>(() => host.Take(Want)).Message);
        Folder.Replace(SnpSet.FileName, Set.ToBytes());
        Assert.NotNull(host.Take(Want));
    }

    public static TheoryData<string, string> SpoiledSets => new()
    {
        { "\"certificates\":[", "\"certificates\":[\"AAAA\"," },
        { "\"certificates\":[\"M", "\"certificates\":[\"N" },
        { "\"revocation_list\":\"M", "\"revocation_list\":\"N" },
        { "\"revocation_list\":", "\"turbo\":1,\"revocation_list\":" },
        { "\"key\":\"Vcek\"", "\"key\":\"Vlek\"" },
        { "\"product\":\"Genoa\"", "\"product\":\"Unknown\"" },
        { "\"product\":\"Genoa\"", "\"product\":\"Genoa\",\"product\":\"Genoa\"" },
        { "\"boot_loader\":10,", "" },
    };

    /// <summary>Nothing but what its name says is ever published in its place.</summary>
    [Theory, MemberData(nameof(SpoiledSets))]
    public void A_set_with_something_else_in_it_is_refused(string what, string by)
    {
        string good = Encoding.UTF8.GetString(Set.ToBytes());
        string spoiled = good.Replace(what, by, StringComparison.Ordinal);
        Assert.NotEqual(good, spoiled);
        Folder.Replace(SnpSet.FileName, Encoding.UTF8.GetBytes(spoiled));
        Assert.Contains("is not what the host's helper writes", Assert.Throws<IOException>(() => new HostCollateral(Folder, null).Take(Want)).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"version\":2}")]
    [InlineData("{\"version\":1,\"turbo\":1}")]
    [InlineData("{\"snp\":{\"key\":\"Vlek\",\"product\":\"Unknown\"}}")]
    [InlineData("{\"snp\":{\"key\":\"Vcek\",\"product\":\"Genoa\",\"chip_id\":\"..\",\"tcb\":{\"fmc\":0,\"boot_loader\":0,\"tee\":0,\"snp\":0,\"microcode\":0}}}")]
    [InlineData("{\"snp\":{\"key\":\"Vcek\",\"product\":\"Genoa\"}}")]
    [InlineData("{\"tdx\":{\"fmspc\":\"00A0B0C0D0E0\",\"authority\":\"Platform\"}}")]
    [InlineData("{\"tdx\":{\"fmspc\":\"00a0b0c0d0e0\",\"authority\":\"Unknown\"}}")]
    [InlineData("{\"tdx\":{\"fmspc\":\"00a0b0c0d0e0\",\"authority\":7}}")]
    [InlineData("{\"nvidia\":{\"manifests\":[\"../v2\"],\"chains\":[]}}")]
    [InlineData("{\"nvidia\":{\"manifests\":[\"a/b\"],\"chains\":[]}}")]
    [InlineData("{\"nvidia\":{\"manifests\":[\"a\\n\"],\"chains\":[]}}")]
    [InlineData("{\"nvidia\":{\"manifests\":[\"a\",\"a\"],\"chains\":[]}}")]
    [InlineData("{\"nvidia\":{\"manifests\":[null],\"chains\":[]}}")]
    public void A_want_that_no_maker_could_serve_is_refused(string json) => Assert.False(WantedCollateral.TryParse(Encoding.UTF8.GetBytes(json), out _));

    private static SnpWant Want
    {
        get
        {
            Assert.True(SnpReport.TryParse(Machine.Report(new byte[64]), out var report, out _));
            return SnpWant.Of(report);
        }
    }

    private static SnpSet Set
    {
        get
        {
            var evidence = Machine.Authority.Attest(new SimulatedReport { ReportData = new byte[64], Measurement = SimulatedEnclave.Measurement });
            return new SnpSet { For = Want, Certificates = evidence.Certificates, RevocationList = evidence.RevocationList! };
        }
    }
}
