using System.Runtime.InteropServices.JavaScript;
using Cloister.Web.Proof;
using Cloister.Web.Talk;

namespace Cloister.Web;

/// <summary>The part of the page that is there before the runtime: the field for writing, and the scrolling.</summary>
internal static partial class Shell
{
    private const string Module = "shell";

    /// <summary>Joins the page's field to the conversation. What was typed before is still there, and is sent once the door is open.</summary>
    public static async Task AttachAsync(Door door, Conversation conversation)
    {
        await JSHost.ImportAsync(Module, "../shell.js");
        Listen(text => _ = conversation.AskAsync(text), conversation.Stop);
        conversation.GivenBack += question =>
        {
            GiveBack(question);
            Announce("Your message was not sent. It is in the field again.");
        };
        conversation.Changed += () => SetAnswering(conversation.IsAnswering);
        door.Changed += Show;
        Show();

        void Show() => SetState(door.State switch
        {
            DoorState.Open => "open",
            DoorState.Refused or DoorState.NoPolicy => "refused",
            DoorState.Away => "away",
            _ => "checking",
        }, door.IsSimulated);
    }

    /// <summary>Says something to those who hear the page.</summary>
    [JSImport("announce", Module)]
    public static partial void Announce(string text);

    [JSImport("copy", Module)]
    public static partial Task CopyAsync(string text);

    [JSImport("listen", Module)]
    private static partial void Listen(
        [JSMarshalAs<JSType.Function<JSType.String>>] Action<string> onAsk,
        [JSMarshalAs<JSType.Function>] Action onStop);

    [JSImport("setState", Module)]
    private static partial void SetState(string state, bool isSimulated);

    [JSImport("setAnswering", Module)]
    private static partial void SetAnswering(bool now);

    [JSImport("giveBack", Module)]
    private static partial void GiveBack(string text);
}
