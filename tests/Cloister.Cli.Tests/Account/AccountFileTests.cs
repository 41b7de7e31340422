using Cloister.Cli.Account;
using Cloister.Client.Accounts;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Cli.Tests.Account;

public sealed class AccountFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-account-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_is_saved_is_there_again_and_for_this_user_alone()
    {
        var data = new DataFolder(_folder.FullName);
        var file = AccountFile.Of(data);
        Assert.False(file.Exists);
        Assert.Null(await file.LoadAsync(default));

        file.Operator = new Uri("http://127.0.0.1:7000/");
        using var secret = MemorySecret.GenerateDevice();
        Assert.True(await file.TrySaveAsync(new RememberedDevice(new byte[] { 1, 2, 3 }, secret), null, default));
        var again = AccountFile.Of(data);
        var loaded = await again.LoadAsync(default);
        Assert.Equal(file.Operator, again.Operator);
        Assert.Equal([1, 2, 3], loaded!.Record.ToArray());
        Assert.Equal(secret.DangerousExport(), Assert.IsType<MemorySecret>(loaded.Secret).DangerousExport());
        Assert.Equal(UnlockerKind.Device, loaded.Secret.Kind);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(data.AccountPath, "account.json")));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(data.AccountPath));
        }
    }

    [Fact]
    public async Task A_save_that_was_interrupted_leaves_what_was_there()
    {
        var file = AccountFile.Of(new DataFolder(_folder.FullName));
        file.Operator = new Uri("http://127.0.0.1:7000/");
        using var secret = MemorySecret.GenerateDevice();
        Assert.True(await file.TrySaveAsync(new RememberedDevice(new byte[] { 1 }, secret), null, default));
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "account", "account.json.new"), "{\"half", TestContext.Current.CancellationToken);
        Assert.Equal([1], (await file.LoadAsync(default))!.Record.ToArray());
        Assert.True(await file.TrySaveAsync(new RememberedDevice(new byte[] { 2 }, secret), new byte[] { 1 }, default));
        Assert.Equal([2], (await file.LoadAsync(default))!.Record.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"operator\":\"http://x/\",\"record\":\"AQ\",\"secret\":\"AQ\"}")]
    [InlineData("{\"operator\":\"http://x/\",\"record\":\"*\",\"secret\":\"AQ\"}")]
    public async Task A_damaged_file_is_said_and_not_thrown_away(string content)
    {
        string path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder.FullName, "account")).FullName, "account.json");
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        var fault = await Assert.ThrowsAsync<CommandFault>(async () => await AccountFile.Of(new DataFolder(_folder.FullName)).LoadAsync(default));
        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.Equal(content, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Forgetting_leaves_nothing()
    {
        var file = AccountFile.Of(new DataFolder(_folder.FullName));
        file.Operator = new Uri("http://127.0.0.1:7000/");
        using var secret = MemorySecret.GenerateDevice();
        Assert.True(await file.TrySaveAsync(new RememberedDevice(new byte[] { 1 }, secret), null, default));
        await File.WriteAllTextAsync($"{file.HistoryPath}-wal", "x", TestContext.Current.CancellationToken);
        Assert.True(await file.TryForgetAsync(new byte[] { 1 }, default));
        file.Forget();
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_folder.FullName, "account")));
    }

    [Fact]
    public async Task Another_commands_account_is_neither_overwritten_nor_forgotten()
    {
        var data = new DataFolder(_folder.FullName);
        var (one, other) = (AccountFile.Of(data), AccountFile.Of(data));
        one.Operator = other.Operator = new Uri("http://127.0.0.1:7000/");
        using var secret = MemorySecret.GenerateDevice();
        bool[] saved = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            async () => await (i % 2 == 0 ? one : other).TrySaveAsync(new RememberedDevice(new[] { (byte)i }, secret), null, default), TestContext.Current.CancellationToken)));
        int first = Array.IndexOf(saved, true);
        Assert.Single(saved, true);
        Assert.False(await other.TryForgetAsync(new byte[] { 99 }, default));
        Assert.Equal([(byte)first], (await other.LoadAsync(default))!.Record.ToArray());
    }

    [Fact]
    public void Where_nobody_ever_logged_in_there_is_nothing_to_forget()
    {
        var data = new DataFolder(Path.Combine(_folder.FullName, "never"));
        AccountFile.Of(data).Forget();
        Assert.False(Directory.Exists(data.AccountPath));
    }

    [Fact]
    public void A_QR_code_is_square_and_has_its_three_corners()
    {
        string[] rows = QrText.Draw("http://127.0.0.1:7000/#pair=ABCD-EFGH.47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU").TrimEnd('\n').Split('\n');
        int width = rows[0].Length;
        Assert.All(rows, row => Assert.Equal(width, row.Length));
        Assert.Equal((width + 1) / 2, rows.Length);
        // A finder's upper edge: seven dark modules after two light ones, in the first row of characters below the quiet zone.
        Assert.StartsWith("██ ▄▄▄▄▄ █", rows[1], StringComparison.Ordinal);
        Assert.EndsWith("█ ▄▄▄▄▄ ██", rows[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Text_of_others_does_not_steer_the_terminal() => Assert.Equal("a]0;xb", Speech.Plain("a\u001b]0;x\u0007b"));
}
