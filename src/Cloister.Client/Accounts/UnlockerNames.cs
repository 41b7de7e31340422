using Cloister.Ledger;

namespace Cloister.Client.Accounts;

/// <summary>What people call the kinds of unlockers.</summary>
public static class UnlockerNames
{
    public static string Of(UnlockerKind kind) => kind switch
    {
        UnlockerKind.Passkey       => "Passkey",
        UnlockerKind.Passphrase    => "Passphrase",
        UnlockerKind.RecoveryWords => "Recovery words",
        UnlockerKind.Device        => "Device",
        UnlockerKind.Trustees      => "Trustees",
        _                          => "Unknown",
    };
}
