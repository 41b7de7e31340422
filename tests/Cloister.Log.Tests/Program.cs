using Cloister.Log.Tests.Victims;

// The tests, or what they kill: see Victims.
if (args is ["victim", var folder, var seed])
{
    return await Victim.RunAsync(folder, int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture));
}
return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
