using System.CommandLine;
using Cloister.Wire;

namespace Cloister.Cli.Release;

/// <summary><c>release sign</c>: one publisher's signature under an entry. Each of several signs the same file.</summary>
internal static class SignCommand
{
    public static Command Make()
    {
        var file = new Argument<string>("file") { Description = "The entry. The signature is added to it." };
        var key = new Option<string[]>("--key") { Description = "The file of the private key.", HelpName = "FILE", Required = true };
        var command = new Command("sign", "Sign an entry. Read it first, or compare it: 'cloister release diff'. It prints the entry's digest.") { file, key };
        command.SetAction(parsed =>
        {
            ReadOnlyMemory<byte> digest = default;
            foreach (string one in parsed.GetRequiredValue(key))
            {
                digest = EntryFile.Sign(parsed.GetRequiredValue(file), one);
            }
            Console.Out.WriteLine(Hex.Encode(digest.Span));
            return ExitCode.Done;
        });
        return command;
    }
}
