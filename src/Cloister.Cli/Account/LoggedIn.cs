using System.CommandLine;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Client.Sqlite;
using Cloister.Vault.Unlockers;

namespace Cloister.Cli.Account;

/// <summary>The account that this machine is logged in to, opened for one command.</summary>
internal sealed class LoggedIn : IAsyncDisposable
{
    // A command that somebody waits for does not wait longer for an operator that is slow.
    private static readonly TimeSpan SyncPatience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _http;

    private LoggedIn(HttpClient http, AccountDevice device, Uri @operator) => (_http, Device, Operator) = (http, device, @operator);

    public AccountDevice Device { get; }

    public Uri Operator { get; }

    public UserHistory History => Device.History;

    /// <summary>What an account needs around it on this machine. The client is the caller's to dispose.</summary>
    public static AccountPlace PlaceOf(AccountFile file, HttpClient http) => new()
    {
        Operator = new OperatorAccounts(http, file.Operator!),
        Custody = new MemoryCustody(),
        Memory = file,
        OpenStore = _ =>
        {
            file.EnsureFolder();
            return new(SqliteDeviceStore.Open(file.HistoryPath));
        },
    };

    /// <summary>Each request has its own limit; redirects lead nowhere that was chosen.</summary>
    public static HttpClient NewHttp() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15) }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Null where nobody is logged in.</summary>
    public static async Task<LoggedIn?> TryOpenAsync(DataFolder data, CancellationToken cancellation)
    {
        var file = AccountFile.Of(data);
        if (!file.Exists || file.Operator is null)
        {
            return null;
        }
        var http = NewHttp();
        try
        {
            if (await new AccountEntrance(PlaceOf(file, http)).OpenAsync(cancellation) is { } device)
            {
                return new LoggedIn(http, device, file.Operator);
            }
            http.Dispose();
            return null;
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    /// <exception cref="CommandFault">Nobody is logged in.</exception>
    public static async Task<LoggedIn> OpenAsync(DataFolder data, CancellationToken cancellation) =>
        await TryOpenAsync(data, cancellation) ?? throw new CommandFault(ExitCode.Usage, "This machine is not logged in: 'cloister login' does that, 'cloister login --new' makes an account.");

    /// <summary>Runs what a command does, with the account open, and lets go of it.</summary>
    public static async Task<int> RunAsync(ParseResult parsed, Option<string?> data, Func<LoggedIn, CancellationToken, Task> command)
    {
        using var interruption = new Interruption();
        await using var account = await OpenAsync(DestinationOptions.FolderOf(parsed.GetValue(data)), interruption.Token);
        await command(account, interruption.Token);
        return ExitCode.Done;
    }

    /// <summary>Fetches and sends as far as that goes in a short time; what does not go is said on standard error, and is no fault of a command that works without.</summary>
    public async Task SyncAsync(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(SyncPatience);
        try
        {
            await Device.RefreshAsync(patience.Token);
            await History.SyncNowAsync(patience.Token);
        }
        catch (Exception fault) when (fault is AccountFaultException or AccountEndedException)
        {
            Speech.Error.WriteSentence(fault.Message);
            return;
        }
        catch (Exception fault) when (fault is OperatorUnreachableException || (fault is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            Console.Error.WriteLine("The operator does not answer: this is what this machine has.");
            return;
        }
        if (History.Sync.State is not (SyncState.Synced or SyncState.Syncing))
        {
            Speech.Error.WriteSentence(History.Sync.Sentence);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Device.DisposeAsync();
        _http.Dispose();
    }
}
