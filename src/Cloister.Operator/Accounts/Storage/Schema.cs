using System.Security.Cryptography;

namespace Cloister.Operator.Accounts.Storage;

/// <summary>The tables, by version. Docs/spec/accounts.md, section 6.</summary>
internal static class Schema
{
    /// <summary>What this program works with.</summary>
    public static int Version => Migrations.Length;

    // One for each version; what was released is never edited, a change is a new one. BYTES and LONG are each database's own.
    private static readonly string[][] Migrations =
    [
        [
            // ended = 1: deleted, and its rows are going. Until they are gone nobody has the number.
            "CREATE TABLE accounts (account BYTES PRIMARY KEY, epoch LONG NOT NULL, head_key BYTES NOT NULL, sequence LONG NOT NULL, head BYTES, used LONG NOT NULL, ended LONG NOT NULL)",
            "CREATE TABLE epochs (account BYTES NOT NULL, epoch LONG NOT NULL, record BYTES NOT NULL, PRIMARY KEY (account, epoch))",
            // The same identity may be in several accounts: nobody can take somebody else's away.
            "CREATE TABLE unlockers (account BYTES NOT NULL, unlocker BYTES NOT NULL, kind LONG NOT NULL, sign_in_key BYTES, wrap BYTES, renewed BYTES, added TEXT NOT NULL, PRIMARY KEY (account, unlocker))",
            "CREATE INDEX unlockers_by_identity ON unlockers (unlocker)",
            "CREATE TABLE passkeys (credential BYTES PRIMARY KEY, account BYTES NOT NULL, unlocker BYTES NOT NULL, public_key BYTES NOT NULL, sign_count LONG NOT NULL, backup_eligible LONG NOT NULL, backed_up LONG NOT NULL)",
            "CREATE UNIQUE INDEX passkeys_by_unlocker ON passkeys (account, unlocker)",
            "CREATE TABLE sessions (token BYTES PRIMARY KEY, account BYTES NOT NULL, unlocker BYTES NOT NULL, expires LONG NOT NULL)",
            "CREATE INDEX sessions_by_unlocker ON sessions (account, unlocker)",
            "CREATE INDEX sessions_by_end ON sessions (expires)",
            "CREATE TABLE spent (challenge BYTES PRIMARY KEY, expires LONG NOT NULL)",
            "CREATE INDEX spent_by_end ON spent (expires)",
            "CREATE TABLE heads (account BYTES NOT NULL, sequence LONG NOT NULL, head BYTES NOT NULL, PRIMARY KEY (account, sequence))",
            "CREATE TABLE items (account BYTES NOT NULL, item BYTES NOT NULL, version LONG NOT NULL, sequence LONG NOT NULL, size LONG NOT NULL, sealed BYTES NOT NULL, PRIMARY KEY (account, item))",
            "CREATE INDEX items_by_sequence ON items (account, sequence, size)",
            "CREATE TABLE parts (account BYTES NOT NULL, attachment BYTES NOT NULL, part LONG NOT NULL, size LONG NOT NULL, digest BYTES NOT NULL, sealed BYTES NOT NULL, PRIMARY KEY (account, attachment, part))",
            "CREATE TABLE pairings (slot BYTES NOT NULL, number LONG NOT NULL, message BYTES NOT NULL, expires LONG NOT NULL, PRIMARY KEY (slot, number))",
            "CREATE INDEX pairings_by_end ON pairings (expires)",
        ],
        [
            // Of the accounts with one identity, which had it first.
            "ALTER TABLE unlockers ADD COLUMN place LONG NOT NULL DEFAULT 0",
            "DROP INDEX unlockers_by_identity",
            "CREATE INDEX unlockers_by_place ON unlockers (unlocker, place)",
        ],
        [
            // The few that are going: whoever sweeps does not read all the others.
            "CREATE INDEX accounts_ended ON accounts (account) WHERE ended = 1",
        ],
    ];

    /// <summary>Within a transaction that no other process is in.</summary>
    /// <returns>The key that processes share.</returns>
    public static async Task<byte[]> MigrateAsync(Statements statements, string bytes, string number)
    {
        string Own(string statement) => statement.Replace("BYTES", bytes, StringComparison.Ordinal).Replace("LONG", number, StringComparison.Ordinal);

        await statements.ExecuteAsync(Own("CREATE TABLE IF NOT EXISTS operator (one LONG PRIMARY KEY CHECK (one = 1), version LONG NOT NULL, key BYTES NOT NULL)"));
        await statements.ExecuteAsync("INSERT INTO operator (one, version, key) VALUES (1, 0, $1) ON CONFLICT DO NOTHING", RandomNumberGenerator.GetBytes(32));
        var (version, key) = (await statements.QueryAsync("SELECT version, key FROM operator", row => (row.GetInt64(0), Statements.Bytes(row, 1))))[0];
        if (version > Version)
        {
            throw new AccountsDatabaseException($"The database of accounts is of a newer program: its schema has version {version}, this program knows {Version}.");
        }
        foreach (string statement in Migrations.Skip((int)version).SelectMany(migration => migration))
        {
            await statements.ExecuteAsync(Own(statement));
        }
        await statements.ExecuteAsync("UPDATE operator SET version = $1", (long)Version);
        return key;
    }
}
