using System.CommandLine;
using Cloister.Attestation;
using Cloister.Log.Storage;

namespace Cloister.Cli.Release;

/// <summary><c>release refresh</c>: proofs grow old, and releases are recalled. The operator keeps what it shows up to date.</summary>
internal static class RefreshCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static Command Make()
    {
        var files = new Argument<string[]>("file") { Description = "Publications and published entries. Each is replaced by a fresh one.", Arity = ArgumentArity.OneOrMore };
        var place = new LogPlace();
        var every = new Option<string?>("--every") { Description = "Stay, and do it again and again. Left out: once.", HelpName = "TIME" };
        var command = new Command("refresh", "Bring proofs under the log's newest checkpoint, and take up recalls, rebuilds and demands of newer releases.") { files, every };
        place.AddTo(command);
        command.SetAction(async parsed =>
        {
            using var interruption = new Interruption();
            using var http = new HttpClient { Timeout = Patience };
            var log = place.Open(parsed, http);
            var pause = parsed.GetValue(every) is { } often ? Period.Read(often) : (TimeSpan?)null;
            await RefreshAsync(log, parsed.GetRequiredValue(files), interruption.Token);
            while (pause is { } period)
            {
                await Task.Delay(period, interruption.Token);
                await TryRefreshAsync(log, parsed.GetRequiredValue(files), interruption.Token);
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task RefreshAsync(PublishedLog log, string[] files, CancellationToken cancellation)
    {
        foreach (string file in files)
        {
            if (PublicationFile.TryRead(file) is { } publication)
            {
                PublicationFile.Write(file, await log.FreshenAsync(publication, cancellation));
            }
            else
            {
                Disk.Real.Replace(Path.GetFullPath(file), ProvedEntryFile.ToBytes(await log.FreshenAsync(PublicationFile.ReadEntry(file), cancellation)));
            }
        }
    }

    // What was fresh a while ago is still shown: the log may answer next time.
    private static async Task TryRefreshAsync(PublishedLog log, string[] files, CancellationToken cancellation)
    {
        try
        {
            await RefreshAsync(log, files, cancellation);
        }
        catch (CommandFault fault)
        {
            Speech.Error.WriteSentence(fault.Message);
        }
    }
}
