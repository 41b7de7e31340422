namespace Cloister.Ledger;

/// <summary>What an unlocker's Ed25519 key signs (docs/spec/accounts.md, sections 1 and 2).</summary>
public static class SignInMessage
{
    /// <summary>The longest challenge that is signed, in bytes.</summary>
    public const int MaxChallenge = 256;

    /// <summary>For a session.</summary>
    public static byte[] SignIn(Identity unlocker, ReadOnlySpan<byte> challenge) => Make("cloister sign-in v1\0"u8, unlocker, challenge);

    /// <summary>To have everything of the account deleted.</summary>
    public static byte[] DeleteAccount(Identity unlocker, ReadOnlySpan<byte> challenge) => Make("cloister delete account v1\0"u8, unlocker, challenge);

    private static byte[] Make(ReadOnlySpan<byte> label, Identity unlocker, ReadOnlySpan<byte> challenge)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(challenge.Length, MaxChallenge);
        return [.. label, .. unlocker.ToArray(), .. challenge];
    }
}
