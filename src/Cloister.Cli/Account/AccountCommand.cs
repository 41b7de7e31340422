using System.CommandLine;
using System.Globalization;
using Cloister.Client.History;
using Cloister.Ledger;

namespace Cloister.Cli.Account;

/// <summary><c>cloister account</c>: what there is, how it comes back, and what would lose it.</summary>
internal static class AccountCommand
{
    public static Command Make()
    {
        var data = DestinationOptions.DataOption();
        var account = new TaughtCommand("account", "Your account: its number, the ways to it, what would lose it, how full it is.", """
            cloister account
            cloister account delete       everything of it at the operator, for good
            """)
        { MakeDelete() };
        account.Add(data);
        account.SetAction(parsed => LoggedIn.RunAsync(parsed, data, DescribeAsync));
        return account;
    }

    private static async Task DescribeAsync(LoggedIn account, CancellationToken cancellation)
    {
        await account.SyncAsync(cancellation);
        var outlook = account.Device.Outlook;
        Console.Out.WriteLine($"Account   {account.Device.Account}");
        Console.Out.WriteLine($"Operator  {account.Operator}");
        Console.Out.WriteLine($"Machine   {Speech.Plain(account.Device.Label)}");
        Console.Out.WriteLine($"Room      {await RoomAsync(account, cancellation)}");
        Console.Out.WriteLine($"Sync      {account.History.Sync.Sentence}");
        Console.Out.WriteLine();
        Console.Out.WriteLine(outlook.WithoutThisDevice.IsEmpty ? "Without this machine nothing opens it." : "If this machine is gone:");
        foreach (string way in outlook.WithoutThisDevice)
        {
            Console.Out.WriteLine($"  {Speech.Plain(way)}");
        }
        Console.Out.WriteLine(outlook.Loss);
        if (outlook.Advice is { } advice)
        {
            Speech.Error.WriteSentence(advice);
        }
    }

    private static async Task<string> RoomAsync(LoggedIn account, CancellationToken cancellation)
    {
        try
        {
            var (used, quota) = await account.Device.RoomAsync(cancellation);
            return string.Create(CultureInfo.InvariantCulture, $"{used / 1e6:0.0} of {quota / 1e6:0} MB at the operator");
        }
        catch (OperatorUnreachableException)
        {
            return "not known: the operator does not answer";
        }
    }

    private static Command MakeDelete()
    {
        var data = DestinationOptions.DataOption();
        var delete = new Command("delete", "Delete the account with everything in it at the operator, and forget it here. Nobody can bring it back. Other devices keep what they have.") { data };
        delete.SetAction(parsed => LoggedIn.RunAsync(parsed, data, async (account, cancellation) =>
        {
            string typed = Prompts.Ask("To delete everything for good, type the account's number:");
            if (!AccountNumber.TryParse(typed, out var number) || number != account.Device.Account)
            {
                throw new CommandFault(ExitCode.Usage, "That is another number. Nothing was deleted.");
            }
            await account.Device.DeleteAccountAsync(cancellation);
            Console.Out.WriteLine("Deleted.");
        }));
        return delete;
    }
}
