using System.Globalization;
using System.Text;
using Cloister.Vault.Pairing;

namespace Cloister.Client.Accounts;

/// <summary>What people call their devices, as it may be shown beside a question that matters.</summary>
internal static class Labels
{
    /// <summary>At most <see cref="NewDevice.MaxLabel"/> bytes of UTF-8, without what breaks lines or turns the direction of text; never empty.</summary>
    public static string Cut(string label)
    {
        var cut = new StringBuilder();
        int size = 0;
        foreach (var rune in label.EnumerateRunes().Where(rune => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)))
        {
            if ((size += rune.Utf8SequenceLength) > NewDevice.MaxLabel)
            {
                break;
            }
            cut.Append(rune);
        }
        return cut.Length > 0 ? cut.ToString() : "?";
    }
}
