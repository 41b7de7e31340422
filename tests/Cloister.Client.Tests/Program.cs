using Cloister.Client.Tests.History;

// The tests, or the device that they kill: see HistoryVictim.
if (args is ["victim", var folder, var address])
{
    return await HistoryVictim.RunAsync(folder, new Uri(address));
}
return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
