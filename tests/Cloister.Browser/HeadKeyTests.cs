using System.Text.Json;

namespace Cloister.Browser;

public class HeadKeyTests(Chromium chromium)
{
    private const int HeadSize = 127;

    // A new head key can be exported until it is sealed; what signs heads is a handle that was opened again, and gives no bytes.
    [Fact]
    public async Task Heads_are_signed_with_a_key_that_gives_no_bytes()
    {
        await using var house = await House.StartAsync();
        await using var visitor = await chromium.VisitAsync();
        await visitor.Page.AddInitScriptAsync("""
            globalThis.signed = [];
            const sign = SubtleCrypto.prototype.sign;
            SubtleCrypto.prototype.sign = function (algorithm, key, content) {
              globalThis.signed.push({ algorithm: key.algorithm.name, extractable: key.extractable, length: content.byteLength });
              return sign.call(this, algorithm, key, content);
            };
            """);
        await visitor.EnterAsync(house.Home);
        await visitor.SettleAsync(house, "Bread", "Rye.");

        using var signed = JsonDocument.Parse(await visitor.Page.EvaluateAsync<string>("() => JSON.stringify(globalThis.signed)"));
        JsonElement[] heads = [.. signed.RootElement.EnumerateArray().Where(one => one.GetProperty("algorithm").GetString() == "Ed25519" && one.GetProperty("length").GetInt32() == HeadSize)];
        Assert.NotEmpty(heads);
        Assert.All(heads, head => Assert.False(head.GetProperty("extractable").GetBoolean()));
    }
}
