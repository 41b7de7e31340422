namespace Cloister.Ledger;

/// <summary>The ways to an account key (docs/spec/vault.md, section 3). The numbers are part of what is sealed and stored: a new kind takes a new number.</summary>
public enum UnlockerKind : byte
{
    None = 0,
    Passkey = 1,
    Passphrase = 2,
    RecoveryWords = 3,
    Device = 4,
    Trustees = 5,
}
