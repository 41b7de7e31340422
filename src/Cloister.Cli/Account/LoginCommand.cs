using System.CommandLine;
using Cloister.Client.Accounts;
using Cloister.Client.History;

namespace Cloister.Cli.Account;

/// <summary><c>cloister login</c> and <c>cloister recover</c>: the ways from a machine that knows nothing to an account.</summary>
internal static class LoginCommand
{
    public static Command Make()
    {
        var made = new Option<bool>("--new") { Description = "A new account: shows twelve recovery words once, and asks for two of them back." };
        var ways = new WaysIn();
        var login = new TaughtCommand("login", "Give this machine your account. Without a way: this machine shows a code, and one that has the account is told it.", """
            cloister login --new
            cloister login                  and on the other machine: cloister devices add
            cloister login --words          with the twelve recovery words, which are asked for
            """)
        { made };
        ways.AddTo(login);
        login.Validators.Add(result =>
        {
            if (result.GetValue(made) && ways.Named(result) > 0)
            {
                result.AddError("Either --new or a way to an account that there is.");
            }
        });
        login.SetAction(parsed => RunAsync(parsed, ways, parsed.GetValue(made) ? CreateAsync : ways.Named(parsed) == 0 ? PairAsync : ways.EnterAsync));
        return login;
    }

    public static Command MakeRecover()
    {
        var ways = new WaysIn();
        var recover = new TaughtCommand("recover", "Come back to an account whose devices are lost, and see which of its ways to remove. Without a way: with the recovery words.", """
            cloister recover
            cloister recover --shares       with your trustees' shares, which are asked for
            """);
        ways.AddTo(recover);
        recover.SetAction(parsed => RunAsync(parsed, ways, async (entrance, name, cancellation) =>
        {
            var device = ways.Named(parsed) == 0 ? await entrance.EnterWithWordsAsync(SecretPrompts.Words(), name, cancellation) : await ways.EnterAsync(parsed, entrance, name, cancellation);
            Console.Out.WriteLine("You are back. Remove what was lost, so that whoever finds it cannot read on: 'cloister unlockers' lists it, 'cloister unlockers remove ID' does it.");
            return device;
        }));
        return recover;
    }

    private static Task<int> RunAsync(ParseResult parsed, WaysIn ways, Func<ParseResult, AccountEntrance, string, CancellationToken, Task<AccountDevice>> enter) =>
        RunAsync(parsed, ways, (entrance, name, cancellation) => enter(parsed, entrance, name, cancellation));

    private static async Task<int> RunAsync(ParseResult parsed, WaysIn ways, Func<AccountEntrance, string, CancellationToken, Task<AccountDevice>> enter)
    {
        using var interruption = new Interruption();
        var data = DestinationOptions.FolderOf(parsed.GetValue(ways.Data));
        var file = AccountFile.Of(data);
        if (file.Exists)
        {
            await using var before = await LoggedIn.TryOpenAsync(data, interruption.Token);
            if (before is not null)
            {
                throw new CommandFault(ExitCode.Usage, $"This machine is logged in to {before.Device.Account} already: 'cloister logout' first.");
            }
        }

        file.Operator = parsed.GetValue(ways.Operator) is { } address ? Destination.ReadAddress(address) : data.Address ?? Destination.Usual;
        if (file.Operator.Scheme != Uri.UriSchemeHttps && !file.Operator.IsLoopback)
        {
            // A session's token would go over the network in the clear: whoever reads it speaks for this machine.
            throw new CommandFault(ExitCode.Usage, $"'{file.Operator}' is neither https nor on this machine.");
        }
        using var http = LoggedIn.NewHttp();
        await using var device = await enter(new AccountEntrance(LoggedIn.PlaceOf(file, http)), parsed.GetValue(ways.Name) ?? Environment.MachineName, interruption.Token);
        await device.History.SyncNowAsync(interruption.Token);
        Console.Out.WriteLine($"Logged in to {device.Account} at {file.Operator.Authority}, as “{Speech.Plain(device.Label)}”.");
        if (device.History.Sync.State is not (SyncState.Synced or SyncState.Syncing))
        {
            Speech.Error.WriteSentence(device.History.Sync.Sentence);
        }
        if (device.Outlook.Advice is { } advice)
        {
            Speech.Error.WriteSentence(advice);
        }
        return ExitCode.Done;
    }

    private static async Task<AccountDevice> CreateAsync(ParseResult parsed, AccountEntrance entrance, string name, CancellationToken cancellation)
    {
        var draft = entrance.SignUp(name);
        WordsDialogue.Show(draft.Words);
        var device = await draft.CreateAsync(null, cancellation);
        Console.Out.WriteLine($"The account's number, which is no secret: {device.Account}");
        return device;
    }

    private static async Task<AccountDevice> PairAsync(ParseResult parsed, AccountEntrance entrance, string name, CancellationToken cancellation)
    {
        await using var joining = await entrance.PairAsync(name, cancellation);
        if (Speech.Out.Profile.Out.IsTerminal)
        {
            Console.Out.WriteLine(QrText.Draw(joining.Link));
        }
        Console.Out.WriteLine($"Code: {joining.Code}");
        Console.Out.WriteLine("On a machine that has the account: cloister devices add. In the web app: Devices, Add. The code holds for five minutes.");
        string digits = await joining.DigitsAsync(cancellation);
        Console.Out.WriteLine($"Digits: {digits}");
        if (!Prompts.Agree("Does the other device show exactly these?"))
        {
            throw new CommandFault(ExitCode.Refused, "Nothing was taken. If the digits differed, somebody sat in between: say no on the other device as well, and begin again from another network. If you said yes there, remove this machine there.");
        }
        Console.Out.WriteLine("Say so on the other device as well.");
        return await joining.FinishAsync(cancellation);
    }
}
