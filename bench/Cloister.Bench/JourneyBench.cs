using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Client;
using Cloister.Simulation;

namespace Cloister.Bench;

/// <summary>The whole way (client, operator, enclave, upstream) beside the same upstream called directly and through a plain YARP proxy.</summary>
internal static class JourneyBench
{
    private const int TokensPerSecond = 100;
    private const int Tokens = 300;
    private const int IdleSessions = 2_000;

    public static async Task<List<Row>> RunAsync()
    {
        string authorityFile = Path.GetTempFileName();
        using var authority = DevelopmentAuthority.Create(DateTimeOffset.UtcNow);
        await File.WriteAllBytesAsync(authorityFile, authority.Save());

        await using var upstream = await Party.StartAsync("upstream");
        await using var yarp = await Party.StartAsync("yarp", upstream.Address);
        await using var enclave = await Party.StartAsync("enclave", authorityFile, upstream.Address);
        await using var carrier = await Party.StartAsync("operator", enclave.Address);
        File.Delete(authorityFile);

        using var direct = new HttpClient { BaseAddress = new Uri(upstream.Address) };
        using var proxied = new HttpClient { BaseAddress = new Uri(yarp.Address) };
        HttpClient Sealed(ShapingProfile shaping) => new(new SealedHttpHandler(new ClientOptions { Operator = new Uri(carrier.Address), Policy = SimulatedEnclave.Policy(authority), Shaping = shaping })) { BaseAddress = SealedHttpHandler.EnclaveAddress };
        using var padded = Sealed(ShapingProfile.Padded);
        using var paced = Sealed(ShapingProfile.Paced);

        var rows = new List<Row>();
        rows.AddRange(await TokensAsync(direct, proxied, padded, paced, [upstream, enclave, carrier], yarp));
        rows.AddRange(await TogetherAsync(direct, proxied, padded));
        rows.AddRange(await ConversationsAsync(direct, padded));
        rows.Add(await RequestsAsync("requests/s at 64 concurrent, beside YARP", padded, proxied));
        rows.Add(await RequestsAsync("requests/s at 64 concurrent, beside the direct call", padded, direct));
        rows.Add(await IdleAsync(enclave, authority));
        return rows;
    }

    // Interleaved, round by round: how long after it was sent does each token arrive?
    private static async Task<IEnumerable<Row>> TokensAsync(HttpClient direct, HttpClient proxied, HttpClient padded, HttpClient paced, Party[] ours, Party yarp)
    {
        var delays = new Dictionary<HttpClient, List<double>> { [direct] = [], [proxied] = [], [padded] = [], [paced] = [] };
        var firsts = delays.Keys.ToDictionary(client => client, _ => new List<double>());
        foreach (var client in delays.Keys)
        {
            await StreamAsync(client, 50, 1000); // warm
        }

        double oursCpu = 0, yarpCpu = 0;
        for (int round = 0; round < 7; round++)
        {
            foreach (var (client, list) in delays)
            {
                double before = ours[1].CpuTime.TotalSeconds + ours[2].CpuTime.TotalSeconds, yarpBefore = yarp.CpuTime.TotalSeconds;
                var (first, each) = await StreamAsync(client, Tokens, TokensPerSecond);
                firsts[client].Add(first);
                list.AddRange(each);
                oursCpu += client == padded ? ours[1].CpuTime.TotalSeconds + ours[2].CpuTime.TotalSeconds - before : 0;
                yarpCpu += client == proxied ? yarp.CpuTime.TotalSeconds - yarpBefore : 0;
            }
        }

        double At(HttpClient client, double share) => SideBySide.Quantile([.. delays[client]], share);
        double Added(HttpClient client, double share) => (At(client, share) - At(direct, share)) * 1e6;
        double First(HttpClient client) => SideBySide.Median([.. firsts[client]]) * 1e3;
        double tokens = 7.0 * Tokens;
        return
        [
            Plain("added per streamed token, unpaced, p50, beside YARP's", "µs", Added(padded, 0.5), Added(proxied, 0.5), "≤ 1.00"),
            Plain("added per streamed token, unpaced, p99, beside YARP's", "µs", Added(padded, 0.99), Added(proxied, 0.99), "≤ 1 ms"),
            Plain("added per streamed token, paced, p50, beside YARP's", "µs", Added(paced, 0.5), Added(proxied, 0.5), ""),
            Plain("time to first token, unpaced, beside the direct call's", "ms", First(padded), First(direct), ""),
            Plain("time to first token, paced, beside the direct call's", "ms", First(paced), First(direct), ""),
            Plain("CPU per token in operator and enclave, beside YARP's", "µs", oursCpu / tokens * 1e6, yarpCpu / tokens * 1e6, ""),
        ];
    }

