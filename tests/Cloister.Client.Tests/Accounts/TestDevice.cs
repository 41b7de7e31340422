using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Client.Sqlite;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Tests.Accounts;

/// <summary>A device with its disk, which stays when the program on it dies.</summary>
internal sealed class TestDevice : IDisposable
{
    private static int _count;

    private readonly HttpClient _http;
    private readonly string _history;

    public TestDevice(RealOperator @operator, string name)
    {
        Name = name;
        _http = new HttpClient(Wire) { Timeout = Timeout.InfiniteTimeSpan };
        _history = Path.Combine(@operator.Folder, $"{name}-{Interlocked.Increment(ref _count)}.db");
        Memory = new KeptInMemory(() => Array.ForEach([_history, $"{_history}-wal", $"{_history}-shm"], File.Delete));
        Place = new AccountPlace
        {
            Operator = new OperatorAccounts(_http, @operator.Address),
            Custody = new MemoryCustody(),
            Memory = Memory,
            OpenStore = _ => new(SqliteDeviceStore.Open(_history)),
            Time = new Hurry(),
        };
    }

    public string Name { get; }

    public Wire Wire { get; } = new();

    public KeptInMemory Memory { get; }

    public AccountPlace Place { get; }

    public AccountEntrance Entrance => new(Place);

    /// <summary>A new account, whose words come with it.</summary>
    public async Task<(AccountDevice Device, RecoveryWords Words)> SignUpAsync(string? passphrase = null)
    {
        var draft = Entrance.SignUp(Name);
        return (await draft.CreateAsync(passphrase, default), draft.Words);
    }

    /// <summary>What <see cref="AccountEntrance.OpenAsync"/> finds, and what it then completes.</summary>
    public async Task<AccountDevice?> RestartAsync()
    {
        var device = await Entrance.OpenAsync(default);
        if (device is not null)
        {
            await device.RefreshAsync(default);
            await device.History.SyncNowAsync(default);
        }
        return device;
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>What a device keeps of its account, as bytes.</summary>
internal sealed class KeptInMemory(Action forgotten) : DeviceMemory
{
    private byte[]? _record;
    private byte[]? _secret;

    public bool IsEmpty => _record is null;

    public override ValueTask<RememberedDevice?> LoadAsync(CancellationToken cancellationToken) =>
        new(_record is null ? null : new RememberedDevice(_record, MemorySecret.Import(UnlockerKind.Device, _secret)));

    public override ValueTask<bool> TrySaveAsync(RememberedDevice device, ReadOnlyMemory<byte>? before, CancellationToken cancellationToken)
    {
        if (!IsKept(before))
        {
            return new(false);
        }
        (_record, _secret) = (device.Record.ToArray(), ((MemorySecret)device.Secret).DangerousExport());
        return new(true);
    }

    public override ValueTask<bool> TryForgetAsync(ReadOnlyMemory<byte> before, CancellationToken cancellationToken)
    {
        if (!IsKept(before))
        {
            return new(false);
        }
        (_record, _secret) = (null, null);
        forgotten();
        return new(true);
    }

    private bool IsKept(ReadOnlyMemory<byte>? before) => _record is null ? before is null : before is { } record && record.Span.SequenceEqual(_record);
}

/// <summary>Time in which nobody waits long: a timer goes off after a fiftieth of what was asked for.</summary>
internal sealed class Hurry : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / 50 : dueTime, period > TimeSpan.Zero ? period / 50 : period);
}

/// <summary>What the tests say and read.</summary>
internal static class Talk
{
    private static readonly Identity Conversation = Identity.Read("a conversation.."u8);

    public static async Task SayAsync(this AccountDevice device, string text)
    {
        await device.History.AddAsync(new MessageDraft(Conversation, null, MessageRole.User, text), default);
        await device.History.SyncNowAsync(default);
        Assert.True(device.History.Sync is { Unsent: 0, State: SyncState.Synced or SyncState.Syncing }, $"{device.History.Sync}");
    }

    public static async Task<IEnumerable<string>> ReadAsync(this AccountDevice device)
    {
        await device.History.SyncNowAsync(default);
        return (await device.History.ReadAsync(Conversation, default)).Tree.Roots.Select(message => message.Text).Order();
    }
}
