using Cloister.Client.Accounts;
using Cloister.Client.Sqlite;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Client.Tests.History;

/// <summary>A device in a process of its own, which the tests kill: it says things as fast as it can, and writes down what was confirmed to it.</summary>
internal static class HistoryVictim
{
    public static Identity Conversation { get; } = Identity.Read("a conversation.."u8);

    public static AccountPlace Place(string folder, Uri address, HttpClient http) => new()
    {
        Operator = new OperatorAccounts(http, address),
        Custody = new MemoryCustody(),
        Memory = new KeptInFolder(folder),
        OpenStore = _ => new(SqliteDeviceStore.Open(Path.Combine(folder, "history.sqlite"))),
    };

    public static async Task<int> RunAsync(string folder, Uri address)
    {
        using var http = new HttpClient();
        await using var device = await new AccountEntrance(Place(folder, address, http)).OpenAsync(default) ?? throw new InvalidOperationException("There is no account.");
        string run = Guid.NewGuid().ToString("N");
        for (int i = 0; ; i++)
        {
            string text = $"{run} {i}";
            await device.History.AddAsync(new(Conversation, null, MessageRole.User, text), default);
            Console.WriteLine(text); // confirmed: from here on it must be there, once
            if (i % 7 == 0)
            {
                await device.History.SetAsync(RegisterKind.Conversation, $"{Conversation}", ConversationHeader.TitleField, text, default);
            }
        }
    }

    /// <summary>A device's way to its account in two files.</summary>
    private sealed class KeptInFolder(string folder) : DeviceMemory
    {
        private string Record => Path.Combine(folder, "record");

        private string Secret => Path.Combine(folder, "secret");

        public override async ValueTask<RememberedDevice?> LoadAsync(CancellationToken cancellationToken) => File.Exists(Record)
            ? new(await File.ReadAllBytesAsync(Record, cancellationToken), MemorySecret.Import(UnlockerKind.Device, await File.ReadAllBytesAsync(Secret, cancellationToken)))
            : null;

        public override async ValueTask<bool> TrySaveAsync(RememberedDevice device, ReadOnlyMemory<byte>? before, CancellationToken cancellationToken)
        {
            await File.WriteAllBytesAsync(Secret, ((MemorySecret)device.Secret).DangerousExport(), cancellationToken);
            await File.WriteAllBytesAsync(Record + ".new", device.Record.ToArray(), cancellationToken);
            File.Move(Record + ".new", Record, true);
            return true;
        }

        public override ValueTask<bool> TryForgetAsync(ReadOnlyMemory<byte> before, CancellationToken cancellationToken) => throw new InvalidOperationException("Nobody asked it to forget.");
    }
}
