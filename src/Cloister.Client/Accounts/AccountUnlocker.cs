using Cloister.Ledger;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Client.Accounts;

/// <summary>An unlocker as the operator keeps it (docs/spec/accounts.md, section 2). From the operator it is only a claim: which unlockers there are, the vault's own list says.</summary>
/// <param name="Id">16 bytes.</param>
/// <param name="Kind">One of the known kinds.</param>
/// <param name="SignInKey">Null for passkeys, which sign in by WebAuthn.</param>
/// <param name="Wrap">The account key, sealed for this unlocker when its secret was at hand, or when it was paired; null where it unlocks nothing.</param>
/// <param name="Renewed">The account key of a later epoch, sealed for it in its absence; null where there was none since.</param>
/// <param name="Added">The day on which it was added.</param>
public sealed record AccountUnlocker(Identity Id, UnlockerKind Kind, Ed25519PublicKey? SignInKey, ReadOnlyMemory<byte>? Wrap, ReadOnlyMemory<byte>? Renewed, DateOnly Added)
{
    /// <summary>At one account.</summary>
    public const int MaxCount = 32;

    // The larger form.
    private const int MaxWrap = WrapFormat.ToKeySize;

    internal UnlockerJson ToJson() => new()
    {
        Id = Id.ToString(),
        Kind = (byte)Kind,
        SignInKey = SignInKey is null ? null : Base64.EncodeUrl(SignInKey.Bytes),
        Wrap = Write(Wrap),
        Renewed = Write(Renewed),
        Added = JsonForms.Write(Added),
    };

    // Null for what is not exactly this format.
    internal static AccountUnlocker? Read(UnlockerJson json)
    {
        byte[]? signInKey = null;
        bool wellFormed = Identity.TryParse(json.Id, out var id)
            & (UnlockerKind)json.Kind is >= UnlockerKind.Passkey and <= UnlockerKind.Trustees
            & (json.SignInKey is null || (json.SignInKey.Length < MaxWrap && Base64.TryDecodeUrl(json.SignInKey, out signInKey) && signInKey.Length == Ed25519PublicKey.Size))
            & TryRead(json.Wrap, out var wrap)
            & TryRead(json.Renewed, out var renewed)
            & JsonForms.TryReadDay(json.Added, out var added);
        return wellFormed ? new(id, (UnlockerKind)json.Kind, signInKey is null ? null : new(signInKey), wrap, renewed, added) : null;
    }

    private static string? Write(ReadOnlyMemory<byte>? wrap) => wrap is { } bytes ? Base64.EncodeUrl(bytes.Span) : null;

    // The cast matters: without it null becomes empty bytes, which are a wrap.
    private static bool TryRead(string? text, out ReadOnlyMemory<byte>? wrap)
    {
        byte[]? bytes = null;
        bool parsed = text is null || (text.Length <= 2 * MaxWrap && Base64.TryDecodeUrl(text, out bytes) && bytes.Length is > 0 and <= MaxWrap);
        wrap = parsed && bytes is not null ? bytes : (ReadOnlyMemory<byte>?)null;
        return parsed;
    }
}
