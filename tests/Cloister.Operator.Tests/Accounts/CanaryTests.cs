using System.Diagnostics;
using System.Text;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

public sealed class CanariesInSqlite(InSqlite database) : CanaryTests(database), IClassFixture<InSqlite>
{
    protected override async Task<byte[]> EverythingAsync(string name)
    {
        var all = new MemoryStream();
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(name)!, Path.GetFileName(name) + "*").Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            // Beside the operator, which holds it.
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            await stream.CopyToAsync(all);
        }
        return all.ToArray();
    }
}

public sealed class CanariesInPostgres(InPostgres database) : CanaryTests(database), IClassFixture<InPostgres>
{
    protected override async Task<byte[]> EverythingAsync(string name)
    {
        string programs = Directory.GetDirectories("/usr/lib/postgresql").Order().Last();
        var settings = new Npgsql.NpgsqlConnectionStringBuilder(name);
        var start = new ProcessStartInfo($"{programs}/bin/pg_dump", ["--host", settings.Host!, "--username", settings.Username!, settings.Database!]) { RedirectStandardOutput = true };
        using var dump = Process.Start(start)!;
        string text = await dump.StandardOutput.ReadToEndAsync();
        await dump.WaitForExitAsync();
        Assert.Equal(0, dump.ExitCode);

        // Bytes stand in hexadecimal there: both as they are written and as they are meant.
        var all = new MemoryStream(Encoding.UTF8.GetBytes(text)) { Position = 0 };
        var read = new MemoryStream();
        await all.CopyToAsync(read);
        foreach (string cell in text.Split('\t', '\n').Where(cell => cell.StartsWith(@"\\x", StringComparison.Ordinal)))
        {
            read.Write(Convert.FromHexString(cell.AsSpan(3)));
        }
        return read.ToArray();
    }
}

/// <summary>After a life with an account, neither the database nor the log holds a word that was sealed, a key, a token or an address.</summary>
public abstract class CanaryTests(AccountsDatabase database)
{
    private static readonly string[] Words = ["canary-title-of-a-conversation", "canary-text-of-a-message", "canary-name-of-a-file", "canary-label-of-a-passkey"];

    [Fact]
    public async Task Nothing_that_was_sealed_is_anywhere()
    {
        using var log = new CapturedLog();
        await using var program = await database.StartAsync("canary", log: log);
        var device = await TestDevice.CreateAsync(program);
        using var key = Aes256GcmKey.Import(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        var random = new Random(1);
        var items = new List<SealedChange>();
        for (int i = 0; i < 60; i++)
        {
            var changes = Enumerable.Range(0, 5).Select(n => new SealedChange(TestDevice.NewItem(), 1, Seal(key, $"{Words[random.Next(3)]} {i} {n}"))).ToList();
            changes.AddRange(items.OrderBy(_ => random.Next()).Take(3).Select(old => new SealedChange(old.Item, old.Version + 1, random.Next(4) == 0 ? default : Seal(key, $"{Words[0]} again {i}"))));
            await device.PushAsync([.. changes]);
            items.RemoveAll(old => changes.Any(change => change.Item == old.Item));
            items.AddRange(changes);
            Assert.Equal(200, (await device.Api.OctetsAsync("PUT", $"/account/attachments/{TestDevice.NewItem()}/0", Seal(key, $"{Words[2]} {i}"), device.Token)).Status);
        }
        Assert.Equal(200, (await device.Api.JsonAsync("POST", "/passkeys/options", new System.Text.Json.Nodes.JsonObject { ["label"] = Words[3] }, device.Token)).Status);
        Assert.Equal(400, (await device.Api.JsonAsync("POST", "/passkeys", $$"""{"unlocker":"{{Words[1]}}"}""", device.Token)).Status);
        Assert.Equal("401 wrong", (await device.SignInAsync(new TestUnlocker())).Verdict);
        string token = (string)(await device.SignInAsync()).Json["token"]!;

        byte[] kept = await EverythingAsync(await database.NameAsync("canary"));
        Assert.True(kept.AsSpan().IndexOf(items[^1].Sealed.Span) >= 0 && kept.AsSpan().IndexOf(device.Head!.Bytes.Span) >= 0, "What was kept is not looked at.");
        byte[] said = Encoding.UTF8.GetBytes(log.Text);
        byte[][] secrets = [.. Words.Select(Encoding.UTF8.GetBytes), Encoding.ASCII.GetBytes(token), Api.Bytes(token), Encoding.ASCII.GetBytes("127.0.0.1")];
        foreach (byte[] secret in secrets)
        {
            Assert.True(kept.AsSpan().IndexOf(secret) < 0, Encoding.ASCII.GetString(secret));
            Assert.True(secret.Length == 9 || said.AsSpan().IndexOf(secret) < 0, Encoding.ASCII.GetString(secret));
        }
        foreach (byte[] number in (byte[][])[device.Account.ToArray(), Encoding.ASCII.GetBytes(device.Account.ToString()), Encoding.ASCII.GetBytes(device.Unlocker.Id.ToString())])
        {
            Assert.True(said.AsSpan().IndexOf(number) < 0);
        }
    }

    /// <summary>All that the operator keeps on disk, one after the other.</summary>
    protected abstract Task<byte[]> EverythingAsync(string name);

    private static byte[] Seal(Aes256GcmKey key, string text)
    {
        byte[] sealedBytes = new byte[12 + text.Length + AeadKey.TagSize];
        System.Security.Cryptography.RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, 12));
        key.Seal(sealedBytes.AsSpan(0, 12), Encoding.UTF8.GetBytes(text), [], sealedBytes.AsSpan(12));
        return sealedBytes;
    }
}
