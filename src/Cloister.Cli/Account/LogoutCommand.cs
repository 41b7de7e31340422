using System.CommandLine;

namespace Cloister.Cli.Account;

/// <summary><c>cloister logout</c>: this machine leaves the account.</summary>
internal static class LogoutCommand
{
    public static Command Make()
    {
        var here = new Option<bool>("--here") { Description = "Forget the account on this machine without asking anybody: the other devices still list it, and what was not synced is lost." };
        var data = DestinationOptions.DataOption();
        var logout = new Command("logout", "Leave the account: this machine is removed from it, and forgets its keys and its history.") { here, data };
        logout.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            var folder = DestinationOptions.FolderOf(parsed.GetValue(data));
            if (parsed.GetValue(here))
            {
                var file = AccountFile.Of(folder);
                bool existed = file.Exists;
                file.Forget();
                Console.Out.WriteLine(existed ? "Forgotten on this machine." : "There was nothing to forget.");
                return ExitCode.Done;
            }
            await using var account = await LoggedIn.OpenAsync(folder, interruption.Token);
            await account.Device.LeaveAsync(interruption.Token);
            Console.Out.WriteLine("Logged out. This machine is no way to the account any more.");
            return ExitCode.Done;
        });
        return logout;
    }
}
