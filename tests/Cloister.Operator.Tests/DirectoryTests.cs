using System.Security.Cryptography;
using System.Text.Json;

namespace Cloister.Operator.Tests;

public class DirectoryTests
{
    [Fact]
    public async Task Lists_the_bundles_of_the_enclaves_that_answer()
    {
        using var one = new Neighbour();
        await using var program = await RunningOperator.StartAsync(RunningOperator.Options(("one", one.Address), ("away", Neighbour.Nobody())));
        byte[] bundle = RandomNumberGenerator.GetBytes(100_000);

        var asking = AskAsync(program);
        await GiveAsync(one, bundle);
        var (name, given) = Assert.Single(await asking);
        Assert.Equal("one", name);
        Assert.Equal(bundle, given);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4 * 1024 * 1024 + 1)]
    public async Task An_enclave_that_gives_nothing_or_too_much_is_absent(int length)
    {
        using var one = new Neighbour();
        await using var program = await RunningOperator.StartAsync(one);
        var asking = AskAsync(program);
        await GiveAsync(one, new byte[length]);
        Assert.Empty(await asking);
    }

    [Fact]
    public async Task An_enclave_that_keeps_silent_is_absent_in_the_end()
    {
        var time = new ManualTime();
        using var silent = new Neighbour();
        await using var program = await RunningOperator.StartAsync(RunningOperator.Options(("silent", silent.Address)), time);
        var asking = AskAsync(program);
        using var link = await silent.NextAsync();
        Assert.Equal(2, link.Kind);
        Assert.False(asking.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(await asking);
    }

    [Fact]
    public async Task Is_asked_for_again_only_after_some_seconds()
    {
        var time = new ManualTime();
        using var one = new Neighbour();
        await using var program = await RunningOperator.StartAsync(RunningOperator.Options(("one", one.Address)), time);

        var asking = Task.WhenAll(AskAsync(program), AskAsync(program), AskAsync(program));
        await GiveAsync(one, [1]);
        await asking;
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([1], Assert.Single(await AskAsync(program)).Bundle);
        Assert.Equal(1, one.Accepted);

        time.Advance(TimeSpan.FromSeconds(2));
        var again = AskAsync(program);
        await GiveAsync(one, [2]);
        Assert.Equal([2], Assert.Single(await again).Bundle);
    }

    private static async Task<(string Name, byte[] Bundle)[]> AskAsync(RunningOperator program)
    {
        var response = await program.Http.GetAsync("/cloister/v1/enclaves");
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        return [.. document.RootElement.GetProperty("enclaves").EnumerateArray().Select(entry => (entry.GetProperty("name").GetString()!, entry.GetProperty("bundle").GetBytesFromBase64()))];
    }

    private static async Task GiveAsync(Neighbour neighbour, byte[] bundle)
    {
        using var link = await neighbour.NextAsync();
        Assert.Equal(2, link.Kind);
        try
        {
            await link.SendRawAsync(bundle);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // It stops reading where a bundle is too long.
        }
    }
}
