using System.Collections.Immutable;
using System.Net;

namespace Cloister.Operator;

/// <summary>Where accounts are kept and who may sign in to them. Docs/spec/accounts.md.</summary>
public sealed record AccountsOptions
{
    /// <summary>
    /// A file of SQLite, made where there is none, for one process; or a connection string of PostgreSQL (<c>Host=…;Username=…;Database=…</c>), which several processes may share. What holds a <c>=</c>
    /// and is no whole path is a connection string.
    /// </summary>
    public required string Database { get; init; }

    /// <summary>The domain that passkeys are made for (WebAuthn's RP id). It cannot change later: passkeys of another domain do not sign in.</summary>
    public required string Domain { get; init; }

    /// <summary>The web app's origins, such as <c>https://cloister.example</c>. Null: <c>https://</c> and the domain; with the domain <c>localhost</c>, <c>http://localhost</c> and this process's port.</summary>
    public ImmutableArray<string>? Origins { get; init; }

    /// <summary>Bytes that an account may hold. Null: 1 GiB.</summary>
    public long? Quota { get; init; }

    /// <summary>Accounts that one address may make in an hour. Null: 100.</summary>
    public int? NewAccountsPerAddress { get; init; }

    /// <summary>The header in which the proxy in front writes its client's address; its last value counts. Null: the connection's own address. Without such a proxy anybody could write it.</summary>
    public string? AddressHeader { get; init; }

    // For tests: bytes of bodies and answers at once.
    internal long? BytesInFlight { get; init; }

    internal const long UsualQuota = 1L << 30;
    internal const int UsualNewAccounts = 100;

    internal bool IsPostgres => Database.Contains('=') && !Path.IsPathRooted(Database);

    internal ImmutableArray<string> Faults() =>
    [
        .. Fault(!string.IsNullOrWhiteSpace(Database), "accounts.database: there is none."),
        .. Fault(string.IsNullOrWhiteSpace(Database) || !IsPostgres || Accounts.Storage.PostgresDatabase.IsConnectionString(Database), "accounts.database: it holds a '=' and is no connection string of PostgreSQL."),
        .. Fault(IsDomain(Domain), $"accounts.domain: '{Domain}' is not a domain in small letters; an IP address is none."),
        .. (Origins is { IsDefault: false } origins ? origins : []).SelectMany(origin => Fault(IsOrigin(origin), $"accounts.origins: '{origin}' is not an https origin of '{Domain}', or an http one of localhost, without a path.")),
        .. Fault(Quota is null or >= MinQuota, $"accounts.quota: must be at least {MinQuota} bytes, one batch."),
        .. Fault(NewAccountsPerAddress is null or > 0, "accounts.new_accounts_per_address: must be positive."),
        .. Fault(AddressHeader is null || (AddressHeader.Length > 0 && AddressHeader.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-')), $"accounts.address_header: '{AddressHeader}' is not the name of a header."),
    ];

    private const long MinQuota = Ledger.ChangeBatch.MaxSize;

    private static bool IsDomain(string? domain) =>
        domain is { Length: > 0 and <= 253 } && Uri.CheckHostName(domain) is UriHostNameType.Dns && !IPAddress.TryParse(domain, out _) && domain.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '.');

    // WebAuthn allows the domain and those below it, in a secure context.
    private bool IsOrigin(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var origin) && origin.GetLeftPart(UriPartial.Authority) == text
        && (origin.Host == Domain || origin.Host.EndsWith('.' + Domain, StringComparison.Ordinal))
        && (origin.Scheme == "https" || (origin.Scheme == "http" && (origin.Host == "localhost" || origin.Host.EndsWith(".localhost", StringComparison.Ordinal))));

    private static ImmutableArray<string> Fault(bool holds, string sentence) => holds ? [] : [sentence];
}
