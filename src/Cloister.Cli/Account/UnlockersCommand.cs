using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using Cloister.Client.Accounts;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;
using Cloister.Wire;
using Spectre.Console;

namespace Cloister.Cli.Account;

/// <summary><c>cloister unlockers</c> and <c>cloister devices</c>: the ways to the account.</summary>
internal static class UnlockersCommand
{
    private const int ShortId = 8;

    public static Command Make()
    {
        var unlockers = new TaughtCommand("unlockers", "The ways to your account: list, add, rename, remove.", """
            cloister unlockers
            cloister unlockers add words
            cloister unlockers add trustees --needed 2 --of 3
            cloister unlockers rename 1f3c "Paper in the safe"
            cloister unlockers remove 1f3c
            """)
        { MakeList(_ => true), MakeAdd(), MakeRemove(), MakeRename() };
        var data = DestinationOptions.DataOption();
        unlockers.Add(data);
        unlockers.SetAction(parsed => ListAsync(parsed, data, _ => true));
        return unlockers;
    }

    public static Command MakeDevices()
    {
        var devices = new TaughtCommand("devices", "Your devices: list, add one that shows a code, rename, remove one that was lost.", """
            cloister devices
            cloister devices add              asks for the code that the new machine shows
            cloister devices rename 1f3c "Phone"
            cloister devices remove 1f3c      what is written from then on it cannot read
            """)
        { MakeList(IsDevice), MakePair(), MakeRemove(), MakeRename() };
        var data = DestinationOptions.DataOption();
        devices.Add(data);
        devices.SetAction(parsed => ListAsync(parsed, data, IsDevice));
        return devices;
    }

    private static bool IsDevice(UnlockerStanding unlocker) => unlocker.Kind is UnlockerKind.Device;

    private static Command MakeList(Func<UnlockerStanding, bool> shown)
    {
        var data = DestinationOptions.DataOption();
        var list = new Command("list", "What the account's own list says, and whether the operator says the same.") { data };
        list.SetAction(parsed => ListAsync(parsed, data, shown));
        return list;
    }

