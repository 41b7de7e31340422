using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Transparency;

namespace Cloister.Log;

/// <summary>Everything that steers a log. Neither the environment nor any other file does, but for those that it names.</summary>
public sealed record LogOptions
{
    /// <summary>Where to listen: an address and a port, as in <c>127.0.0.1:8450</c>. Port 0 takes a free one.</summary>
    public required string Listen { get; init; }

    /// <summary>The file of the log's private key, type 1. The key's name is the log's origin.</summary>
    public required string Key { get; init; }

    /// <summary>The folder of the queue, and of the tiles in <c>tiles</c> where there is no bucket.</summary>
    public required string Folder { get; init; }

    /// <summary>The file of the policy (C2SP tlog-policy) whose witnesses must have cosigned before anything is published. It names this log, and where each witness is.</summary>
    public required string Witnesses { get; init; }

    /// <summary>Who may add: for each namespace the keys of type 1 of which one must have signed an entry of it. Null only with <see cref="Open"/>.</summary>
    public ImmutableDictionary<string, ImmutableArray<string>>? Submitters { get; init; }

    /// <summary>Anybody may add any bytes. For measuring and for logs of something else.</summary>
    public bool Open { get; init; }

    /// <summary>A connection string: the queue is in PostgreSQL. Null: in SQLite, in the folder.</summary>
    public string? Postgres { get; init; }

    /// <summary>Tiles are in a bucket. Null: in the folder.</summary>
    public BucketOptions? Bucket { get; init; }

    /// <summary>Entries that may wait for their receipts; more are refused. Null: 16,384.</summary>
    public int? MaxPending { get; init; }

    /// <summary>How long an entry waits for its receipt. Null: 30 seconds.</summary>
    public int? AddSeconds { get; init; }

    /// <summary>How long a witness may take. Null: 5 seconds.</summary>
    public int? WitnessSeconds { get; init; }

    /// <summary>The least time between two checkpoints. Null: 100 milliseconds.</summary>
    public int? PaceMilliseconds { get; init; }

    /// <summary>How often cosignatures are renewed where nothing is added. Null: 60 minutes.</summary>
    public int? RefreshMinutes { get; init; }

    /// <summary>Every fault, each as a sentence; empty where there is none.</summary>
    public ImmutableArray<string> Faults() =>
    [
        .. OptionFaults.Endpoint("listen", Listen),
        .. OptionFaults.Unless(!string.IsNullOrEmpty(Folder), "folder: there must be one."),
        .. KeyFiles.Faults("key", Key, NoteKeyType.Ed25519),
        .. WitnessFaults(),
        .. OptionFaults.Unless(Open != Submitters is { Count: > 0 }, "submitters: name who may add, or say open; not both."),
        .. (Submitters ?? ImmutableDictionary<string, ImmutableArray<string>>.Empty).SelectMany(entry => OptionFaults.Unless(
            !entry.Value.IsDefaultOrEmpty && entry.Value.All(text => VerifierKey.TryParse(text, out var key) && key.Type is NoteKeyType.Ed25519),
            $"submitters: the keys of '{entry.Key}' are not one or more keys of type 1.")),
        .. Bucket?.Faults() ?? [],
        .. OptionFaults.Unless(MaxPending is null or (> 0 and <= 1_000_000), "max_pending: must be 1 to 1,000,000."),
        .. OptionFaults.Unless(AddSeconds is null or > 0, "add_seconds: must be positive."),
        .. OptionFaults.Unless(WitnessSeconds is null or > 0, "witness_seconds: must be positive."),
        .. OptionFaults.Unless(PaceMilliseconds is null or (>= 0 and <= 60_000), "pace_milliseconds: must be 0 to 60,000."),
        .. OptionFaults.Unless(RefreshMinutes is null or (> 0 and <= 1440), "refresh_minutes: must be 1 to 1,440."),
    ];

    /// <summary>Reads and checks a JSON file. An unknown, repeated or missing member is a fault.</summary>
    public static bool TryRead(string file, [NotNullWhen(true)] out LogOptions? options, out ImmutableArray<string> faults) =>
        OptionFaults.TryRead(file, OptionsJson.Default.LogOptions, one => one.Faults(), out options, out faults);

    internal LogPolicy ReadPolicy() => LogPolicy.TryParse(File.ReadAllBytes(Witnesses), out var policy, out _) ? policy : throw new ArgumentException("The policy is none.", nameof(Witnesses));

    private ImmutableArray<string> WitnessFaults()
    {
        if (!PolicyFiles.TryRead(Witnesses, out var policy, out string fault))
        {
            return [$"witnesses: {fault}"];
        }
        bool names = !KeyFiles.TryRead(Key, out var key) || policy.Logs.Any(log => log.Key.Equals(key.Verifier));
        key?.Dispose();
        bool reachable = policy.Witnesses.Where(witness => witness.Url is not null).All(witness => Uri.TryCreate(witness.Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https");
        bool enough = policy.IsSatisfiedBy(policy.Witnesses.Where(witness => witness.Url is not null).Select(witness => witness.Name).ToHashSet(StringComparer.Ordinal));
        return
        [
            .. OptionFaults.Unless(names, $"witnesses: '{Witnesses}' does not name this log's key."),
            .. OptionFaults.Unless(reachable, $"witnesses: an address in '{Witnesses}' is not one of http or https."),
            .. OptionFaults.Unless(enough, $"witnesses: '{Witnesses}' does not say where enough witnesses are."),
        ];
    }
}

/// <summary>A bucket of storage that speaks S3.</summary>
public sealed record BucketOptions
{
    /// <summary>Where the storage is, as in <c>https://s3.eu-central-1.amazonaws.com</c>. The bucket's name follows in the path.</summary>
    public required string Endpoint { get; init; }

    public required string Region { get; init; }

    public required string Name { get; init; }

    /// <summary>What goes before a tile's path, for example <c>log/</c>. Null: nothing.</summary>
    public string? Prefix { get; init; }

    /// <summary>A file with two lines: the access key's id, and the secret.</summary>
    public required string Credentials { get; init; }

    internal ImmutableArray<string> Faults() =>
    [
        .. OptionFaults.Unless(Uri.TryCreate(Endpoint, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.AbsolutePath == "/", $"bucket.endpoint: '{Endpoint}' is not an address of http or https."),
        .. OptionFaults.Unless(IsPlain(Region), $"bucket.region: '{Region}' is not a region."),
        .. OptionFaults.Unless(IsPlain(Name), $"bucket.name: '{Name}' is not a bucket's name."),
        .. OptionFaults.Unless(Prefix is null || (Prefix.Split('/') is [.. var parts, ""] && parts.All(IsPlain)), $"bucket.prefix: '{Prefix}' is not a path that ends in '/'."),
        .. OptionFaults.Unless(File.Exists(Credentials) && File.ReadAllLines(Credentials) is [{ Length: > 0 }, { Length: > 0 }, ..], $"bucket.credentials: '{Credentials}' has not two lines."),
    ];

    private static bool IsPlain(string? text) => text is { Length: > 0 and <= 63 } && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_') && text is not ("." or "..");
}
