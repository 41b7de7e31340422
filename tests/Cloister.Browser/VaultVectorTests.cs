using System.Text.Json;
using Cloister.Ledger;
using Cloister.Testing;
using Cloister.Vault.Keys;
using Cloister.Vault.Unlockers;

namespace Cloister.Browser;

/// <summary>vault.js and the native vault, by docs/spec/vectors/vault.json: the same bytes, and what one seals the other opens.</summary>
public sealed class VaultVectorTests(Chromium chromium) : IAsyncLifetime
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "docs", "spec", "vectors", "vault.json"))).RootElement;

    // What every script below begins with. A row is what WebCryptoKeys writes: epoch ‖ additional data ‖ length ‖ bytes.
    private const string Begin = """
        async text => {
          const vectors = JSON.parse(text);
          const vault = await import("/vault.js");
          const bytes = hex => Uint8Array.from(hex.match(/../g) ?? [], byte => parseInt(byte, 16));
          const hex = array => [...array].map(byte => byte.toString(16).padStart(2, "0")).join("");
          const account = bytes(vectors.account);
          const u32 = number => [24, 16, 8, 0].map(shift => number >>> shift & 255);
          const row = (epoch, associated, content) => [...u32(epoch), ...bytes(associated), ...u32(content.length), ...content];
          const rows = packed => {
            const found = [];
            for (let at = 0; at < packed.length;) {
              const length = new DataView(packed.buffer, packed.byteOffset + at + 1).getUint32(0);
              found.push({ fault: packed[at], content: packed.slice(at + 5, at + 5 + length) });
              at += 5 + length;
            }
            return found;
          };
          const { by_secret, to_key } = vectors.wraps;
          const secret = await vault.importSecret(bytes(vectors.words.secret));
          const wrapKey = await vault.wrapKeyOf(secret, account);
          const wrapped = bytes(by_secret.wrap);
          const first = await vault.unwrapAccountKey(wrapKey, wrapped.slice(17), wrapped.slice(5, 17), bytes(by_secret.associated));
          const second = await vault.unwrapAccountKey(await vault.importWrapKey(bytes(to_key.key)), bytes(to_key.wrap).slice(-48), new Uint8Array(12), bytes(to_key.associated));
          const record = bytes(vectors.epochs[1]), begin = record.slice(0, 96), publicKey = record.slice(32, 64), sealedHead = record.slice(96, 172), sealedPrevious = record.slice(172, 232);
          const head = await vault.openHeadKey(second, account, sealedHead.slice(12), sealedHead.slice(0, 12), begin, publicKey);
          const epochs = [await vault.itemKeys(first, account), await vault.itemKeys(second, account)];
          const cache = await vault.cacheKey(second, account);
        """;

    private House _house = null!;
    private Visitor _visitor = null!;

    public async ValueTask InitializeAsync()
    {
        _house = await House.StartAsync();
        _visitor = await chromium.VisitAsync();
        await _visitor.Page.GotoAsync(_house.Address.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        if (_visitor is not null)
        {
            await _visitor.DisposeAsync();
        }
        if (_house is not null)
        {
            await _house.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_is_derived_wrapped_and_signed_is_the_same()
    {
        var made = await RunAsync("""
            const derived = {};
            for (const info of Object.keys(vectors.derived_from_first)) {
              derived[info] = hex((await vault.deriveFromAccount(first, account, info)).bytes);
            }
            return {
              derived,
              unlocker: hex((await vault.derive(secret, new Uint8Array(0), "cloister unlocker v1 id", 16)).bytes),
              wrap: "0100000001" + hex(wrapped.slice(5, 17)) + hex((await vault.wrapAccountKey(first, wrapKey, wrapped.slice(5, 17), bytes(by_secret.associated))).bytes),
              previous: hex(sealedPrevious.slice(0, 12)) + hex((await vault.sealPrevious(second, first, account, sealedPrevious.slice(0, 12), begin)).bytes),
              signature: hex((await vault.sign(head, bytes(vectors.head.bytes))).bytes),
            };
            """);
        Assert.Equal(Vectors.GetProperty("derived_from_first").EnumerateObject().Select(one => (one.Name, one.Value.GetString())), made.GetProperty("derived").EnumerateObject().Select(one => (one.Name, one.Value.GetString())));
        Assert.Equal(Text("words", "unlocker"), made.GetProperty("unlocker").GetString());
        Assert.Equal(Text("wraps", "by_secret", "wrap"), made.GetProperty("wrap").GetString());
        Assert.Equal(Convert.ToHexStringLower(Record(1).SealedPrevious.Span), made.GetProperty("previous").GetString());
        Assert.Equal(Text("head", "signature"), made.GetProperty("signature").GetString());
    }

    [Fact]
    public async Task What_the_records_lead_back_to_is_the_first_account_key()
    {
        var made = await RunAsync("""
            const opened = await vault.openPrevious(second, account, sealedPrevious.slice(12), sealedPrevious.slice(0, 12), begin);
            return hex((await vault.deriveFromAccount(opened, account, "cloister account v1 key commitment")).bytes);
            """);
        Assert.Equal(Convert.ToHexStringLower(Record(0).KeyCommitment.Span), made.GetString());
    }

    [Fact]
    public async Task Sealed_items_open_to_the_same_padded_content()
    {
        var made = await RunAsync("""
            const opened = rows((await vault.openItems(epochs, new Uint8Array(vectors.items.flatMap(item => row(item.epoch, item.associated, bytes(item.sealed)))))).bytes);
            return opened.map(({ fault, content }) => ({ fault, content: hex(content) }));
            """);
        foreach (var (opened, item) in made.EnumerateArray().Zip(Vectors.GetProperty("items").EnumerateArray()))
        {
            string content = item.GetProperty("content").GetString()!, padded = opened.GetProperty("content").GetString()!;
            Assert.Equal((int)OpenFault.None, opened.GetProperty("fault").GetInt32());
            Assert.StartsWith($"{content.Length / 2:x8}{content}", padded, StringComparison.Ordinal);
            Assert.Equal("", padded[(8 + content.Length)..].Trim('0'));
        }
        Assert.Equal(5, made.GetArrayLength());
    }

    // Each byte behind the epoch: the nonce and the commitment are one fault, the ciphertext the other. They are the native vault's.
    [Fact]
    public async Task Each_spoiled_byte_is_refused_with_the_fault_that_the_native_vault_names()
    {
        var made = await RunAsync("""
            const { epoch, associated, sealed } = vectors.items[1];
            const spoiled = [...bytes(sealed).keys()].slice(5).flatMap(at => row(epoch, associated, bytes(sealed).map((byte, i) => i === at ? byte ^ 1 : byte)));
            return rows((await vault.openItems(epochs, new Uint8Array(spoiled))).bytes).map(({ fault }) => fault);
            """);
        OpenFault[] faults = [.. made.EnumerateArray().Select(fault => (OpenFault)fault.GetInt32())];
        using var keys = await NativeAsync();
        var change = Change(Vectors.GetProperty("items")[1]);
        var native = await keys.OpenAsync([.. Enumerable.Range(5, faults.Length).Select(at => change with { Sealed = Spoil(change.Sealed.Span, at) })], TestContext.Current.CancellationToken);
        Assert.Equal(native.Select(opened => opened.Fault), faults);
        Assert.Equal([OpenFault.WrongCommitment, OpenFault.Corrupt], faults.Distinct());
    }

    [Fact]
    public async Task What_the_browser_seals_the_native_vault_opens()
    {
        var made = await RunAsync("""
            const items = vectors.items.filter(item => item.epoch === 2);
            const padded = item => {
              const content = bytes(item.content);
              const whole = new Uint8Array(item.sealed.length / 2 - 77);
              whole.set([...u32(content.length), ...content]);
              return whole;
            };
            const sealed = rows((await vault.sealItems(epochs, new Uint8Array(items.flatMap(item => row(2, item.associated, padded(item)))))).bytes);
            return { items: sealed.map(({ content }) => "0100000002" + hex(content)), cache: hex((await vault.sealForDevice(cache, "list", bytes(vectors.device_cache.content))).bytes) };
            """);
        using var keys = await NativeAsync();
        JsonElement[] items = [.. Vectors.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("epoch").GetInt32() == 2)];
        var opened = await keys.OpenAsync([.. made.GetProperty("items").EnumerateArray().Zip(items, (bytes, item) => Change(item) with { Sealed = Bytes(bytes) })], TestContext.Current.CancellationToken);
        Assert.Equal(items.Select(item => item.GetProperty("content").GetString()), opened.Select(item => Convert.ToHexStringLower(item.Content.Span)));
        Assert.All(opened, item => Assert.Equal(OpenFault.None, item.Fault));
        Assert.Equal(Text("device_cache", "content"), Convert.ToHexStringLower((await keys.OpenForDeviceAsync("list", Bytes(made.GetProperty("cache")), TestContext.Current.CancellationToken))!));
    }

    [Fact]
    public async Task What_a_device_keeps_opens_for_its_purpose_and_no_other()
    {
        var made = await RunAsync("""
            const kept = bytes(vectors.device_cache.sealed);
            return { content: hex((await vault.openForDevice(cache, "list", kept)).bytes), other: await vault.openForDevice(cache, "lists", kept), cut: await vault.openForDevice(cache, "list", kept.slice(0, 5)) };
            """);
        Assert.Equal(Text("device_cache", "content"), made.GetProperty("content").GetString());
        Assert.Equal(JsonValueKind.Null, made.GetProperty("other").ValueKind);
        Assert.Equal(JsonValueKind.Null, made.GetProperty("cut").ValueKind);
    }

    [Fact]
    public async Task What_does_not_open_is_null()
    {
        var made = await RunAsync("""
            const spoil = array => array.map((byte, at) => at === 20 ? byte ^ 1 : byte);
            return [
              await vault.unwrapAccountKey(wrapKey, spoil(wrapped.slice(17)), wrapped.slice(5, 17), bytes(by_secret.associated)),
              await vault.unwrapAccountKey(wrapKey, wrapped.slice(17), wrapped.slice(5, 17), spoil(bytes(by_secret.associated))),
              await vault.openHeadKey(second, account, spoil(sealedHead.slice(12)), sealedHead.slice(0, 12), begin, publicKey),
              await vault.openHeadKey(second, account, sealedHead.slice(12), sealedHead.slice(0, 12), begin, spoil(publicKey)),
              await vault.openHeadKey(first, account, sealedHead.slice(12), sealedHead.slice(0, 12), begin, publicKey),
              await vault.openPrevious(second, account, spoil(sealedPrevious.slice(12)), sealedPrevious.slice(0, 12), begin),
            ];
            """);
        Assert.All(made.EnumerateArray(), one => Assert.Equal(JsonValueKind.Null, one.ValueKind));
        Assert.Equal(6, made.GetArrayLength());
    }

    // What stays after unlocking gives no bytes. The handle that wraps does, and is let go of: docs/limitations.md.
    [Fact]
    public async Task The_handles_that_stay_cannot_be_exported()
    {
        var made = await RunAsync("""
            const fresh = await vault.newSecret();
            const exported = async (format, key) => crypto.subtle.exportKey(format, key).then(() => "given away", error => error.name);
            return [
              await exported("raw", secret), await exported("raw", fresh), await exported("raw", wrapKey), await exported("raw", first.deriving), await exported("pkcs8", head.key),
              await exported("raw", epochs[1].blocks), await exported("raw", epochs[1].commitment), await exported("raw", cache),
            ];
            """);
        Assert.All(made.EnumerateArray(), name => Assert.NotEqual("given away", name.GetString()));
        Assert.Equal(8, made.GetArrayLength());
    }

    // As text, because Playwright puts members of its own into objects.
    private async Task<JsonElement> RunAsync(string script)
    {
        string made = await _visitor.Page.EvaluateAsync<string>($"{Begin}\nconst run = async () => {{ {script} }};\nreturn JSON.stringify(await run());\n}}", Vectors.GetRawText());
        return JsonDocument.Parse(made).RootElement;
    }

    private static async Task<VaultKeys> NativeAsync()
    {
        using var secret = MemorySecret.Import(UnlockerKind.RecoveryWords, Bytes(Vectors.GetProperty("words").GetProperty("secret")));
        var wraps = Vectors.GetProperty("wraps");
        var stored = new StoredWraps(Identity.Read(Bytes(Vectors.GetProperty("words").GetProperty("unlocker"))), Bytes(wraps.GetProperty("by_secret").GetProperty("wrap")), Bytes(wraps.GetProperty("to_key").GetProperty("wrap")));
        var outcome = await new MemoryCustody().UnlockAsync(secret, stored, [Record(0), Record(1)], null);
        Assert.Equal(UnlockFault.None, outcome.Fault);
        using var unlocked = outcome.Unlocked!;
        return await unlocked.KeysAsync();
    }

    private static EpochRecord Record(int index) => EpochRecord.TryParse(Bytes(Vectors.GetProperty("epochs")[index]), out var record, out var error) ? record : throw new InvalidDataException($"{error}");

    private static SealedChange Change(JsonElement item) =>
        new(Identity.Read(Bytes(item.GetProperty("item"))), ulong.Parse(item.GetProperty("version").GetString()!, System.Globalization.CultureInfo.InvariantCulture), Bytes(item.GetProperty("sealed")));

    private static byte[] Spoil(ReadOnlySpan<byte> bytes, int at)
    {
        byte[] spoiled = bytes.ToArray();
        spoiled[at] ^= 1;
        return spoiled;
    }

    private static string Text(params string[] path) => path.Aggregate(Vectors, (element, name) => element.GetProperty(name)).GetString()!;

    private static byte[] Bytes(JsonElement hex) => Convert.FromHexString(hex.GetString()!);
}
