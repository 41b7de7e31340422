using System.Text;
using Cloister.Log.Queue;
using Cloister.Transparency;
using Npgsql;

namespace Cloister.Log.Tests;

/// <summary>The queue in a real PostgreSQL of our own, in a temporary folder, reached through a socket file.</summary>
public sealed class PostgresTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    [Fact]
    public async Task A_log_with_its_queue_in_PostgreSQL_is_the_same_log()
    {
        Assert.SkipWhen(server.Missing is not null, server.Missing ?? "");
        await using var town = await Town.BuildAsync(1);
        var options = town.Options() with { Postgres = server.Connection };
        await using (var log = await town.OpenLogAsync(options))
        {
            await Task.WhenAll(Enumerable.Range(0, 300).Select(i => log.AddAsync($"entry {i}")));
            Assert.Equal(LogFault.Locked, (await Assert.ThrowsAsync<LogStoppedException>(() => town.OpenLogAsync(options with { Folder = Path.Combine(town.Folder, "second") }))).Fault);

            // The connection is cut under the log: it takes its place again, and nothing is lost.
            await using var source = NpgsqlDataSource.Create(server.Connection);
            await using var cut = source.CreateCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cloister-log'");
            await cut.ExecuteNonQueryAsync();
            await log.AddAsync("one more");
        }
        await using var again = await town.OpenLogAsync(options);
        await again.AddAsync("and one");
        Assert.Equal(302, (await again.EntriesAsync()).Distinct().Count());
    }

    [Fact]
    public async Task What_was_appended_is_there_and_a_record_moves_only_from_where_it_was()
    {
        Assert.SkipWhen(server.Missing is not null, server.Missing ?? "");
        using var key = SignerKey.Generate("example.com/postgres", NoteKeyType.Ed25519);
        SignedNote Note(int size) => new Checkpoint(key.Verifier.Name, size, TreeHash.Empty).Sign(key);
        ReadOnlyMemory<byte>[] entries = [Encoding.UTF8.GetBytes("one"), Array.Empty<byte>(), new byte[65535]];
        await using (var queue = new PostgresQueue(server.Connection))
        {
            Assert.Null((await queue.OpenAsync(key.Verifier.Name, CancellationToken.None)).Record);
            await queue.RecordAsync(Note(0), 0, -1, CancellationToken.None);
            await queue.AppendAsync(new(0, [.. entries]), CancellationToken.None);
            await queue.AppendAsync(new(3, [entries[0]]), CancellationToken.None);
            await Assert.ThrowsAsync<PostgresException>(() => queue.AppendAsync(new(3, [entries[1]]), CancellationToken.None));
        }
        await using (var queue = new PostgresQueue(server.Connection))
        {
            var state = await queue.OpenAsync(key.Verifier.Name, CancellationToken.None);
            Assert.Equal(Note(0).ToString(), $"{state.Record}");
            Assert.Equal([(0L, 3), (3L, 1)], state.Batches.Select(batch => (batch.First, batch.Entries.Length)));
            Assert.Equal(entries.Select(entry => entry.ToArray()), state.Batches[0].Entries.Select(entry => entry.ToArray()));
            await queue.RecordAsync(Note(3), 3, 0, CancellationToken.None);
            Assert.Equal(LogFault.RecordMoved, (await Assert.ThrowsAsync<LogStoppedException>(() => queue.RecordAsync(Note(4), 4, 0, CancellationToken.None))).Fault);
        }
        await using var last = new PostgresQueue(server.Connection);
        Assert.Equal([3L], (await last.OpenAsync(key.Verifier.Name, CancellationToken.None)).Batches.Select(batch => batch.First));
    }
}
