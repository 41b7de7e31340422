using System.CommandLine;
using Cloister.Log;
using Cloister.Transparency;

namespace Cloister.Cli.Log;

/// <summary><c>key NAME</c>: a new private key in a file, the public one on standard output.</summary>
internal static class KeyCommand
{
    public static Command Make(string description, NoteKeyType type)
    {
        var name = new Argument<string>("name") { Description = "The key's name: without spaces and plus." };
        var file = new Option<string>("--out") { Description = "The file of the private key. It must not be there yet.", HelpName = "FILE", Required = true };
        var key = new Command("key", description) { name, file };
        key.SetAction(parsed => Run(parsed.GetRequiredValue(name), parsed.GetRequiredValue(file), type));
        return key;
    }

    private static int Run(string name, string file, NoteKeyType type)
    {
        try
        {
            Console.Out.WriteLine(KeyFiles.Create(file, name, type));
            return ExitCode.Done;
        }
        catch (ArgumentException)
        {
            throw new CommandFault(ExitCode.Usage, $"'{name}' is not a key's name: it has neither spaces nor plus.");
        }
        catch (IOException fault)
        {
            throw new CommandFault(ExitCode.Usage, fault.Message, fault);
        }
    }
}