    private static Task<int> ListAsync(ParseResult parsed, Option<string?> data, Func<UnlockerStanding, bool> shown) => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
    {
        await account.SyncAsync(cancellation);
        var table = new Table { Border = TableBorder.None }.AddColumns("ID", "What", "Name", "Since", "");
        foreach (var one in (await StandingsAsync(account, cancellation)).Where(shown).OrderBy(one => one.Added).ThenBy(one => one.Id))
        {
            table.AddRow(new Text(IdOf(one.Id)), new Text(UnlockerNames.Of(one.Kind)), new Text(Speech.Plain(one.Label)), new Text($"{one.Added:yyyy-MM-dd}"), new Text(Remark(one)));
        }
        Speech.Out.Write(table);
        if (account.Device.Outlook.Advice is { } advice)
        {
            Speech.Error.WriteSentence(advice);
        }
    });

    private static async Task<IReadOnlyList<UnlockerStanding>> StandingsAsync(LoggedIn account, CancellationToken cancellation)
    {
        try
        {
            return await account.Device.CompareUnlockersAsync(cancellation);
        }
        catch (OperatorUnreachableException)
        {
            return [.. account.Device.Unlockers.Select(one => new UnlockerStanding(one.Id, one.Kind, one.Label, one.Added, Standing.Good, one.Id == account.Device.Id))];
        }
    }

    private static string Remark(UnlockerStanding one) => one.Standing switch
    {
        Standing.OperatorOnly => "only the operator lists it: remove it",
        Standing.VaultOnly    => "the operator does not know it: it opens nothing",
        Standing.SignsInOnly  => "signs in, and unlocks nothing",
        _                     => one.IsThisDevice ? "this machine" : "",
    };

    private static Command MakeAdd() => new("add", "Add a way to the account. Each has the same power, and each can be removed.") { MakeAddWords(), MakeAddPassphrase(), MakeAddTrustees() };

    private static Command MakeAddWords()
    {
        var (name, data) = (NameOption("Paper"), DestinationOptions.DataOption());
        var add = new Command("words", "Twelve words for paper. They are shown once.") { name, data };
        add.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            var words = RecoveryWords.Generate();
            WordsDialogue.Show(words);
            await account.Device.AddWordsAsync(words, parsed.GetRequiredValue(name), null, cancellation);
            await account.SyncAsync(cancellation);
            Console.Out.WriteLine("From now on these words open the account.");
        }));
        return add;
    }

    private static Command MakeAddPassphrase()
    {
        var data = DestinationOptions.DataOption();
        var add = new Command("passphrase", "A passphrase, for use with the account's number. It is asked for twice. It is as strong as it is: the operator can try guesses, at a price.") { data };
        add.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            string passphrase = SecretPrompts.NewPassphrase();
            await account.Device.AddPassphraseAsync(passphrase, "Passphrase", null, cancellation);
            await account.SyncAsync(cancellation);
            Console.Out.WriteLine($"From now on the passphrase opens the account, with its number: {account.Device.Account}");
        }));
        return add;
    }

    private static Command MakeAddTrustees()
    {
        var needed = new Option<int>("--needed") { Description = "How many shares suffice.", Required = true, HelpName = "K" };
        var of = new Option<int>("--of") { Description = "How many shares there are, at most 16.", Required = true, HelpName = "N" };
        var (name, data) = (NameOption("Trustees"), DestinationOptions.DataOption());
        var add = new Command("trustees", "Shares for people you trust: so many of them together open the account, fewer learn nothing. They are shown once.") { needed, of, name, data };
        add.Validators.Add(result =>
        {
            if (result.GetValue(needed) is var k && result.GetValue(of) is var n && !(2 <= k && k <= n && n <= 16))
            {
                result.AddError("--needed must be 2 or more, and no more than --of, which is 16 at most.");
            }
        });
        add.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            // Shown before anything is kept: an addition that breaks off is completed later, and must not be one whose shares nobody saw.
            var shares = NewShares(parsed.GetValue(needed), parsed.GetValue(of));
            Console.Out.WriteLine("One share for each trustee. They are shown this once, and open nothing before the last line here says so.\n");
            foreach (string share in shares)
            {
                Console.Out.WriteLine(share);
            }
            await account.Device.AddTrusteesAsync(shares, parsed.GetRequiredValue(name), null, cancellation);
            await account.SyncAsync(cancellation);
            Console.Out.WriteLine($"\nFrom now on {parsed.GetValue(needed)} of these shares open the account.");
        }));
        return add;
    }

    private static ImmutableArray<string> NewShares(int needed, int of)
    {
        var (_, secret, shares) = Trustees.Generate(needed, of);
        CryptographicOperations.ZeroMemory(secret);
        return shares;
    }

    private static Command MakePair()
    {
        var code = new Argument<string?>("code") { Description = "The code that the new machine shows, or the text of its QR code. Left out: it is asked for.", Arity = ArgumentArity.ZeroOrOne };
        var data = DestinationOptions.DataOption();
        var add = new Command("add", "Add a device that shows a code.") { code, data };
        add.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            await account.SyncAsync(cancellation);
            var offer = await account.Device.AnswerPairingAsync(parsed.GetValue(code) ?? Prompts.Ask("The code on the new device:"), cancellation);
            Console.Out.WriteLine($"“{Speech.Plain(offer.Label)}” shows these digits, if it is yours and nobody sits in between: {offer.Digits}");
            if (!Prompts.Agree("Does it show exactly these?"))
            {
                throw new CommandFault(ExitCode.Refused, "Nothing was shared. If the digits differed, somebody sat in between: begin again from another network.");
            }
            await offer.ApproveAsync(cancellation);
            await account.SyncAsync(cancellation);
            Console.Out.WriteLine($"“{Speech.Plain(offer.Label)}” has the account now.");
        }));
        return add;
    }

    private static Command MakeRemove()
    {
        var id = new Argument<string>("id") { Description = "The beginning of its ID, or its name." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var data = DestinationOptions.DataOption();
        var remove = new Command("remove", "Remove one. The keys of the account change: what is written from then on it cannot read. What it has read already it may have kept.") { id, yes, data };
        remove.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            await account.SyncAsync(cancellation);
            var found = Find(await account.Device.CompareUnlockersAsync(cancellation), parsed.GetRequiredValue(id));
            if (found.IsThisDevice)
            {
                throw new CommandFault(ExitCode.Usage, "That is this machine: 'cloister logout' removes it.");
            }
            if (!parsed.GetValue(yes) && !Prompts.Agree($"Remove {UnlockerNames.Of(found.Kind)} “{Speech.Plain(found.Label)}” ({IdOf(found.Id)})?"))
            {
                throw new CommandFault(ExitCode.Usage, "Nothing was removed.");
            }
            await account.Device.RemoveAsync(found.Id, cancellation);
            await account.SyncAsync(cancellation);
            Console.Out.WriteLine("Removed. The account has new keys.");
        }));
        return remove;
    }

    private static Command MakeRename()
    {
        var id = new Argument<string>("id") { Description = "The beginning of its ID, or its name." };
        var name = new Argument<string>("name") { Description = "What it is to be called. The operator does not learn it." };
        var data = DestinationOptions.DataOption();
        var rename = new Command("rename", "Call one something else.") { id, name, data };
        rename.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            await account.SyncAsync(cancellation);
            var found = Find([.. account.Device.Unlockers.Select(one => new UnlockerStanding(one.Id, one.Kind, one.Label, one.Added, Standing.Good, false))], parsed.GetRequiredValue(id));
            await account.Device.RenameAsync(found.Id, parsed.GetRequiredValue(name), cancellation);
            await account.SyncAsync(cancellation);
            Console.Out.WriteLine($"“{Speech.Plain(found.Label)}” is “{Speech.Plain(account.Device.Unlockers.First(one => one.Id == found.Id).Label)}” from now on.");
        }));
        return rename;
    }

    /// <summary>By the whole name, or the beginning of the ID. Where the one's name is the beginning of another's ID, neither is meant: what is removed cannot be brought back.</summary>
    /// <exception cref="CommandFault">There is none, or there are several.</exception>
    internal static UnlockerStanding Find(IReadOnlyList<UnlockerStanding> all, string asked)
    {
        var found = all.Where(one => one.Label == asked || Hex.Encode(one.Id.ToArray()).StartsWith(asked, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count == 1 ? found[0] : throw new CommandFault(ExitCode.Usage, found.Count == 0 ? $"There is no '{asked}'." : $"'{asked}' may be several: give more of the ID.");
    }

    private static string IdOf(Identity id) => Hex.Encode(id.ToArray())[..ShortId];

    private static Option<string> NameOption(string usual) => new("--name") { Description = "What it is called in your list. The operator does not learn it.", DefaultValueFactory = _ => usual, HelpName = "TEXT" };
}