    // The same with many conversations at once, when no process sleeps between two tokens.
    private static async Task<IEnumerable<Row>> TogetherAsync(HttpClient direct, HttpClient proxied, HttpClient padded)
    {
        var rows = new List<Row>();
        foreach (int conversations in new[] { 16, 32 })
        {
            var delays = new Dictionary<HttpClient, List<double>> { [direct] = [], [proxied] = [], [padded] = [] };
            for (int round = 0; round < 5; round++)
            {
                foreach (var (client, list) in delays)
                {
                    var streams = await Task.WhenAll(Enumerable.Range(0, conversations).Select(_ => StreamAsync(client, Tokens, TokensPerSecond)));
                    list.AddRange(streams.SelectMany(stream => stream.Each));
                }
            }
            double Added(HttpClient client, double share) => (SideBySide.Quantile([.. delays[client]], share) - SideBySide.Quantile([.. delays[direct]], share)) * 1e6;
            rows.Add(Plain($"added per streamed token, {conversations} conversations, p50, beside YARP's", "µs", Added(padded, 0.5), Added(proxied, 0.5), "≤ 1.00"));
            rows.Add(Plain($"added per streamed token, {conversations} conversations, p99, beside YARP's", "µs", Added(padded, 0.99), Added(proxied, 0.99), "≤ 1 ms"));
        }
        return rows;
    }

