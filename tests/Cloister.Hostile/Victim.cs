using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.History;
using Cloister.Vault.Keys;

namespace Cloister.Hostile;

/// <summary>A device: its store outlives it.</summary>
internal sealed class Victim(LyingLink link, VaultKeys keys) : IAsyncDisposable
{
    private readonly MemoryDisk _disk = new();
    private readonly Identity _name = TestAccount.Random();
    private UserHistory? _history;

    public LyingLink Link => link;

    public UserHistory History => _history ?? throw new InvalidOperationException("It is not open.");

    public static async Task<Victim> OpenAsync(LyingLink link, VaultKeys keys)
    {
        var device = new Victim(link, keys);
        await device.StartAsync();
        return device;
    }

    public async Task StartAsync() => _history = await UserHistory.OpenAsync(_disk.Open(), keys, link, _name, TimeProvider.System, default);

    public async Task RestartAsync()
    {
        await History.DisposeAsync();
        await StartAsync();
    }

    public async Task<Message> SayAsync(Identity conversation, string text) => await History.AddAsync(new(conversation, null, MessageRole.User, text), default);

    public async Task<SyncStatus> SyncAsync()
    {
        await History.SyncNowAsync(default);
        return History.Sync;
    }

    public async Task<string[]> TextsAsync(Identity conversation) => [.. (await History.ReadAsync(conversation, default)).Tree.Roots.Select(message => message.Text).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        if (_history is { } history)
        {
            await history.DisposeAsync();
        }
    }
}
