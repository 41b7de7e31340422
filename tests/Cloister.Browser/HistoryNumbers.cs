using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Client.Sqlite;
using Cloister.Ledger;
using Cloister.Testing.Devices;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;
using Cloister.Vault.Unlockers;
using static Microsoft.Playwright.Assertions;

namespace Cloister.Browser;

/// <summary>How long a long history takes in the browser, on request: <c>Cloister.Browser -explicit only -class "*HistoryNumbers"</c>.</summary>
public class HistoryNumbers(Chromium chromium)
{
    private const float AnHour = 3_600_000;

    // Notes when each call of WebCrypto was made and over how many bytes, when a row and a hit appeared; and does the same decryptions bare, all at once, which is the least that the browser can do.
    private const string Watch =
        """
        (() => {
          const numbers = globalThis.numbers = { calls: [], seen: {} };
          for (const name of ["decrypt", "unwrapKey"]) {
            const real = SubtleCrypto.prototype[name];
            SubtleCrypto.prototype[name] = function (...given) {
              numbers.calls.push({ name, at: performance.now(), size: name === "decrypt" ? given[2].byteLength : 0 });
              return real.apply(this, given);
            };
          }
          const marks = { row: "[data-conversation]", hit: ".hits li" };
          new MutationObserver(() => {
            for (const [name, selector] of Object.entries(marks)) {
              if (!(name in numbers.seen) && document.querySelector(selector)) {
                numbers.seen[name] = performance.now();
              }
            }
          }).observe(document, { childList: true, subtree: true });
          numbers.bare = async (from, to) => {
            const sizes = numbers.calls.filter(call => call.name === "decrypt" && call.at >= from && call.at <= to).map(call => call.size);
            const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
            const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
            const sealed = await Promise.all(sizes.map(size => crypto.subtle.encrypt(algorithm, key, new Uint8Array(Math.max(0, size - 16)))));
            let best = Infinity;
            for (let round = 0; round < 5; round++) {
              const begin = performance.now();
              await Promise.all(sealed.map(bytes => crypto.subtle.decrypt(algorithm, key, bytes)));
              best = Math.min(best, performance.now() - begin);
            }
            return { ms: best, calls: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
          };
        })()
        """;

