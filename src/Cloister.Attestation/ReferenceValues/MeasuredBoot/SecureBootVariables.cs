using System.Collections.Immutable;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>The variables that firmware measures into PCR 7 and RTMR 0 before it boots, and the signers by which it then loaded what it loaded.</summary>
public sealed record SecureBootVariables
{
    private static readonly Guid GlobalVariable = new("8be4df61-93ca-11d2-aa0d-00e098032b8c");
    private static readonly Guid SecurityDatabase = new("d719b2cb-3d3a-4596-a3bc-dad00e67656f");

    /// <summary>Secure Boot is off, and no keys are enrolled.</summary>
    public static SecureBootVariables Off { get; } = new() { SecureBoot = new byte[] { 0 } };

    /// <summary>Firmware that has no variables at all, as TDVF starts with.</summary>
    public static SecureBootVariables Absent { get; } = new();

    /// <summary>One byte, 1 where it is on; empty where the variable is not there when it is measured.</summary>
    public ReadOnlyMemory<byte> SecureBoot { get; init; }

    /// <summary>PK: a list of signatures (EFI_SIGNATURE_LIST), empty where it is not set; so are the three that follow.</summary>
    public ReadOnlyMemory<byte> PlatformKey { get; init; }

    public ReadOnlyMemory<byte> KeyExchangeKeys { get; init; }

    public ReadOnlyMemory<byte> Allowed { get; init; }

    public ReadOnlyMemory<byte> Forbidden { get; init; }

    /// <summary>The entries of db (EFI_SIGNATURE_DATA: owner and certificate) that vouched for what was loaded, each once, in the order of loading.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Authorities { get; init; } = [];

    /// <summary>PCR 7: the five variables, a separator, the authorities.</summary>
    public IEnumerable<byte[]> Events(RegisterBank bank) =>
    [
        .. VariableEvents(bank), MeasuredEvent.Separator(bank), .. Authorities.Select(authority => MeasuredEvent.Variable(bank, SecurityDatabase, "db", authority.Span)),
    ];

    internal IEnumerable<byte[]> VariableEvents(RegisterBank bank) =>
    [
        MeasuredEvent.Variable(bank, GlobalVariable, "SecureBoot", SecureBoot.Span),
        MeasuredEvent.Variable(bank, GlobalVariable, "PK", PlatformKey.Span),
        MeasuredEvent.Variable(bank, GlobalVariable, "KEK", KeyExchangeKeys.Span),
        MeasuredEvent.Variable(bank, SecurityDatabase, "db", Allowed.Span),
        MeasuredEvent.Variable(bank, SecurityDatabase, "dbx", Forbidden.Span),
    ];
}
