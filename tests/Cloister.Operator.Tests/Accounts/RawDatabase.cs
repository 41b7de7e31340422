using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>The database beside the operator, as whoever operates it sees it.</summary>
internal sealed class RawDatabase : IAsyncDisposable
{
    private readonly DbConnection _connection;

    private RawDatabase(DbConnection connection) => _connection = connection;

    public static RawDatabase Open(string name)
    {
        DbConnection connection = name.Contains('=', StringComparison.Ordinal)
            ? new NpgsqlConnection(name + ";Pooling=false;Search Path=cloister_operator")
            : new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = name, Pooling = false }.ToString());
        connection.Open();
        return new(connection);
    }

    /// <param name="bytes">Its $1 and so on.</param>
    public async Task<object?> ScalarAsync(string statement, params byte[][] bytes)
    {
        await using var command = _connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own
        command.CommandText = statement;
#pragma warning restore CA2100
        for (int i = 0; i < bytes.Length; i++)
        {
            var value = command.CreateParameter();
            value.Value = bytes[i];
            value.ParameterName = _connection is SqliteConnection ? $"${i + 1}" : "";
            command.Parameters.Add(value);
        }
        return await command.ExecuteScalarAsync();
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