    [Theory(Explicit = true)]
    [InlineData(100, 20)]
    [InlineData(1_000, 20)]
    [InlineData(10_000, 20)]
    public async Task Of_a_history(int conversations, int messages)
    {
        await using var house = await House.StartAsync();
        string words = await WriteAsync(house, conversations, messages);

        await using var visitor = await chromium.VisitAsync();
        await visitor.Page.AddInitScriptAsync(Watch);
        await visitor.EnterAsync(house.Home);
        long began = Stopwatch.GetTimestamp();
        await visitor.Press("Keep my history");
        await visitor.Press("I have one: sign in");
        await visitor.Press("With my recovery words");
        await visitor.Dialog.GetByLabel("Recovery words").FillAsync(words);
        await visitor.Press("Sign in");
        await Expect(visitor.Sync).ToHaveTextAsync("Synced", new() { Timeout = AnHour });
        Tell($"{conversations:N0} conversations, {conversations * messages:N0} messages: fetched, checked and kept in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        await visitor.Page.GetByLabel("Search your conversations").FillAsync("heron7");
        await Expect(visitor.Page.Locator(".hits li").First).ToBeVisibleAsync(new() { Timeout = AnHour });
        Tell($"and its words found in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");

        for (int round = 0; round < 9; round++)
        {
            await visitor.EnterAsync(house.Home);
            await Expect(visitor.Page.Locator("[data-conversation]").First).ToBeVisibleAsync(new() { Timeout = AnHour });
            await Expect(visitor.Sync).ToHaveTextAsync("Synced", new() { Timeout = AnHour });
            await ReportAsync(visitor, "from unlock to list", "numbers.calls.find(call => call.name === 'unwrapKey').at", "row");
            foreach (string query in (string[])["heron7", "common", "heron1 common"])
            {
                await visitor.Page.GetByLabel("Search your conversations").FillAsync("");
                await Expect(visitor.Page.Locator(".hits")).ToHaveCountAsync(0);
                await visitor.Page.EvaluateAsync("() => { delete numbers.seen.hit; numbers.asked = performance.now(); }");
                await visitor.Page.GetByLabel("Search your conversations").FillAsync(query);
                await visitor.Page.WaitForFunctionAsync("() => 'hit' in numbers.seen", null, new() { Timeout = AnHour });
                await ReportAsync(visitor, $"from '{query}' to the first hit", "numbers.asked", "hit");
            }
        }
    }

    private static async Task ReportAsync(Visitor visitor, string what, string from, string seen)
    {
        var found = await visitor.Page.EvaluateAsync<Dictionary<string, double>>($"async () => {{ const from = {from}, to = numbers.seen.{seen}; return {{ took: to - from, ...await numbers.bare(from, to) }}; }}");
        Tell($"{what}: {found["took"]:0} ms; bare decryption of the same {found["calls"]:0} pieces, {found["bytes"] / 1024:0} KiB: {found["ms"]:0.0} ms; {found["took"] / Math.Max(found["ms"], 0.1):0.0} times that");
    }

    private static void Tell(FormattableString line) => TestContext.Current.TestOutputHelper!.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    // Made by a device of the same user that is no browser, and sent to the operator.
    private static async Task<string> WriteAsync(House house, int conversations, int messages)
    {
        var folder = Directory.CreateTempSubdirectory("cloister-numbers-");
        try
        {
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            var draft = new AccountEntrance(new AccountPlace
            {
                Operator = new OperatorAccounts(http, house.Home),
                Custody = new MemoryCustody(),
                Memory = new InThisRun(),
                OpenStore = _ => new(SqliteDeviceStore.Open(Path.Combine(folder.FullName, "history.db"))),
            }).SignUp("A device with a long history");
            await using var device = await draft.CreateAsync(null, CancellationToken.None);
            string file = Path.Combine(folder.FullName, "history.jsonl");
            await using (var stream = File.Create(file))
            {
                await ExportAsync(stream, device.Account, conversations, messages);
            }
            await using (var stream = File.OpenRead(file))
            {
                var outcome = await device.History.ImportAsync(stream, CancellationToken.None);
                Assert.Equal(conversations * messages, outcome.Messages);
            }
            do
            {
                await device.History.SyncNowAsync(CancellationToken.None);
            }
            while (device.History.Sync.State is not SyncState.Synced);
            return draft.Words.Text;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // About 90 words each, of a vocabulary in which few are frequent; one in a hundred has a heron with a number.
    private static async Task ExportAsync(Stream stream, AccountNumber account, int conversations, int messages)
    {
        var random = new Random(7);
        var time = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var export = await HistoryExport.BeginAsync(stream, account, time, CancellationToken.None);
        var self = NewIdentity();
        for (int i = 0; i < conversations; i++)
        {
            var id = NewIdentity();
            var title = new Registers(RegisterKind.Conversation, id.ToString()).With(ConversationHeader.TitleField, JsonValue.Create($"Conversation {i} of {Word(random)} and {Word(random)}"), time, self);
            await export.WriteAsync(NewIdentity(), title, CancellationToken.None);
            Message? parent = null;
            for (int k = 0; k < messages; k++)
            {
                time += TimeSpan.FromMinutes(1);
                string text = string.Join(' ', Enumerable.Range(0, 90).Select(_ => Word(random))) + (random.Next(100) == 0 ? $" heron{random.Next(20)}" : "") + (random.Next(4) == 0 ? " common" : "");
                parent = new MessageDraft(id, parent?.Id, k % 2 == 0 ? MessageRole.User : MessageRole.Assistant, text).ToMessage(NewIdentity(), Clock.After(time, parent?.Clock, self));
                await export.WriteAsync(parent.Id, parent, CancellationToken.None);
            }
        }

        Identity NewIdentity()
        {
            byte[] bytes = new byte[Identity.Size];
            random.NextBytes(bytes);
            return Identity.Read(bytes);
        }
    }

    private static string Word(Random random) => $"word{(int)(Math.Pow(random.NextDouble(), 4) * 20_000)}";
}
