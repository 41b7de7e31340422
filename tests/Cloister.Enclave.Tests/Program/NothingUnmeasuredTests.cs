using System.Net;
using System.Net.Sockets;
using System.Text;
using Cloister.Attestation;
using Cloister.Enclave.Tests.Api;
using Cloister.Testing;
using Microsoft.AspNetCore.Http;

namespace Cloister.Enclave.Tests.Program;

/// <summary>docs/spec/statement.md, section 3: no environment variable and no file changes what the enclave does, unless the statement says so.</summary>
public class NothingUnmeasuredTests
{
    [Fact]
    public async Task Variables_and_stray_files_change_nothing()
    {
        using var lurking = new Lurking();
        await using var upstream = await Upstream.StartAsync(context => context.Response.WriteAsync("answered"));
        using var folder = lurking.FolderWithStrayFiles();
        await using var enclave = await EnclaveProcess.StartAsync(Configurations.Upstream(upstream.Address), folder.Path, lurking.Variables());
        AttestationResult? result = null;
        using var client = enclave.Client(found => result = found);
        using var answer = await client.PostAsync("v1/chat/completions", new StringContent("{}", Encoding.UTF8, "application/json"));
        using var tooLong = await client.PostAsync("v1/chat/completions", new StringContent(new string(' ', 1001), Encoding.UTF8, "application/json"));

        Assert.Equal("answered", await answer.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLong.StatusCode);
        Assert.Equal(["Content-Length", "Content-Type", "Host"], upstream.Fields.Keys.Where(name => name != "Transfer-Encoding").Union(["Content-Length"]).Order());
        Assert.True(result!.TryAccept(out var appraised));
        Assert.Equal((7, 3, 1000, 11), (appraised.Statement.Config.Limits.Sessions, appraised.Statement.Config.Limits.Answers, appraised.Statement.Config.Limits.RequestBytes, appraised.Statement.Config.Limits.AnswerTokens));
        Assert.Equal(ShapingFloor.Paced, appraised.Statement.Config.ShapingFloor);
        Assert.Equal("m", appraised.Statement.Models.Single().Name);
        Assert.False(lurking.WasReached, "A proxy or an exporter named by a variable was connected to.");
        Assert.True(lurking.OtherPortIsFree(), "A port named by a variable or a file was opened.");
    }

    [Fact]
    public void The_unit_of_the_image_starts_it_without_an_environment()
    {
        string[] unit = File.ReadAllLines(Path.Combine(Repository.Root, "src", "Cloister.Enclave", "cloister-enclave.service"));
        string start = Assert.Single(unit, line => line.StartsWith("ExecStart", StringComparison.Ordinal));
        Assert.StartsWith("ExecStart=/usr/bin/env -i /", start);
        Assert.DoesNotContain('$', start);
        Assert.DoesNotContain(unit, line => line.StartsWith("Environment", StringComparison.Ordinal) || line.StartsWith("PassEnvironment", StringComparison.Ordinal));
    }

