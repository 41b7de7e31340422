using System.Diagnostics;
using System.Security.Cryptography;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Client.Sqlite;
using Cloister.Ledger;
using Cloister.Operator;
using Cloister.Testing.Devices;
using Cloister.Testing.Vaults;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Bench;

/// <summary>A large history on one device, beside plain reads of the same rows and bare decryption of the same bytes; and a message's way from one device to another.</summary>
internal static class HistoryBench
{
    private const int Conversations = 10_000;
    private const int MessagesInEach = 20;
    private const int Rounds = 7;

    public static async Task<List<Row>> RunAsync()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-history-").FullName;
        try
        {
            return [.. await LargeAsync(folder), await WayAsync(folder)];
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static async Task<List<Row>> LargeAsync(string folder)
    {
        var account = await TestAccount.MakeAsync();
        string path = Path.Combine(folder, "large.sqlite");
        var device = TestAccount.Random();
        var began = Stopwatch.GetTimestamp();
        await using (var history = await UserHistory.OpenAsync(SqliteDeviceStore.Open(path), account.Keys(), new MemoryLink(account.NewOperator()), device, TimeProvider.System, default))
        {
            await using (var file = await GrowAsync(Path.Combine(folder, "large.jsonl"), account))
            {
                await history.ImportAsync(file, default);
            }
            await history.SyncNowAsync(default);
            Console.WriteLine($"imported and sent in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, {history.Sync}");
        }
        Console.WriteLine($"written in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, {new FileInfo(path).Length >> 20} MiB");

        var (lists, alls, reads, again, bare) = (new double[Rounds], new double[Rounds], new double[Rounds], new double[Rounds], new double[Rounds]);
        for (int round = 0; round < Rounds; round++)
        {
            reads[round] = await ReadAsync(path);
            lists[round] = await OpenAsync(path, account, device, false);
            alls[round] = await OpenAsync(path, account, device, true);
            again[round] = await ReadAsync(path);
            bare[round] = await DecryptAsync(path);
        }
        double[] anchors = [.. reads.Zip(bare, (read, open) => read + open)];
        double[] searches = await SearchAsync(path, account, device);
        double all = SideBySide.Median(alls), anchor = SideBySide.Median(anchors), list = SideBySide.Median(lists), read = SideBySide.Median([.. reads, .. again]);
        return
        [
            new("cold open: the list of 10,000 conversations, beside reading all rows", "ms", list, read, read / list, SideBySide.Median(reads) / SideBySide.Median(again), "≤ 300 ms"),
            new("cold open with everything decrypted anew (200,000 messages), beside reading all rows and bare AES-GCM", "ms", all, anchor, anchor / all, null, "≤ 3 s"),
            new("search among 200,000 messages, p50 beside p95", "ms", SideBySide.Quantile(searches, 0.5), SideBySide.Quantile(searches, 0.95), SideBySide.Quantile(searches, 0.5) / SideBySide.Quantile(searches, 0.95), null, "p95 ≤ 50 ms"),
        ];
    }

    private static async Task<FileStream> GrowAsync(string path, TestAccount account)
    {
        var random = new Random(7);
        string[] words = [.. Enumerable.Range(0, 20_000).Select(_ => new string([.. Enumerable.Range(0, random.Next(3, 10)).Select(_ => (char)('a' + random.Next(26)))]))];
        var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 20);
        var export = await HistoryExport.BeginAsync(file, account.Number, DateTimeOffset.UnixEpoch, default);
        for (int i = 0; i < Conversations; i++)
        {
            var conversation = TestAccount.Random();
            var registers = new Registers(RegisterKind.Conversation, $"{conversation}").With(ConversationHeader.TitleField, $"{words[random.Next(words.Length)]} {words[random.Next(words.Length)]}", DateTimeOffset.UnixEpoch.AddMinutes(i), conversation);
            await export.WriteAsync(account.Keys().Name(registers.Kind, registers.Subject), registers, default);
            Message? before = null;
            for (int m = 0; m < MessagesInEach; m++)
            {
                // Common words are common: half of the words are of the first hundred.
                string text = string.Join(' ', Enumerable.Range(0, random.Next(5, 60)).Select(_ => words[random.Next(2) == 0 ? random.Next(100) : random.Next(words.Length)]));
                before = new MessageDraft(conversation, before?.Id, m % 2 == 0 ? MessageRole.User : MessageRole.Assistant, text)
                    .ToMessage(TestAccount.Random(), Clock.After(DateTimeOffset.UnixEpoch.AddMinutes(i), before?.Clock, conversation));
                await export.WriteAsync(before.Id, before, default);
            }
        }
        file.Position = 0;
        return file;
    }

    // Without the derived state: the index is another key's.
    private static async Task<double> OpenAsync(string path, TestAccount account, Identity device, bool anew)
    {
        if (anew)
        {
            await using var store = SqliteDeviceStore.Open(path);
            await store.WriteAsync([StoreWrite.Delete(StoreTable.Index, "list"u8.ToArray())], default);
        }
        var began = Stopwatch.GetTimestamp();
        var history = await UserHistory.OpenAsync(SqliteDeviceStore.Open(path), account.Keys(), null, device, TimeProvider.System, default);
        int shown = history.Conversations.Count;
        double elapsed = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await history.DisposeAsync();
        return shown == Conversations ? elapsed : throw new InvalidOperationException($"{shown} conversations are shown.");
    }