    private static async Task<IEnumerable<Row>> ConversationsAsync(HttpClient direct, HttpClient padded)
    {
        async Task<double> RateAsync(HttpClient client, int conversations)
        {
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, conversations).Select(_ => StreamAsync(client, Tokens, TokensPerSecond)));
            return conversations * Tokens / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        var rows = new List<Row>();
        foreach (int conversations in new[] { 1, 4, 16 })
        {
            var (ours, theirs) = (new List<double>(), new List<double>());
            for (int round = 0; round < 3; round++)
            {
                theirs.Add(await RateAsync(direct, conversations));
                ours.Add(await RateAsync(padded, conversations));
            }
            rows.Add(Plain($"tokens/s kept, {conversations} conversations at {TokensPerSecond}/s each", "/s", SideBySide.Median([.. ours]), SideBySide.Median([.. theirs]), "≥ 0.98"));
        }
        return rows;
    }

    private static async Task<Row> RequestsAsync(string name, HttpClient subject, HttpClient anchor)
    {
        static async Task<double> RateAsync(HttpClient client)
        {
            const int requests = 2_000;
            int left = requests;
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
            {
                while (Interlocked.Decrement(ref left) >= 0)
                {
                    using var response = await client.PostAsJsonAsync("v1/chat/completions", new { model = "stand-in", max_tokens = 1 });
                    response.EnsureSuccessStatusCode();
                    await response.Content.ReadAsByteArrayAsync();
                }
            }));
            return requests / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        var (ours, theirs) = (new List<double>(), new List<double>());
        await RateAsync(subject);
        for (int round = 0; round < 5; round++)
        {
            theirs.Add(await RateAsync(anchor));
            ours.Add(await RateAsync(subject));
        }
        return Plain(name, "/s", SideBySide.Median([.. ours]), SideBySide.Median([.. theirs]), "");
    }

    // Private memory of the process per open session that says nothing, beside an idle WebSocket at a plain Kestrel.
    private static async Task<Row> IdleAsync(Party enclave, DevelopmentAuthority authority)
    {
        await using var kestrel = await Party.StartAsync("websocket");
        await OpenSocketsAsync(kestrel.Address, 50, hold: []);
        await kestrel.SettleAsync();
        long emptyKestrel = kestrel.ResidentBytes;
        var sockets = new List<WebSocket>();
        await OpenSocketsAsync(kestrel.Address, IdleSessions, sockets);
        await kestrel.SettleAsync();
        double perSocket = (kestrel.ResidentBytes - emptyKestrel) / (double)IdleSessions;
        sockets.ForEach(socket => socket.Dispose());

        var sessions = new List<SealedStream>();
        byte[] bundle = await FetchBundleAsync(enclave.Address);
        if (!Appraisal.Appraise(bundle, SimulatedEnclave.Policy(authority), DateTimeOffset.UtcNow).TryAccept(out var appraised))
        {
            throw new InvalidOperationException("The enclave is refused.");
        }
        await OpenSessionsAsync(enclave.Address, appraised, 50, sessions);
        await enclave.SettleAsync();
        long empty = enclave.ResidentBytes;
        await OpenSessionsAsync(enclave.Address, appraised, IdleSessions, sessions);
        await enclave.SettleAsync();
        double perSession = (enclave.ResidentBytes - empty) / (double)IdleSessions;
        await Task.WhenAll(sessions.Select(session => session.DisposeAsync().AsTask()));
        return Plain($"memory per idle session of {IdleSessions:#,0}, beside an idle Kestrel WebSocket", "KiB", perSession / 1024, perSocket / 1024, "≤ 1.20");
    }

    private static async Task OpenSocketsAsync(string address, int count, List<WebSocket> hold)
    {
        for (int i = 0; i < count; i++)
        {
            var socket = new ClientWebSocket();
            await socket.ConnectAsync(new UriBuilder(address) { Scheme = "ws" }.Uri, default);
            await socket.SendAsync(new byte[16], WebSocketMessageType.Binary, true, default);
            await socket.ReceiveAsync(new byte[1024], default);
            hold.Add(socket);
        }
    }

    private static async Task OpenSessionsAsync(string address, AppraisedEnclave enclave, int count, List<SealedStream> sessions)
    {
        for (int i = 0; i < count; i++)
        {
            var link = await ConnectAsync(address);
            await link.WriteAsync(new byte[] { 1 });
            sessions.Add(await SealedStream.OpenAsync(new FramedTransport(link), enclave, new ChannelOptions { Time = TimeProvider.System, Shaping = ShapingProfile.Padded }, default));
        }
    }

    private static async Task<byte[]> FetchBundleAsync(string address)
    {
        await using var link = await ConnectAsync(address);
        await link.WriteAsync(new byte[] { 2 });
        var bytes = new MemoryStream();
        await link.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private static async Task<NetworkStream> ConnectAsync(string address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(System.Net.IPEndPoint.Parse(address));
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static async Task<(double First, List<double> Each)> StreamAsync(HttpClient client, int tokens, int perSecond)
    {
        long start = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/chat/completions") { Content = JsonContent.Create(new { model = "stand-in", stream = true, max_tokens = tokens, seed = perSecond }) };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await response.Content.ReadAsStreamAsync();

        var each = new List<double>(tokens);
        double first = 0;
        var held = new StringBuilder();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer) is > 0 and var length)
        {
            long now = Stopwatch.GetTimestamp();
            held.Append(Encoding.ASCII.GetString(buffer, 0, length));
            string text = held.ToString();
            int end = text.LastIndexOf("\n\n", StringComparison.Ordinal);
            if (end < 0)
            {
                continue;
            }
            held.Remove(0, end + 2);
            foreach (string line in text[..end].Split("\n\n"))
            {
                int at = line.IndexOf("\"content\":\"", StringComparison.Ordinal);
                if (at >= 0)
                {
                    var sent = line.AsSpan(at + "\"content\":\"".Length);
                    each.Add(Stopwatch.GetElapsedTime(long.Parse(sent[..sent.IndexOf(' ')], CultureInfo.InvariantCulture), now).TotalSeconds);
                    first = first == 0 ? Stopwatch.GetElapsedTime(start, now).TotalSeconds : first;
                }
            }
        }
        return (first, each);
    }

    private static Row Plain(string name, string unit, double subject, double anchor, string target) => new(name, unit, subject, anchor, subject / anchor, null, target);
}
