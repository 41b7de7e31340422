using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Changes;
using Npgsql;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>What processes tell each other by <c>NOTIFY</c>: new heads, many in one message, and that sessions ended.</summary>
/// <remarks>
/// Heads are told after their transaction, not in it: PostgreSQL lets transactions that notify commit one after the other only, each with a flush of its own. A process that dies between the two
/// leaves a head untold, and a connection that is lost misses some. So every process asks now and then for what its own listeners wait for: <see cref="AuditAsync"/>.
/// </remarks>
internal sealed partial class PostgresNews(NpgsqlDataSource source, NpgsqlConnectionStringBuilder settings, Feeds feeds, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private const string HeadsChannel = "cloister_heads";

    // PostgreSQL takes messages below 8,000 bytes. An entry has at most 40.
    private const int MaxMessage = 7_900;
    private const int MaxEntry = 40;
    private const int AuditedAtOnce = 1_000;

    private static readonly TimeSpan AuditEvery = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // Ours to choose: under load this many milliseconds' heads are told together.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private readonly Channel<(AccountNumber Account, ulong Sequence)> _untold = Channel.CreateBounded<(AccountNumber, ulong)>(new BoundedChannelOptions(65_536) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly Channel<Feed> _heard = Channel.CreateBounded<Feed>(new BoundedChannelOptions(65_536) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public void Start() => _running = Task.WhenAll(Task.Run(TellAsync), Task.Run(ListenAsync), Task.Run(AuditHeardAsync), Task.Run(AuditAlwaysAsync));

    public void Announce(AccountNumber account, ulong sequence)
    {
        feeds.Tell(account, sequence);
        _untold.Writer.TryWrite((account, sequence));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task TellAsync()
    {
        while (await WaitAsync(_untold.Reader))
        {
            var message = new StringBuilder();
            while (message.Length < MaxMessage - MaxEntry && _untold.Reader.TryRead(out var head))
            {
                message.Append(CultureInfo.InvariantCulture, $"{(message.Length == 0 ? "" : ",")}{head.Account} {head.Sequence}");
            }
            try
            {
                // News that a power cut takes are found by the audits: they need not wait for the disk.
                await using var command = source.CreateCommand($"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{HeadsChannel}', $1)");
                command.Parameters.Add(new() { Value = message.ToString() });
                await command.ExecuteNonQueryAsync(_stop.Token);
                await Task.WhenAny(Task.Delay(Gathering, time, _stop.Token));
            }
            catch (Exception fault)
            {
                // The audits of the other processes find it. Whatever it was, the next one is told.
                await PauseAsync(fault);
            }
        }
    }

    private async Task<bool> WaitAsync<T>(ChannelReader<T> reader)
    {
        try
        {
            return await reader.WaitToReadAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    // On a connection of its own, which is made again whenever it is lost.
    private async Task ListenAsync()
    {
        string own = new NpgsqlConnectionStringBuilder(settings.ToString()) { Pooling = false, ApplicationName = "cloister-operator-news" }.ToString();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(own);
                await connection.OpenAsync(_stop.Token);
                connection.Notification += (_, news) => Hear(news.Channel, news.Payload);
                await ExecuteAsync(connection, $"LISTEN {HeadsChannel}; LISTEN {PostgresStatements.EndedChannel}");
                await AuditAsync(feeds.Listening());
                while (true)
                {
                    // A connection that died without a word is found by the question.
                    if (!await connection.WaitAsync(AuditEvery, _stop.Token))
                    {
                        await ExecuteAsync(connection, "SELECT 1");
                    }
                }
            }
            catch (Exception fault)
            {
                await PauseAsync(fault);
            }
        }
    }

    private async Task AuditHeardAsync()
    {
        while (await WaitAsync(_heard.Reader))
        {
            var heard = new HashSet<Feed>();
            while (heard.Count < AuditedAtOnce && _heard.Reader.TryRead(out var feed))
            {
                heard.Add(feed);
            }
            try
            {
                await AuditAsync(heard);
            }
            catch (Exception fault)
            {
                await PauseAsync(fault);
            }
        }
    }

    private async Task AuditAlwaysAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await Task.WhenAny(Task.Delay(AuditEvery, time, _stop.Token));
            try
            {
                await AuditAsync(feeds.Listening());
            }
            catch (Exception fault)
            {
                await PauseAsync(fault);
            }
        }
    }

    private async Task PauseAsync(Exception fault)
    {
        if (!_stop.IsCancellationRequested)
        {
            Lost(logger, fault.GetType().Name);
            await Task.WhenAny(Task.Delay(Pause, time, _stop.Token));
        }
    }

    /// <summary>Asks for the newest heads of those who listen, and for sessions that are gone.</summary>
    private async Task AuditAsync(IEnumerable<Feed> listening)
    {
        foreach (var chunk in listening.Chunk(AuditedAtOnce))
        {
            var alive = new Dictionary<string, ulong>();
            await using (var command = source.CreateCommand("SELECT s.token, a.sequence FROM sessions s JOIN accounts a ON a.account = s.account WHERE a.ended = 0 AND s.token = ANY($1)"))
            {
                command.Parameters.Add(new() { Value = chunk.Select(feed => feed.Session).ToArray() });
                await using var rows = await command.ExecuteReaderAsync(_stop.Token);
                while (await rows.ReadAsync(_stop.Token))
                {
                    alive[Convert.ToHexString(rows.GetFieldValue<byte[]>(0))] = (ulong)rows.GetInt64(1);
                }
            }
            foreach (var feed in chunk)
            {
                if (alive.TryGetValue(Convert.ToHexString(feed.Session), out ulong sequence))
                {
                    feed.Tell(sequence);
                }
                else
                {
                    feed.End();
                }
            }
        }
    }

    // What is heard is another process's word, or anybody's who may connect to this database: it has the database asked, and says nothing else. A number that is too high would make a listener deaf to
    // the true ones.
    private void Hear(string channel, string message)
    {
        if (channel == PostgresStatements.EndedChannel)
        {
            if (AccountNumber.TryParse(message, out var account))
            {
                feeds.AskAgain(account);
            }
            return;
        }
        foreach (string entry in message.Split(','))
        {
            if (entry.Split(' ') is [var number, var text] && AccountNumber.TryParse(number, out var account) && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong sequence))
            {
                foreach (var feed in feeds.ListeningTo(account).Where(feed => feed.Newest < sequence))
                {
                    _heard.Writer.TryWrite(feed);
                }
            }
        }
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
#pragma warning disable CA2100 // constants of this file
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 10 };
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(_stop.Token);
    }

    [LoggerMessage(LogLevel.Warning, "News between processes are lost ({Fault}); they are asked for again.")]
    private static partial void Lost(ILogger logger, string fault);
}