    // What a runtime reads of the environment it reads before the first line of ours. The native one reads how to use memory, and no more.
    [Fact(Explicit = true)]
    public async Task Nothing_looks_into_the_published_program()
    {
        Assert.SkipUnless(EnclaveProcess.IsPublished, "Name the published program in CLOISTER_ENCLAVE.");
        using var folder = new StrayFolder();
        await using var enclave = await EnclaveProcess.StartAsync(Configurations.Embedded(), folder.Path, new Dictionary<string, string>
        {
            // Each would stop the ordinary runtime at its start, or leave a file.
            ["DOTNET_DiagnosticPorts"] = $"{folder.Path}/port,connect,suspend",
            ["DOTNET_EnableEventPipe"] = "1",
            ["DOTNET_EventPipeOutputPath"] = $"{folder.Path}/trace",
            ["DOTNET_EventPipeConfig"] = "*",
            ["DOTNET_PerfMapEnabled"] = "1",
            ["DOTNET_PerfMapJitDumpPath"] = folder.Path,
            ["CORECLR_ENABLE_PROFILING"] = "1",
            ["CORECLR_PROFILER"] = "{00000000-0000-0000-0000-000000000001}",
            ["CORECLR_PROFILER_PATH"] = $"{folder.Path}/profiler.so",
            ["DOTNET_gcServer"] = "1",
            ["COMPlus_gcServer"] = "1",
            ["TMPDIR"] = folder.Path,
        });
        using var client = enclave.Client();
        using var models = await client.GetAsync("v1/models");
        Assert.Equal(HttpStatusCode.OK, models.StatusCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    /// <summary>What an operator might set around the program to bend it.</summary>
    private sealed class Lurking : IDisposable
    {
        private readonly Socket _trap = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly int _otherPort;
        private readonly string _opensslWithoutAlgorithms = Path.GetTempFileName();

        public Lurking()
        {
            _trap.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _trap.Listen();
            using var free = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _otherPort = ((IPEndPoint)free.LocalEndPoint!).Port;
            File.WriteAllText(_opensslWithoutAlgorithms, "openssl_conf = all\n[all]\nproviders = only\n[only]\nnull = active\n[active]\nactivate = 1\n");
        }

        public bool WasReached => _trap.Poll(0, SelectMode.SelectRead);

        public Dictionary<string, string> Variables() => new()
        {
            ["HTTP_PROXY"] = $"http://{_trap.LocalEndPoint}",
            ["http_proxy"] = $"http://{_trap.LocalEndPoint}",
            ["ALL_PROXY"] = $"http://{_trap.LocalEndPoint}",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://{_trap.LocalEndPoint}",
            ["OPENAI_API_KEY"] = "sk-somebody",
            ["OPENAI_BASE_URL"] = $"http://{_trap.LocalEndPoint}",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_otherPort}",
            ["ASPNETCORE_HTTP_PORTS"] = $"{_otherPort}",
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] = "Nobody.Wrote.This",
            ["ASPNETCORE_DETAILEDERRORS"] = "true",
            ["DOTNET_ENVIRONMENT"] = "Development",
            ["DOTNET_STARTUP_HOOKS"] = "/nonexistent/hook.dll",
            ["DOTNET_gcServer"] = "1",
            ["OPENSSL_CONF"] = _opensslWithoutAlgorithms,
            ["DOTNET_URLS"] = $"http://127.0.0.1:{_otherPort}",
            ["Kestrel__Endpoints__Http__Url"] = $"http://127.0.0.1:{_otherPort}",
            ["Logging__LogLevel__Default"] = "Trace",
            ["URLS"] = $"http://127.0.0.1:{_otherPort}",
            ["Config__Limits__RequestBytes"] = "1000000",
        };

        public StrayFolder FolderWithStrayFiles()
        {
            var folder = new StrayFolder();
            string settings = $$$"""
                {
                  "Urls": "http://127.0.0.1:{{{_otherPort}}}",
                  "Kestrel": { "Endpoints": { "Http": { "Url": "http://127.0.0.1:{{{_otherPort}}}" } } },
                  "Logging": { "LogLevel": { "Default": "Trace" } },
                  "Config": { "Limits": { "RequestBytes": 1000000 } }
                }
                """;
            foreach (string name in new[] { "appsettings.json", "appsettings.Production.json", "appsettings.Development.json", "hostsettings.json", "secrets.json", "options.json" })
            {
                File.WriteAllText(System.IO.Path.Combine(folder.Path, name), settings);
            }
            return folder;
        }

        public bool OtherPortIsFree()
        {
            using var caller = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            return Record.Exception(() => caller.Connect(IPAddress.Loopback, _otherPort)) is SocketException;
        }

        public void Dispose()
        {
            _trap.Dispose();
            File.Delete(_opensslWithoutAlgorithms);
        }
    }

    private sealed class StrayFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-stray-");

        public string Path => _folder.FullName;

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
