using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Client.Accounts;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;
using Cloister.Wire;

namespace Cloister.Cli.Account;

/// <summary>
/// This machine's way to an account: a folder that only this user may enter, and in it one file with the device's secret and its record, and the history's database. Whoever can read the
/// file has the account until the device is removed; no keyring of the system is asked.
/// </summary>
internal sealed class AccountFile(string folder) : DeviceMemory
{
    // Ten seconds, which is far more than the writing of a file takes.
    private const int MostTries = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private string Path { get; } = System.IO.Path.Combine(folder, "account.json");

    public string HistoryPath { get; } = System.IO.Path.Combine(folder, "history.db");

    public bool Exists => File.Exists(Path);

    /// <summary>Where the account is; kept with the next save.</summary>
    public Uri? Operator { get; set; }

    public static AccountFile Of(DataFolder data)
    {
        var file = new AccountFile(data.AccountPath);
        file.Operator = file.Read() is { } kept && Uri.TryCreate(kept.Operator, UriKind.Absolute, out var address) ? address : null;
        return file;
    }

    public override ValueTask<RememberedDevice?> LoadAsync(CancellationToken cancellationToken)
    {
        if (Read() is not { } kept)
        {
            return new((RememberedDevice?)null);
        }
        return Base64.TryDecodeUrl(kept.Record, out byte[]? record) && Base64.TryDecodeUrl(kept.Secret, out byte[]? secret) && secret.Length == MemorySecret.Size
            ? new(new RememberedDevice(record, MemorySecret.Import(UnlockerKind.Device, secret)))
            : throw Damaged(null);
    }

    public override async ValueTask<bool> TrySaveAsync(RememberedDevice device, ReadOnlyMemory<byte>? before, CancellationToken cancellationToken)
    {
        EnsureFolder();
        await using var alone = await AloneAsync(cancellationToken);
        if (!IsKept(before))
        {
            return false;
        }
        var kept = new AccountFileJson
        {
            Operator = $"{Operator ?? throw new InvalidOperationException("There is no operator to keep.")}",
            Record = Base64.EncodeUrl(device.Record.Span),
            Secret = Base64.EncodeUrl(((MemorySecret)device.Secret).DangerousExport()),
        };
        PrivateFile.Replace(Path, JsonSerializer.SerializeToUtf8Bytes(kept, AccountFileContext.Default.AccountFileJson));
        return true;
    }

    public override async ValueTask<bool> TryForgetAsync(ReadOnlyMemory<byte> before, CancellationToken cancellationToken)
    {
        EnsureFolder();
        await using var alone = await AloneAsync(cancellationToken);
        if (!IsKept(before))
        {
            return false;
        }
        Forget();
        return true;
    }

    /// <summary>Forgets whatever is here, damaged or not. The secret first: without it the rest is noise.</summary>
    public void Forget()
    {
        if (!Directory.Exists(folder))
        {
            return;
        }
        foreach (string file in (string[])[Path, $"{Path}.new", HistoryPath, $"{HistoryPath}-wal", $"{HistoryPath}-shm"])
        {
            File.Delete(file);
        }
    }

    /// <summary>The folder, for this user alone.</summary>
    public void EnsureFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    // Two commands at once: one of them waits. Beside the folder, so that forgetting leaves nothing in it, and not deleted, because the next could then hold another file than the one after it.
    private async Task<FileStream> AloneAsync(CancellationToken cancellationToken)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                return new FileStream($"{folder}.lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < MostTries)
            {
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    private bool IsKept(ReadOnlyMemory<byte>? before) =>
        Read() is { } kept ? before is { } bytes && Base64.TryDecodeUrl(kept.Record, out byte[]? record) && record.AsSpan().SequenceEqual(bytes.Span) : before is null;

    private AccountFileJson? Read()
    {
        try
        {
            return File.Exists(Path) ? JsonSerializer.Deserialize(File.ReadAllBytes(Path), AccountFileContext.Default.AccountFileJson) : null;
        }
        catch (JsonException fault)
        {
            throw Damaged(fault);
        }
    }

    private CommandFault Damaged(Exception? fault) => new(ExitCode.Usage, $"{Path} is damaged: remove it and log in again, with recovery words or another device.", fault);
}

internal sealed record AccountFileJson
{
    public required string Operator { get; init; }

    public required string Record { get; init; }

    public required string Secret { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AccountFileJson))]
internal sealed partial class AccountFileContext : JsonSerializerContext;
