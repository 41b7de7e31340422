using System.Runtime.InteropServices.JavaScript;
using Cloister.Web.Proof;
using Cloister.Web.Talk;

namespace Cloister.Web;

/// <summary>The part of the page that is there before the runtime: the field for writing, and the scrolling.</summary>
internal static partial class Shell
{
    private const string Module = "shell";

    /// <summary>Ends when the page's part can be called. Many may wait for it.</summary>
    public static Task ImportAsync() => JSHost.ImportAsync(Module, "../shell.js");

    /// <summary>Joins the page's field to the conversation. What was typed before is still there, and is sent once the door is open.</summary>
    public static async Task AttachAsync(Door door, Desk desk)
    {
        await ImportAsync();
        Listen(text => _ = desk.Current.AskAsync(text), () => desk.Current.Stop());
        desk.GivenBack += question =>
        {
            GiveBack(question);
            Announce("Your message was not sent. It is in the field again.");
        };
        desk.Changed += () => SetConversation(desk.Current.IsAnswering, desk.Current.IsEmpty);
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

    /// <summary>What <see cref="Remember"/> was given last under this name; null where that was never, or the browser keeps nothing.</summary>
    [JSImport("remembered", Module)]
    public static partial string? Remembered(string name);

    [JSImport("remember", Module)]
    public static partial void Remember(string name, string text);

    /// <summary>Makes room for the list of conversations, or takes it away.</summary>
    [JSImport("setKept", Module)]
    public static partial void SetKept(bool kept);

    /// <summary>Opens a dialog over everything else.</summary>
    [JSImport("openDialog", Module)]
    public static partial void OpenDialog(string id);

    [JSImport("closeDialog", Module)]
    public static partial void CloseDialog(string id);

    /// <summary>Hides a popover where it is one that lies over the page.</summary>
    [JSImport("hidePopover", Module)]
    public static partial void HidePopover(string id);

    /// <summary>Brings an element into view and gives it the keyboard, once it is drawn.</summary>
    [JSImport("focusOn", Module)]
    public static partial void FocusOn(string selector);

    /// <summary>Presses a list's button for more whenever it comes into view.</summary>
    [JSImport("goOnAt", Module)]
    public static partial void GoOnAt(string id);

    /// <summary>The page's place at its end, where the newest turn is.</summary>
    [JSImport("toEnd", Module)]
    public static partial void ToEnd();

    /// <summary>Gives what a pairing's link brought along behind the number sign, now and whenever one is followed while the page is open.</summary>
    [JSImport("onPairing", Module)]
    public static partial void OnPairing([JSMarshalAs<JSType.Function<JSType.String>>] Action<string> answer);

    /// <summary>Says when another tab empties what <see cref="Remember"/> was given under this name.</summary>
    [JSImport("onForgotten", Module)]
    public static partial void OnForgotten(string name, [JSMarshalAs<JSType.Function>] Action then);

    /// <summary>Where what had the keyboard in a dialog is taken away, what the selector names in it gets it.</summary>
    [JSImport("holdFocus", Module)]
    public static partial void HoldFocus(string id, string selector);

    /// <summary>How this browser and system would be called, for the list of devices.</summary>
    [JSImport("deviceName", Module)]
    public static partial string DeviceName();

    [JSImport("listen", Module)]
    private static partial void Listen(
        [JSMarshalAs<JSType.Function<JSType.String>>] Action<string> onAsk,
        [JSMarshalAs<JSType.Function>] Action onStop);

    [JSImport("setState", Module)]
    private static partial void SetState(string state, bool isSimulated);

    [JSImport("setConversation", Module)]
    private static partial void SetConversation(bool isAnswering, bool isEmpty);

    [JSImport("giveBack", Module)]
    private static partial void GiveBack(string text);
}
