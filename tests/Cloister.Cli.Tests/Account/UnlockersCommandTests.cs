using Cloister.Cli.Account;
using Cloister.Client.Accounts;
using Cloister.Ledger;

namespace Cloister.Cli.Tests.Account;

public class UnlockersCommandTests
{
    private static readonly UnlockerStanding Phone = Named("face", "phone"), Paper = Named("1f3c", "Paper"), Face = Named("2222", "face"), Own = Named("1f3d", "1f3d");

    [Theory]
    [InlineData("phone")]
    [InlineData("face0")]
    [InlineData("FACE0")]
    public void One_is_found_by_its_name_or_by_the_beginning_of_its_ID(string asked) => Assert.Same(Phone, Find(asked));

    [Fact]
    public void One_whose_name_begins_itOwn_ID_is_one() => Assert.Same(Own, Find("1f3d"));

    [Theory]
    [InlineData("face")]
    [InlineData("1f3")]
    public void What_may_be_several_is_none_of_them(string asked) => Assert.Contains("may be several", Assert.Throws<CommandFault>(() => Find(asked)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Phone")]
    [InlineData("fade")]
    public void What_nobody_is_called_is_not_there(string asked) => Assert.Contains("no", Assert.Throws<CommandFault>(() => Find(asked)).Message, StringComparison.Ordinal);

    private static UnlockerStanding Find(string asked) => UnlockersCommand.Find([Phone, Paper, Face, Own], asked);

    private static UnlockerStanding Named(string beginning, string label) =>
        new(Identity.Read(Convert.FromHexString(beginning.PadRight(2 * Identity.Size, '0'))), UnlockerKind.Device, label, new DateOnly(2026, 1, 1), Standing.Good, false);
}
