using Cloister.Cli.Account;

namespace Cloister.Cli.Tests.Account;

public sealed class PrivateFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-private-");

    private string Wanted => Path.Combine(_folder.FullName, "export.jsonl");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_file_has_its_name_when_it_is_whole_and_is_for_this_user_alone()
    {
        await PrivateFile.CreateWholeAsync(Wanted, async stream =>
        {
            await stream.WriteAsync("one"u8.ToArray());
            Assert.False(File.Exists(Wanted));
        });
        Assert.Equal("one", await File.ReadAllTextAsync(Wanted, TestContext.Current.CancellationToken));
        Assert.Equal([Wanted], Directory.EnumerateFiles(_folder.FullName));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Wanted));
        }
    }

    [Fact]
    public async Task What_breaks_off_leaves_nothing()
    {
        await Assert.ThrowsAsync<OperationCanceledException>(() => PrivateFile.CreateWholeAsync(Wanted, async stream =>
        {
            await stream.WriteAsync("half"u8.ToArray());
            throw new OperationCanceledException();
        }));
        Assert.Empty(Directory.EnumerateFiles(_folder.FullName));
    }

    [Fact]
    public async Task What_is_there_stays_even_where_it_came_meanwhile()
    {
        await Assert.ThrowsAsync<IOException>(() => PrivateFile.CreateWholeAsync(Wanted, _ => File.WriteAllTextAsync(Wanted, "another's")));
        await Assert.ThrowsAsync<IOException>(() => PrivateFile.CreateWholeAsync(Wanted, _ => throw new InvalidOperationException()));
        Assert.Equal("another's", await File.ReadAllTextAsync(Wanted, TestContext.Current.CancellationToken));
        Assert.Equal([Wanted], Directory.EnumerateFiles(_folder.FullName));
    }

    [Fact]
    public async Task One_that_is_not_finished_is_not_overwritten()
    {
        string unfinished = PrivateFile.UnfinishedOf(Wanted);
        await File.WriteAllTextAsync(unfinished, "another's", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(() => PrivateFile.CreateWholeAsync(Wanted, _ => throw new InvalidOperationException()));
        Assert.Equal("another's", await File.ReadAllTextAsync(unfinished, TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Wanted));
    }
}
