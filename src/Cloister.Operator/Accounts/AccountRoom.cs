using Cloister.Operator.Accounts.Changes;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.SignIn;
using Cloister.Operator.Accounts.Storage;

namespace Cloister.Operator.Accounts;

/// <summary>What the endpoints of accounts work with.</summary>
internal sealed class AccountRoom : IAsyncDisposable
{
    // Docs/spec/accounts.md, sections 1 and 5.
    private static readonly TimeSpan AttemptsWindow = TimeSpan.FromMinutes(10);

    public AccountRoom(AccountsOptions options, TimeProvider time, ILogger logger)
    {
        (Options, Time, Logger, Feeds) = (options, time, logger, new Feeds(time));
        Database = options.IsPostgres ? new PostgresDatabase(options.Database, Feeds, time, logger) : new SqliteDatabase(options.Database, Feeds);
        InFlight = new(options.BytesInFlight ?? InFlight.Usual);
        WrongByUnlocker = new(10, AttemptsWindow, time);
        WrongByAddress = new(100, AttemptsWindow, time);
        NewAccounts = new(options.NewAccountsPerAddress ?? AccountsOptions.UsualNewAccounts, TimeSpan.FromHours(1), time);
        NewPairings = new(20, AttemptsWindow, time);
        Sessions = new(Database, Feeds, time);
        Challenges = new(Database, time);
    }

    public AccountsOptions Options { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    public Database Database { get; }

    public Feeds Feeds { get; }

    public Sessions Sessions { get; }

    public Challenges Challenges { get; }

    public AttemptLimit WrongByUnlocker { get; }

    public AttemptLimit WrongByAddress { get; }

    public AttemptLimit NewAccounts { get; }

    public AttemptLimit NewPairings { get; }

    /// <summary>What this process has in its hands at once.</summary>
    public InFlight InFlight { get; }

    /// <summary>Pages of changes and listings that are made at once, ours to choose: each may have 16 MiB.</summary>
    public SemaphoreSlim Pages { get; } = new(8);

    public long Quota => Options.Quota ?? AccountsOptions.UsualQuota;

    public ClientAddress AddressOf(HttpContext context) => ClientAddress.Of(context, Options.AddressHeader);

    /// <summary>Tells everybody that sessions of the account ended. After its transaction.</summary>
    public void TellEnded(Ledger.AccountNumber account) => Feeds.AskAgain(account);

    public async ValueTask DisposeAsync()
    {
        Feeds.Dispose();
        await Database.DisposeAsync();
        Pages.Dispose();
    }
}
