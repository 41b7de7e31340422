using Microsoft.Extensions.Hosting;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>An operator in a process of its own, which the tests kill. It says where it listens.</summary>
internal static class Victim
{
    public static async Task<int> RunAsync(string database)
    {
        await using var program = OperatorProgram.Build(AccountsDatabase.Options(database), _ => { });
        await program.StartAsync();
        Console.WriteLine(program.Urls.Single());
        await program.WaitForShutdownAsync();
        return 0;
    }
}
