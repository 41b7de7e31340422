using Cloister.Vault.Pairing;
using Cloister.Wire;

namespace Cloister.Client.Accounts;

/// <summary>
/// The text of a pairing's QR code: <c>address#pair=slot.hash</c>. Behind the number sign, so that a browser that opens it does not send it; the hash is of message 1, so that nobody
/// can have put another one there.
/// </summary>
public static class PairingLink
{
    private const string Mark = "#pair=";
    private const int HashSize = 32;

    internal static string Write(Uri operatorAddress, string slot, ReadOnlySpan<byte> fingerprint) => $"{operatorAddress}{Mark}{slot}.{Base64.EncodeUrl(fingerprint)}";

    /// <summary>Reads the text of a QR code, or the eight letters that a person typed; those carry no hash.</summary>
    /// <returns>False for anything else.</returns>
    public static bool TryRead(string text, out string slot, out byte[]? fingerprint)
    {
        (slot, fingerprint) = ("", null);
        if (text.Length > 2048)
        {
            return false;
        }
        string letters = text.Trim();
        if (text.IndexOf(Mark, StringComparison.Ordinal) is >= 0 and var mark)
        {
            string[] parts = text[(mark + Mark.Length)..].Trim().Split('.');
            if (parts.Length != 2 || !Base64.TryDecodeUrl(parts[1], out fingerprint) || fingerprint.Length != HashSize)
            {
                return false;
            }
            letters = parts[0];
        }
        bool parsed = PairingSlot.TryParse(letters, out string? read);
        slot = read ?? "";
        return parsed;
    }
}
