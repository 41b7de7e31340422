using Cloister.Operator.Tests.Accounts;

// The tests, or what they kill: see Accounts/Victim.cs.
if (args is ["victim", var database])
{
    return await Victim.RunAsync(database);
}
return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
