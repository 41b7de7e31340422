using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Ledger;
using Cloister.Vault.History;
using Cloister.Wire;

namespace Cloister.Client.Accounts;

/// <summary>How far this device has come with its account.</summary>
internal enum DeviceStage : byte
{
    None = 0,
    /// <summary>The account is made and saved, and the operator may or may not have been told: the next run tells it again.</summary>
    Creating = 1,
    /// <summary>This device is to be added by a way in that only the run that died had: if it does not sign in, it is forgotten, and the user enters again.</summary>
    Joining = 2,
    /// <summary>It signs in.</summary>
    Ready = 3,
}

/// <summary>
/// What a device remembers of its account beside its secret and its history, so that it opens without the operator, cannot be shown another account, and finishes what a crash
/// interrupted. Everything here is public or sealed.
/// </summary>
internal sealed record DeviceRecord
{
    public required AccountNumber Account { get; init; }

    /// <summary>The identity of its unlocker, and its own in heads and clocks.</summary>
    public required Identity Device { get; init; }

    public required string Label { get; init; }

    public required DeviceStage Stage { get; init; }

    /// <summary>As accepted last; empty for a device that is being paired.</summary>
    public required ImmutableArray<EpochRecord> Epochs { get; init; }

    /// <summary>Opens the newest of <see cref="Epochs"/>; null for a device that is being paired.</summary>
    public required ReadOnlyMemory<byte>? Wrap { get; init; }

    /// <summary>The key commitment that the wrap's epoch must have: what pairing showed, or what was accepted before.</summary>
    public required ReadOnlyMemory<byte> Commitment { get; init; }

    /// <summary>Of the account's creation: what the operator is told, until it answered.</summary>
    public ImmutableArray<AccountUnlocker> Creation { get; init; } = [];

    /// <summary>To be written into the vault's list.</summary>
    public ImmutableArray<UnlockerEntry> Pending { get; init; } = [];

    /// <summary>To be put at the operator: in the vault's list already, so that what the operator lists alone is always its own invention.</summary>
    public AccountUnlocker? Adding { get; init; }

    /// <summary>The removal that was begun, until the vault's list says so.</summary>
    public Removal? Removing { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(new RecordJson
    {
        Version = RecordJson.CurrentVersion,
        Account = JsonForms.Write(Account),
        Device = Device.ToString(),
        Label = Label,
        Stage = (byte)Stage,
        Epochs = [.. Epochs.Select(epoch => Base64.EncodeUrl(epoch.Bytes.Span))],
        Wrap = Wrap is { } wrap ? Base64.EncodeUrl(wrap.Span) : null,
        Commitment = Base64.EncodeUrl(Commitment.Span),
        Creation = [.. Creation.Select(one => one.ToJson())],
        Pending = [.. Pending.Select(PendingJson.From)],
        Adding = Adding?.ToJson(),
        Removing = Removing is null ? null : new RemovalJson { Unlocker = Removing.Unlocker.ToString(), Record = Base64.EncodeUrl(Removing.RecordHash.Span) },
    }, RecordJsonContext.Default.RecordJson);

    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DeviceRecord? record)
    {
        record = null;
        try
        {
            record = JsonSerializer.Deserialize(bytes, RecordJsonContext.Default.RecordJson)?.Read();
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            // Not ours, or damaged.
        }
        return record is not null;
    }
}

/// <summary>A removal that was begun. Its new epoch is known by the hash of its record: whether the operator took it is not for the operator to say.</summary>
internal sealed record Removal(Identity Unlocker, ReadOnlyMemory<byte> RecordHash);

internal sealed record RecordJson
{
    public const int CurrentVersion = 1;

    public required int Version { get; init; }
    public required string Account { get; init; }
    public required string Device { get; init; }
    public required string Label { get; init; }
    public required byte Stage { get; init; }
    public required string[] Epochs { get; init; }
    public required string? Wrap { get; init; }
    public required string Commitment { get; init; }
    public required UnlockerJson[] Creation { get; init; }
    public required PendingJson[] Pending { get; init; }
    public required UnlockerJson? Adding { get; init; }
    public required RemovalJson? Removing { get; init; }

    public DeviceRecord Read() => Version != CurrentVersion ? throw new FormatException() : new DeviceRecord
    {
        Account = JsonForms.TryReadAccount(Account, out var account) ? account : throw new FormatException(),
        Device = ReadIdentity(Device),
        Label = Label,
        Stage = (DeviceStage)Stage,
        Epochs = [.. Epochs.Select(text => EpochRecord.TryParse(ReadBytes(text), out var epoch, out _) ? epoch : throw new FormatException())],
        Wrap = Wrap is null ? (ReadOnlyMemory<byte>?)null : ReadBytes(Wrap),
        Commitment = ReadBytes(Commitment),
        Creation = [.. Creation.Select(one => AccountUnlocker.Read(one) ?? throw new FormatException())],
        Pending = [.. Pending.Select(one => one.Read())],
        Adding = Adding is null ? null : AccountUnlocker.Read(Adding) ?? throw new FormatException(),
        Removing = Removing is null ? null : new Removal(ReadIdentity(Removing.Unlocker), ReadBytes(Removing.Record)),
    };

    public static Identity ReadIdentity(string text) => Identity.TryParse(text, out var identity) ? identity : throw new FormatException();

    public static byte[] ReadBytes(string text) => Base64.TryDecodeUrl(text, out byte[]? bytes) ? bytes : throw new FormatException();
}

internal sealed record RemovalJson
{
    public required string Unlocker { get; init; }
    public required string Record { get; init; }
}

internal sealed record PendingJson
{
    public required string Unlocker { get; init; }
    public required byte Kind { get; init; }
    public required string Label { get; init; }
    public required string? Public { get; init; }
    public required string Added { get; init; }

    public static PendingJson From(UnlockerEntry entry) => new()
    {
        Unlocker = entry.Id.ToString(),
        Kind = (byte)entry.Kind,
        Label = entry.Label,
        Public = entry.PublicKey.IsEmpty ? null : Base64.EncodeUrl(entry.PublicKey.Span),
        Added = JsonForms.Write(entry.Added),
    };

    public UnlockerEntry Read() => new(RecordJson.ReadIdentity(Unlocker), (UnlockerKind)Kind, Label, Public is null ? default : RecordJson.ReadBytes(Public), JsonForms.TryReadDay(Added, out var day) ? day : throw new FormatException());
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RecordJson))]
internal sealed partial class RecordJsonContext : JsonSerializerContext;
