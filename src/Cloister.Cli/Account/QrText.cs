using System.Text;
using QRCoder;

namespace Cloister.Cli.Account;

/// <summary>A QR code in a terminal: two modules to a character, light on whatever is dark.</summary>
internal static class QrText
{
    private const int Quiet = 2;

    public static string Draw(string text)
    {
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.L);
        var rows = code.ModuleMatrix; // with a quiet zone of four around it
        int margin = 4 - Quiet, end = rows.Count - margin;
        var drawn = new StringBuilder();
        for (int row = margin; row < end; row += 2)
        {
            for (int column = margin; column < end; column++)
            {
                bool upper = !rows[row][column], lower = row + 1 >= end || !rows[row + 1][column];
                drawn.Append((upper, lower) switch { (true, true) => '█', (true, false) => '▀', (false, true) => '▄', _ => ' ' });
            }
            drawn.Append('\n');
        }
        return drawn.ToString();
    }
}
