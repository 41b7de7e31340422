using System.Security.Cryptography;
using Cloister.Ledger;

namespace Cloister.Operator.Tests.Accounts;

public sealed class PairingInSqlite(InSqlite database) : PairingTests(database), IClassFixture<InSqlite>;

public sealed class PairingInPostgres(InPostgres database) : PairingTests(database), IClassFixture<InPostgres>;

/// <summary>docs/spec/accounts.md, section 5.</summary>
public abstract class PairingTests(AccountsDatabase database)
{
    private readonly string _slot = NewSlot();

    [Fact]
    public async Task Four_messages_are_each_written_once_and_read_by_both()
    {
        var api = new Api((await database.OperatorAsync()).Http);
        Assert.Equal("404 unknown", (await PutAsync(api, "2", [2])).Verdict); // nobody began
        foreach (string number in (string[])["1", "2", "3", "4"])
        {
            byte[] message = RandomNumberGenerator.GetBytes(2048);
            Assert.Equal("404 unknown", (await api.AskAsync("GET", $"/pairing/{_slot}/{number}")).Verdict);
            Assert.Equal(200, (await PutAsync(api, number, message)).Status);
            Assert.Equal("409 taken", (await PutAsync(api, number, [1])).Verdict);
            Assert.Equal(message, (await api.AskAsync("GET", $"/pairing/{_slot.ToLowerInvariant().Replace("-", "", StringComparison.Ordinal)}/{number}")).Bytes);
        }
        Assert.Equal("404 unknown", (await api.AskAsync("GET", $"/pairing/{NewSlot()}/1")).Verdict);
    }

    [Fact]
    public async Task A_slot_lives_five_minutes_from_its_first_message()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("pairing", time);
        var api = new Api(program.Http);
        Assert.Equal(200, (await PutAsync(api, "1", [1])).Status);
        time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.Equal(200, (await PutAsync(api, "2", [2])).Status);
        time.Advance(TimeSpan.FromMinutes(0.1));
        Assert.Equal("404 unknown", (await api.AskAsync("GET", $"/pairing/{_slot}/1")).Verdict);
        Assert.Equal("404 unknown", (await api.AskAsync("GET", $"/pairing/{_slot}/2")).Verdict);
        Assert.Equal("404 unknown", (await PutAsync(api, "3", [3])).Verdict);
        Assert.Equal(200, (await PutAsync(api, "1", [1])).Status);
        Assert.Equal("404 unknown", (await api.AskAsync("GET", $"/pairing/{_slot}/2")).Verdict);
    }

    [Fact]
    public async Task Slots_are_limited_for_each_address()
    {
        var time = new ManualTime();
        await using var program = await database.StartAsync("slots", time);
        var api = new Api(program.Http);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await api.OctetsAsync("PUT", $"/pairing/{NewSlot()}/1", [1])).Status);
        }
        Assert.Equal("429 too_many", (await PutAsync(api, "1", [1])).Verdict);
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(200, (await PutAsync(api, "1", [1])).Status);
    }

    [Fact]
    public async Task One_site_fills_no_mailboxes_from_its_many_networks()
    {
        await using var program = await database.StartAsync("site", new ManualTime(), options => options with { AddressHeader = "X-Forwarded-For" });
        var api = new Api(program.Http);
        Task<Reply> PutAsync(string address)
        {
            var message = new ByteArrayContent([1]) { Headers = { ContentType = new("application/octet-stream") } };
            return api.SendAsync("PUT", $"/pairing/{NewSlot()}/1", message, null, request => request.Headers.Add("X-Forwarded-For", address));
        }
        for (int i = 0; i < 320; i++)
        {
            Assert.Equal(200, (await PutAsync($"2001:db8:1:{i:x}::1")).Status);
        }
        Assert.Equal("429 too_many", (await PutAsync("2001:db8:1:ffff::1")).Verdict);
        Assert.Equal(200, (await PutAsync("2001:db8:2::1")).Status);
        Assert.Equal(200, (await PutAsync("192.0.2.1")).Status);
    }

    [Fact]
    public async Task What_is_no_message_or_no_slot_is_refused()
    {
        var api = new Api((await database.OperatorAsync()).Http);
        Assert.Equal("413 too_large", (await PutAsync(api, "1", new byte[2049])).Verdict);
        Assert.Equal("400 malformed", (await PutAsync(api, "1", [])).Verdict);
        foreach (string path in (string[])[$"/pairing/{_slot}/0", $"/pairing/{_slot}/5", $"/pairing/{_slot}/01", $"/pairing/{_slot}0/1", "/pairing/UUUUUUUU/1", "/pairing/1234567/1"])
        {
            Assert.Equal("404 unknown", (await api.OctetsAsync("PUT", path, [1])).Verdict);
        }
    }

    private static string NewSlot() => CrockfordBase32.Encode(RandomNumberGenerator.GetBytes(5));

    private Task<Reply> PutAsync(Api api, string number, byte[] message) => api.OctetsAsync("PUT", $"/pairing/{_slot}/{number}", message);
}
