using System.Text;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>An account of one epoch, as the operator would show it.</summary>
internal static class AccountSeeds
{
    private const string Account = "0000-0000-0000-0000";
    private const string Id = "AAAAAAAAAAAAAAAAAAAAAA";

    public static void Write(Action<string, int, byte[]> save)
    {
        string key = Base64.EncodeUrl(new byte[32]), wrap = Base64.EncodeUrl(new byte[65]), epoch = Base64.EncodeUrl(HistorySeeds.Epochs[0].Bytes.Span);
        save("account-listing", 1, Encoding.UTF8.GetBytes($$"""{"account":"{{Account}}","epochs":["{{epoch}}"],"unlockers":[{"id":"{{Id}}","kind":4,"sign_in_key":"{{key}}","wrap":"{{wrap}}","renewed":null,"added":"2026-11-25"}],"head":null,"used":0,"quota":1073741824}"""));
        save("account-session", 1, Encoding.UTF8.GetBytes($$"""{"token":"{{key}}","expires":"2026-11-25T00:15:00Z","account":"{{Account}}","unlocker":"{{Id}}"}"""));
        save("head-feed", 1, "event: head\ndata: {\"sequence\":3}\n\n: here\n\nevent: head\r\ndata:{\"sequence\":4}\r\n\r\n"u8.ToArray());
        save("pairing-link", 1, Encoding.UTF8.GetBytes($"http://127.0.0.1:7000/#pair=ABCD-EFGH.{key}"));
        save("pairing-link", 2, "abcd efgh"u8.ToArray());
    }
}