    private static async Task<double> ReadAsync(string path)
    {
        var began = Stopwatch.GetTimestamp();
        await using var store = SqliteDeviceStore.Open(path);
        await foreach (var _ in RowsAsync(store))
        {
        }
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static async Task<double> DecryptAsync(string path)
    {
        await using var store = SqliteDeviceStore.Open(path);
        using var key = new AesGcm(RandomNumberGenerator.GetBytes(32), 16);
        byte[] nonce = new byte[12], tag = new byte[16];
        var elapsed = TimeSpan.Zero;
        await foreach (var row in RowsAsync(store))
        {
            byte[] plain = new byte[row.Value.Length];
            var began = Stopwatch.GetTimestamp();
            key.Encrypt(nonce, row.Value, plain, tag); // as much work as opening, and it needs no ciphertext of this key
            elapsed += Stopwatch.GetElapsedTime(began);
        }
        return elapsed.TotalMilliseconds;
    }

    private static async IAsyncEnumerable<StoreRow> RowsAsync(SqliteDeviceStore store)
    {
        byte[] from = [];
        while (true)
        {
            var rows = await store.ReadRangeAsync(StoreTable.Items, from, default, 2000, default);
            foreach (var row in rows)
            {
                yield return row;
            }
            if (rows.Count < 2000)
            {
                yield break;
            }
            from = [.. rows[^1].Key, 0];
        }
    }

    private static async Task<double[]> SearchAsync(string path, TestAccount account, Identity device)
    {
        await using var history = await UserHistory.OpenAsync(SqliteDeviceStore.Open(path), account.Keys(), null, device, TimeProvider.System, default);
        var random = new Random(8);
        var some = history.Conversations.Where(_ => random.Next(40) == 0).Take(200).ToList();
        var times = new List<double>();
        int found = 0;
        foreach (var header in some)
        {
            var words = (await history.ReadAsync(header.Id, default)).Branch[3].Text.Split(' ');
            string query = random.Next(3) == 0 ? words[^1][..3] : $"{words[0]} {words[^1]}";
            var began = Stopwatch.GetTimestamp();
            await foreach (var _ in history.SearchAsync(query, default))
            {
                if (++found % 20 == 0)
                {
                    break; // what is on a screen
                }
            }
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        Console.WriteLine($"{times.Count} searches, {found} hits");
        return [.. times.Skip(10)];
    }

    private static async Task<Row> WayAsync(string folder)
    {
        await using var program = OperatorProgram.Build(
            new OperatorOptions
            {
                Listen = "127.0.0.1:0",
                Enclaves = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("none", "127.0.0.1:9"),
                Accounts = new AccountsOptions { Database = Path.Combine(folder, "accounts.db"), Domain = "localhost" },
            },
            logging => logging.ClearProviders());
        await program.StartAsync();
        var address = new Uri(program.Urls.First() + "/");
        using var http = new HttpClient();
        AccountPlace Place(string name) => new()
        {
            Operator = new OperatorAccounts(http, address),
            Custody = new MemoryCustody(),
            Memory = new InThisRun(),
            OpenStore = _ => new(SqliteDeviceStore.Open(Path.Combine(folder, name))),
        };
        var draft = new AccountEntrance(Place("one")).SignUp("one");
        await using var one = await draft.CreateAsync(null, default);
        await using var other = await new AccountEntrance(Place("other")).EnterWithWordsAsync(draft.Words, "other", default);
        await one.History.SyncNowAsync(default);
        await other.History.SyncNowAsync(default);
        await Task.Delay(500);

        var conversation = TestAccount.Random();
        var (ways, trips) = (new List<double>(), new List<double>());
        var arrived = new SemaphoreSlim(0);
        other.History.Changed += () => arrived.Release();
        for (int i = 1; i <= 200; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await one.History.AddAsync(new(conversation, null, MessageRole.User, $"message {i}"), default);
            while ((other.History.Conversations.SingleOrDefault(header => header.Id == conversation)?.Messages ?? 0) < i)
            {
                await arrived.WaitAsync();
            }
            ways.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            began = Stopwatch.GetTimestamp();
            using var answer = await http.GetAsync(new Uri(address, "cloister/v1/directory"));
            trips.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        double[] way = [.. ways.Skip(20)], trip = [.. trips.Skip(20)];
        Console.WriteLine($"from one device to another: p50 {SideBySide.Quantile(way, 0.5):0.0} ms, p95 {SideBySide.Quantile(way, 0.95):0.0} ms");
        return new("a message from one device to another over the operator (loopback, three flushed databases), beside one bare request", "ms", SideBySide.Median(way), SideBySide.Median(trip), SideBySide.Median(trip) / SideBySide.Median(way), null, "≤ 50 ms");
    }
}
