using System.Collections.Concurrent;
using Cloister.Attestation;
using Cloister.Cli.Collateral;
using Cloister.Enclave.Tests.Program;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Tests.Collateral;

/// <summary>AMD, Intel and NVIDIA on a loopback port: what their services serve for the machines that the tests make.</summary>
internal sealed class VendorServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private VendorServer(WebApplication application) => _application = application;

    /// <summary>By path and query.</summary>
    public ConcurrentDictionary<string, Served> Things { get; } = new();

    /// <summary>Where there is one, it answers in the place of what is served. Asked with how many times the thing was asked for before.</summary>
    public Func<string, int, HttpContext, Task<bool>>? Fault { get; set; }

    /// <summary>What was asked for, in order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    private Uri Address => new(_application.Urls.First() + "/");

    public Vendors Vendors => new()
    {
        Amd = Address,
        Intel = Address,
        IntelRootList = new Uri(Address, "IntelSGXRootCA.der"),
        NvidiaManifests = new Uri(Address, "v1/rim/"),
        NvidiaOcsp = new Uri(Address, "ocsp"),
    };

    public static async Task<VendorServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var server = new VendorServer(application);
        application.Run(server.AnswerAsync);
        await application.StartAsync();
        return server;
    }

    public void ServeAmd(TcbVersion? tcb = null)
    {
        var evidence = Machine.Authority.Attest(new SimulatedReport { ReportData = new byte[64], Measurement = SimulatedEnclave.Measurement });
        byte[][] der = [.. evidence.Certificates.Append(evidence.RevocationList!).Select(text => Convert.FromBase64String(text))];
        var (_, bootLoader, tee, snp, microcode) = tcb ?? SimulatedReport.Tcb;
        Things[$"/vcek/v1/Genoa/{Hex.Encode(Machine.Authority.ChipId.Span)}?blSPL={bootLoader:00}&teeSPL={tee:00}&snpSPL={snp:00}&ucodeSPL={microcode:00}"] = new Served(der[0]);
        Things["/vcek/v1/Genoa/cert_chain"] = new Served(System.Text.Encoding.ASCII.GetBytes(TdxAuthority.Pem(der[1], der[2])));
        Things["/vcek/v1/Genoa/crl"] = new Served(der[3]);
    }

    public void ServeIntel(TdxAuthority intel)
    {
        var collateral = intel.Collateral();
        string signers = System.Text.Encoding.ASCII.GetString(intel.Issuers());
        Things[$"/tdx/certification/v4/tcb?fmspc={TdxAuthority.Fmspc}"] = new Served(collateral.TcbInfo.ToArray(), "TCB-Info-Issuer-Chain", signers);
        Things["/tdx/certification/v4/qe/identity?update=standard"] = new Served(collateral.QeIdentity.ToArray(), "SGX-Enclave-Identity-Issuer-Chain", signers);
        Things["/sgx/certification/v4/pckcrl?ca=platform&encoding=der"] = new Served(collateral.PckRevocationList.ToArray(), "SGX-PCK-CRL-Issuer-Chain", TdxAuthority.Pem(intel.AuthorityCertificate, intel.RootCertificate));
        Things["/IntelSGXRootCA.der"] = new Served(collateral.RootRevocationList.ToArray());
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string what = $"{context.Request.Path}{context.Request.QueryString}";
        int before = Asked.Count(asked => asked == what);
        Asked.Enqueue(what);
        if (Fault is not null && await Fault(what, before, context))
        {
            return;
        }
        if (!Things.TryGetValue(what, out var served))
        {
            context.Response.StatusCode = 404;
            return;
        }
        if (served.Header is not null)
        {
            context.Response.Headers[served.Header] = Uri.EscapeDataString(served.Issuers!);
        }
        byte[] content = served.Respond is null ? served.Content : served.Respond(await ReadAsync(context.Request));
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content);
    }

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        return body.ToArray();
    }
}

/// <param name="Respond">Where there is one, it makes the content of what was posted.</param>
internal sealed record Served(byte[] Content, string? Header = null, string? Issuers = null, Func<byte[], byte[]>? Respond = null);
