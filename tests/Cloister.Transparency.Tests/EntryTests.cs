using System.Text;

namespace Cloister.Transparency.Tests;

public class EntryTests
{
    public static TheoryData<EntryType> Types => [.. Enum.GetValues<EntryType>().Where(type => type is not EntryType.None)];

    [Theory, MemberData(nameof(Types))]
    public void Every_type_is_written_read_and_refused_as_another(EntryType type)
    {
        var entry = World.Signed(Of(type));
        byte[] bytes = entry.ToBytes();
        Assert.True(LogEntry.TryParse(bytes, out var read));
        Assert.Equal(bytes, read.ToBytes());
        Assert.Equal(type, read.Statement.Type);
        Assert.Equal(entry.Digest.ToArray(), read.Digest.ToArray());
        Assert.All(Enum.GetValues<EntryType>(), asked => Assert.Equal(asked == type ? EntryFault.None : EntryFault.WrongType, read.Verify(asked, World.Namespace, World.PublisherKeys, World.Now)));
    }

    [Fact]
    public void The_form_is_frozen()
    {
        // Published entries have this form for ever: a new one gets a new header.
        string text = LogEntry.TextOf(Of(EntryType.Recall));
        Assert.Equal($$$"""
            cloister-entry/v1
            {"namespace":"example.com/assistant","not_before":"2026-10-31T12:00:00Z","not_after":"2026-12-01T12:00:00Z","recall":{"release":"{{{World.Digest(1)}}}","reason":"a hole"}}

            """, text);
        string release = LogEntry.TextOf(World.Release);
        foreach (string member in (string[])["\"release\":{\"version\":\"1.4.0\",\"source_revision\":", "\"artifacts\":[{\"name\":\"image.raw\",\"sha256\":", "\"measurements\":{\"snp\":[{\"vcpus\":8,\"vcpu_type\":\"EPYC-v4\",\"launch_digest\":",
            "\"tdx\":[{\"shape\":\"c3-standard-8\",\"mrtd\":", "\"rtmrs\":[", "\"tpm\":[{\"shape\":\"c3-standard-8\",\"pcrs\":[{\"index\":4,\"sha256\":", "\"gpu_rims\":[\"NV_", "\"models\":[{\"name\":\"small\",\"weights\":",
            "\"security_version\":5,\"minimum_accepted_version\":4}"])
        {
            Assert.Contains(member, release, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Signatures_namespace_and_time_matter()
    {
        var entry = World.Signed(World.Release);
        Assert.Equal(EntryFault.None, Judge(entry));
        Assert.Equal(EntryFault.WrongNamespace, entry.Verify(EntryType.Release, "example.com/other", World.PublisherKeys, World.Now));
        Assert.Equal(EntryFault.NotYetValid, entry.Verify(EntryType.Release, World.Namespace, World.PublisherKeys, World.Now.AddDays(-2)));
        Assert.Equal(EntryFault.Expired, entry.Verify(EntryType.Release, World.Namespace, World.PublisherKeys, World.Now.AddDays(31)));
        Assert.Equal(EntryFault.TooFewPublishers, Judge(World.Signed(World.Release, World.Publishers[0])));
        Assert.Equal(EntryFault.TooFewPublishers, Judge(World.Signed(World.Release, World.Publishers[0], World.Publishers[0], World.Builders[0])));
        Assert.Equal(EntryFault.None, Judge(World.Signed(World.Release, World.Publishers)));

        var spoiled = entry.Note.Signatures[0] with { Signature = entry.Note.Signatures[0].Signature.SetItem(3, 9) };
        Assert.True(LogEntry.TryParse(entry.Note.With(spoiled).ToBytes(), out var bad));
        Assert.Equal(EntryFault.WrongSignature, Judge(bad));
        Assert.Equal(entry.Digest.ToArray(), bad.Digest.ToArray());

        static EntryFault Judge(LogEntry entry) => entry.Verify(EntryType.Release, World.Namespace, World.PublisherKeys, World.Now);
    }

    [Theory]
    [InlineData("cloister-entry/v1", "cloister-entry/v2")]
    [InlineData("\"namespace\":", "\"Namespace\":")]
    [InlineData("\"namespace\":", "\"namespace\":\"a\",\"namespace\":")]
    [InlineData("\"version\":", "\"version\":\"1\",\"version\":")]
    [InlineData("\"namespace\":", "\"more\":1,\"namespace\":")]
    [InlineData("\"version\":", "\"more\":1,\"version\":")]
    [InlineData("\"version\":\"1.4.0\",", "")]
    [InlineData("\"version\":\"1.4.0\"", "\"version\":null")]
    [InlineData("\"version\":\"1.4.0\"", "\"version\":\"\"")]
    [InlineData("\"namespace\":\"example.com/assistant\"", "\"namespace\":\"example.com assistant\"")]
    [InlineData("2026-10-31T12:00:00Z", "2026-10-31T12:00:00+00:00")]
    [InlineData("2026-10-31T12:00:00Z", "2027-10-31T12:00:00Z")]
    [InlineData("2026-10-31T12:00:00Z", "2026-10-32T12:00:00Z")]
    [InlineData("\"release\":{", "\"policy\":{\"name\":\"p\",\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"},\"release\":{")]
    [InlineData("\"source_revision\":\"aa", "\"source_revision\":\"AA")]
    [InlineData("\"source_revision\":\"aa", "\"source_revision\":\"")]
    [InlineData("\"name\":\"kernel\"", "\"name\":\"image.raw\"")]
    [InlineData("\"vcpus\":8", "\"vcpus\":0")]
    [InlineData("\"vcpus\":8", "\"vcpus\":\"8\"")]
    [InlineData("\"launch_digest\":\"11", "\"launch_digest\":\"")]
    [InlineData("\"mrtd\":\"33", "\"mrtd\":\"")]
    [InlineData("\"rtmrs\":[", "\"rtmrs\":[null,")]
    [InlineData("\"index\":4", "\"index\":24")]
    [InlineData("\"index\":4", "\"index\":11")]
    [InlineData("\"gpu_rims\":[", "\"gpu_rims\":[null,")]
    [InlineData("\"models\":[", "\"models\":[null,")]
    [InlineData("\"snp\":[", "\"snp\":[null,")]
    [InlineData("\"security_version\":5", "\"security_version\":3")]
    [InlineData("\"security_version\":5", "\"security_version\":5.5")]
    [InlineData("\"minimum_accepted_version\":4", "\"minimum_accepted_version\":-1")]
    [InlineData("}}\n", "}}{}\n")]
    [InlineData("}}\n", "}}\n\n")]
    [InlineData("}}\n", "}}\nmore\n")]
    public void A_spoiled_release_is_refused(string part, string other)
    {
        string text = World.Signed(World.Release).Note.ToString();
        Assert.Contains(part, text, StringComparison.Ordinal);
        int at = text.IndexOf(part, StringComparison.Ordinal);
        Assert.False(LogEntry.TryParse(Encoding.UTF8.GetBytes(string.Concat(text.AsSpan(0, at), other, text.AsSpan(at + part.Length))), out _));
    }

    [Fact]
    public void A_statement_is_read_before_anybody_signed_it()
    {
        string text = LogEntry.TextOf(World.Release);
        Assert.True(LogEntry.TryReadText(text, out var statement));
        Assert.Equal(text, LogEntry.TextOf(statement));
        Assert.All((string[])["", text + "\n", text.TrimEnd('\n'), text.Replace("entry/v1", "entry/v2", StringComparison.Ordinal)], wrong => Assert.False(LogEntry.TryReadText(wrong, out _)));
    }

    [Fact]
    public void Misuse_throws()
    {
        Assert.Throws<ArgumentException>(() => LogEntry.TextOf(World.Statement)); // no body
        Assert.Throws<ArgumentException>(() => LogEntry.TextOf(World.Release with { Policy = new("p", World.Digest(1)) }));
        Assert.Throws<ArgumentException>(() => new PublisherKeys(0, World.Publishers[0].Verifier));
        Assert.Throws<ArgumentException>(() => new PublisherKeys(2, World.Publishers[0].Verifier));
        Assert.Throws<ArgumentException>(() => new PublisherKeys(2, World.Publishers[0].Verifier, World.Key("alias", NoteKeyType.Ed25519, 5).Verifier));
        Assert.Throws<ArgumentException>(() => new PublisherKeys(1, World.North1.Verifier));
        Assert.Throws<ArgumentException>(() => World.ReleasePolicy with { Builders = [World.North1.Verifier] });
    }

    internal static LogStatement Of(EntryType type) => type switch
    {
        EntryType.Release => World.Release,
        EntryType.Recall => World.Statement with { Recall = new(World.Digest(1), "a hole") },
        EntryType.Fleet => World.Statement with { Fleet = new([new("snp", new string('a', 128))]) },
        EntryType.OhttpKeys => World.Statement with { OhttpKeys = new("AAEC") },
        EntryType.Policy => World.Statement with { Policy = new("strict", World.Digest(1)) },
        EntryType.WebClient => World.Statement with { WebClient = new("1.4.0", [new("index.html", World.Digest(1))]) },
        _ => World.Statement with { Rebuild = new(World.Digest(1), World.Manifest.Artifacts) },
    };
}
