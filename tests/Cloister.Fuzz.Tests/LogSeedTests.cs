using System.Text;
using Cloister.Testing;
using Cloister.Transparency;

namespace Cloister.Fuzz.Tests;

/// <summary>A search from seeds that are refused at once finds little.</summary>
public class LogSeedTests
{
    [Fact]
    public void The_seeds_of_the_logs_texts_are_well_formed()
    {
        Assert.True(SignedNote.TryParse(Seed("note"), out _, out _));
        Assert.True(Checkpoint.TryParse(Encoding.UTF8.GetString(Seed("checkpoint")), out _));
        Assert.True(LogPolicy.TryParse(Seed("log-policy"), out _, out var fault), $"{fault}");
        Assert.True(LogProof.TryParse(Seed("tlog-proof"), out _));
        Assert.True(TilePath.TryParse(Encoding.UTF8.GetString(Seed("tile-path")), out _));
        Assert.True(EntryBundle.TryDecode(Seed("entry-bundle").AsSpan(1), 5, out _, out _));
        Assert.True(LogEntry.TryParse(Seed("log-entry"), out _));
        Assert.True(AddCheckpointRequest.TryParse(Seed("witness-request"), out _));
        Assert.Equal(72, Seed("cosignature").Length);
    }

    private static byte[] Seed(string target) => File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus", target, "1"));
}
