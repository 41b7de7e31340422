using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Cloister.Browser;

/// <summary>Somebody at the page, and everything that the browser complained of meanwhile.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private ICDPSession? _debugger;

    public Visitor(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                Complaints.Enqueue(message.Text);
            }
        };
        page.PageError += (_, error) => Complaints.Enqueue(error);
        page.Dialog += (_, dialog) => Complaints.Enqueue($"dialog: {dialog.Message}");
        page.Request += (_, request) =>
        {
            Requests.Enqueue(request.Url);
            Bodies.Enqueue(request.PostData ?? "");
        };
        page.WebSocket += (_, socket) => Sockets.Enqueue(socket);
    }

    public IPage Page { get; }

    /// <summary>Errors and warnings of the console (violations of the content security policy are among them), uncaught errors, dialogs.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What was posted.</summary>
    public ConcurrentQueue<string> Bodies { get; } = new();

    public ConcurrentQueue<IWebSocket> Sockets { get; } = new();

    public ILocator Field => Page.Locator("#message");

    public ILocator Note => Page.Locator("#note");

    public ILocator Seal => Page.Locator("#seal button");

    public ILocator Dialog => Page.Locator("#account-dialog");

    /// <summary>The conversations in the list.</summary>
    public ILocator Rows => Page.Locator("#shelf-panel .rows > li");

    public ILocator Titles => Page.Locator("#shelf-panel .rows .open > span:first-of-type");

    public ILocator Sync => Page.Locator("#shelf-panel .sync summary");

    /// <summary>One for the whole visit: what it enabled ends with it.</summary>
    public async Task<ICDPSession> Debugger() => _debugger ??= await _context.NewCDPSessionAsync(Page);

    public ILocator Answer => Page.Locator(".answer").Last;

    /// <summary>Opens the page and waits until the channel is open.</summary>
    public async Task EnterAsync(House house)
    {
        await EnterAsync(house.Address);
    }

    /// <summary>The same at another of its addresses.</summary>
    public async Task EnterAsync(Uri address)
    {
        await Page.GotoAsync(address.ToString());
        await Assertions.Expect(Page.Locator("body[data-state=open]")).ToBeVisibleAsync(Patient);
    }

    public async Task AskAsync(string question)
    {
        await Field.FillAsync(question);
        await Field.PressAsync("Enter");
    }

    /// <summary>Keeps the answers to these requests back until the test lets them come.</summary>
    public async Task<TaskCompletionSource> HoldAsync(string addresses)
    {
        var gate = new TaskCompletionSource();
        await Page.RouteAsync(addresses, async route =>
        {
            await gate.Task;
            await route.ContinueAsync();
        });
        return gate;
    }

    public void AssertNoComplaints() => Assert.Equal("", string.Join('\n', Complaints));

    /// <summary>For what takes a runtime's start on a busy machine.</summary>
    public static LocatorAssertionsToBeVisibleOptions Patient { get; } = new() { Timeout = 60_000 };

    /// <summary>The profile: what it keeps, its network and its authenticators are its own.</summary>
    public IBrowserContext Context => _context;

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
