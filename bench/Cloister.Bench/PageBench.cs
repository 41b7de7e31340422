using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;

namespace Cloister.Bench;

/// <summary>Appraisals in headless Chromium, as the web app makes them, beside the same page's own signature checks (WebCrypto).</summary>
internal static class PageBench
{
    private const int Visits = 5;

    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private static readonly (string Name, string What, string Target)[] Subjects =
    [
        ("snp", "SEV-SNP bundle, beside four RSA-4096 and one P-384", "≤ 100 ms"),
        ("published", "the same with release, fleet and three witnesses", "≤ 100 ms"),
        ("tdx", "TDX quote with collateral, beside eleven P-256", "≤ 200 ms"),
        ("rsa", "one RSA-PSS-4096", ""),
        ("p384", "one ECDSA P-384", ""),
        ("p256", "one ECDSA P-256", ""),
        ("ed25519", "one Ed25519", ""),
    ];

    /// <param name="folder">Where the page was published.</param>
    public static async Task<List<Row>> RunAsync(string folder)
    {
        string browser = Array.Find(Places, File.Exists) ?? throw new InvalidOperationException("There is no Chromium: apt-get install chromium.");
        var results = System.Threading.Channels.Channel.CreateUnbounded<JsonNode>();
        await using var server = Serve(Path.Combine(folder, "wwwroot"), PageEvidence.Make(), results.Writer.TryWrite);
        await server.StartAsync();
        string address = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

        // In the first call of a page the interpreter has met nothing yet: so each visit has another first.
        var visits = new List<(string First, JsonNode Times)>();
        for (int visit = 0; visit < Visits; visit++)
        {
            foreach (var (first, _, _) in Subjects.Where(subject => subject.Target.Length > 0))
            {
                visits.Add((first, await VisitAsync(browser, $"{address}/?first={first}", results.Reader)));
            }
        }
        return [.. Subjects.SelectMany(subject => RowsOf(subject.Name, subject.What, subject.Target, visits))];
    }

    private static IEnumerable<Row> RowsOf(string name, string what, string target, List<(string First, JsonNode Times)> visits)
    {
        double[] Times(string kind) => [.. visits.SelectMany(visit => visit.Times[name]![kind]!.AsArray().Select(time => time!.GetValue<double>()))];
        var (ours, beside, again) = (Times("ours"), Times("beside"), Times("again"));
        double anchor = SideBySide.Median([.. beside, .. again]);
        double noise = SideBySide.Median(beside) / SideBySide.Median(again);
        yield return new Row(what, "ms", SideBySide.Median(ours), anchor, SideBySide.Median(ours) / anchor, noise, target);
        if (target.Length > 0)
        {
            double[] firsts = [.. visits.Where(visit => visit.First == name).Select(visit => visit.Times[name]!["first"]!.GetValue<double>())];
            yield return new Row($"the first {(name is "tdx" ? "quote" : "bundle")} of a page, of {Visits} visits the median", "ms", SideBySide.Median(firsts), anchor, SideBySide.Median(firsts) / anchor, null, "");
        }
    }

    private static WebApplication Serve(string root, string evidence, Func<JsonNode, bool> take)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".dat"] = "application/octet-stream";
        var files = new PhysicalFileProvider(root);

        // A page that is isolated from all others has a clock of 5 µs instead of 100.
        app.Use((context, next) =>
        {
            context.Response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
            context.Response.Headers["Cross-Origin-Embedder-Policy"] = "require-corp";
            return next();
        });
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files });
        app.UseStaticFiles(new StaticFileOptions { FileProvider = files, ContentTypeProvider = types });
        app.MapGet("/evidence.json", () => Results.Text(evidence, "application/json"));
        app.MapPost("/results", async (HttpRequest request) => take((await JsonNode.ParseAsync(request.Body))!));
        return app;
    }

    // Each visit has a browser and a profile of its own, so that nothing is warm.
    private static async Task<JsonNode> VisitAsync(string browser, string address, System.Threading.Channels.ChannelReader<JsonNode> results)
    {
        string profile = Directory.CreateTempSubdirectory("cloister-page-").FullName;
        string[] arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", $"--user-data-dir={profile}", address];
        using var process = Process.Start(new ProcessStartInfo(browser, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            var result = await results.ReadAsync(patience.Token);
            return result["fault"] is { } fault ? throw new InvalidOperationException($"{fault}") : result;
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            Directory.Delete(profile, recursive: true);
        }
    }
}
