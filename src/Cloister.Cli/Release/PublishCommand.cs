using System.CommandLine;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary><c>release publish</c>: a signed entry goes into the log, and its proof into the file that travels.</summary>
internal static class PublishCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static Command Make()
    {
        var file = new Argument<string>("file") { Description = "The signed entry." };
        var place = new LogPlace();
        var destination = new Option<string>("--out") { Description = "Where the proof goes: for a release, its fleet, rebuilds and recalls the publication that the enclave shows; for a web app or a policy a file of its own.", HelpName = "FILE", Required = true };
        var command = new Command("publish", "Hand a signed entry to the log, wait until the witnesses have seen it, and write the proof.") { file, destination };
        place.AddTo(command);
        command.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            using var http = new HttpClient { Timeout = Patience };
            var entry = EntryFile.ReadSigned(parsed.GetRequiredValue(file));
            var proved = await Speech.WaitAsync("Waiting for the log and its witnesses …", () => place.Open(parsed, http).AddAsync(entry, interruption.Token));
            PublicationFile.Put(parsed.GetRequiredValue(destination), proved);
            Console.Out.WriteLine(LogProof.TryParse(proved.Proof.Span, out var proof) ? $"{entry.Statement.Type} is entry {proof.Index} of the log." : "");
            return ExitCode.Done;
        });
        return command;
    }
}
