using System.Text;
using Cloister.Vault.Exchange;
using CsCheck;

namespace Cloister.Vault.Tests.Exchange;

/// <summary>The .zip files that ChatGPT and Claude send to people, and those that somebody made to harm.</summary>
public class ZipTests
{
    private const string Conversations = "conversations.json";

    private static string Talk(int number) => $$"""[{"uuid":"k{{number}}","name":"n","chat_messages":[{"uuid":"a","sender":"human","text":"hello {{number}}"}]}]""";

    [Fact]
    public async Task ChatGPTs_conversations_are_read_where_they_are_one_file_and_where_they_are_several()
    {
        var (plain, whole) = await Importing.ImportAsync(ForeignExportTests.ChatGpt);
        var (found, outcome) = await ReadAsync(Zips.Make(("chat.html", "<html>"), ("user.json", "{}"), ("file-1.png", "x"), (Conversations, ForeignExportTests.ChatGpt)));
        Assert.Equal(Texts(plain), Texts(found));
        Assert.Equal((ImportFormat.ChatGpt, 2, 7, ImportFault.None, null), (outcome.Format, outcome.Conversations, outcome.Messages, outcome.Fault, outcome.FaultFile));
        Assert.Equal([new(0, "Not imported: user.json, chat.html, file-1.png."), .. whole.Notes.Select(note => note with { File = Conversations })], outcome.Notes);

        var (split, several) = await ReadAsync(Zips.Make(("conversations-001.json", Talk(1)), ("conversations.json.index", ""), ("conversations-000.json", ForeignExportTests.ChatGpt), ("conversations-002.json", "[]")));
        Assert.Equal(Texts(plain), Texts(split)[..plain.Count]);
        Assert.Equal((3, 8, ImportFault.None), (several.Conversations, several.Messages, several.Fault));
        Assert.Contains(several.Notes, note => note == new ImportNote(2, "A conversation without an identity was left out.", "conversations-000.json"));
    }

    [Fact]
    public async Task Claudes_conversations_are_read_and_what_else_is_there_is_named()
    {
        var (plain, _) = await Importing.ImportAsync(ForeignExportTests.Claude);
        var (found, outcome) = await ReadAsync(Zips.Make(("users.json", "[]"), ("projects.json", "[]"), (Conversations, ForeignExportTests.Claude)));
        Assert.Equal(Texts(plain), Texts(found));
        Assert.Equal((ImportFormat.Claude, ImportFault.None), (outcome.Format, outcome.Fault));
        Assert.Equal(new ImportNote(0, "Not imported: users.json, projects.json."), outcome.Notes[0]);
    }

    [Fact]
    public async Task Packed_again_in_a_folder_it_is_the_same()
    {
        var (found, outcome) = await ReadAsync(Zips.Make(("mine/", ""), ("mine/" + Conversations, Talk(1)), ("__MACOSX/mine/._" + Conversations, "x"), ("__MACOSX/mine/" + Conversations, "x")));
        Assert.Equal((2, ImportFault.None), (found.Count, outcome.Fault));
        Assert.Empty(outcome.Notes);
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(0, false)]
    [InlineData(8, true)]
    [InlineData(0, true)]
    public async Task Files_as_they_are_and_sizes_beyond_4_GiB_are_read(int method, bool isLong)
    {
        var (found, outcome) = await ReadAsync(Zips.MakeByHand(isLong, null, new Packed(Conversations, Talk(1)) { Method = method, IsLong = isLong }));
        Assert.Equal((2, ImportFault.None), (found.Count, outcome.Fault));
    }

    [Fact]
    public async Task A_conversation_is_unpacked_as_it_is_read_and_never_the_whole()
    {
        string many = $"[{string.Join(',', Enumerable.Range(0, 20_000).Select(n => Talk(n)[1..^1]))}]";
        await using var zip = new MemoryStream(Zips.Make((Conversations, many)));
        using var keys = new NamingKeys(1);
        await using var reading = new HistoryImport(zip, keys).ReadAsync(default).GetAsyncEnumerator();
        Assert.True(await reading.MoveNextAsync());
        Assert.InRange(zip.Position, 1, zip.Length / 2);
    }

    [Fact]
    public async Task From_a_pipe_it_is_refused()
    {
        var (found, outcome) = await Importing.ImportAsync(new Pipe(Zips.Make((Conversations, Talk(1)))));
        Assert.Empty(found);
        Assert.Equal(ImportFault.ZipFromPipe, outcome.Fault);
    }

    [Fact]
    public async Task What_unpacks_to_far_more_than_text_is_a_bomb()
    {
        byte[] blank = [(byte)'[', .. Enumerable.Repeat((byte)' ', 20 << 20), (byte)']'];
        await RefusedAsync(ImportFault.ZipBomb, Conversations, new Packed(Conversations, blank));
        // So is one that says that it does, whatever it holds.
        await RefusedAsync(ImportFault.ZipBomb, Conversations, new Packed(Conversations, Talk(1)) { Length = 2 << 20 });
        await RefusedAsync(ImportFault.ZipBomb, null, new Packed(Conversations, Talk(1)) { Length = uint.MaxValue - 1 }, new Packed("conversations-1.json", Talk(1)) { Length = 3 });
    }

    [Fact]
    public async Task Files_that_share_their_bytes_are_a_bomb()
    {
        string talk = $"[{string.Join(',', Enumerable.Range(0, 500).Select(n => Talk(n)[1..^1]))}]";
        await RefusedAsync(ImportFault.ZipBomb, null, new Packed(Conversations, talk) { Times = 50, Method = 0 });
    }

    [Fact]
    public async Task More_files_than_an_export_has_are_a_bomb_before_they_are_listed()
    {
        var (found, outcome) = await ReadAsync(Zips.MakeByHand(isLong: true, 100_001, new Packed(Conversations, Talk(1))));
        Assert.Empty(found);
        Assert.Equal((ImportFault.ZipBomb, null), (outcome.Fault, outcome.FaultFile));
        Assert.Equal(ImportFault.ZipDamaged, (await ReadAsync(Zips.MakeByHand(isLong: true, 100_000, new Packed(Conversations, Talk(1))))).Outcome.Fault);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0x41)]
    [InlineData(0x2000)]
    public Task An_encrypted_file_is_refused_by_name(int flags) => RefusedAsync(ImportFault.ZipEncrypted, "in/" + Conversations, new Packed("in/" + Conversations, Talk(1)) { Flags = flags });

    [Fact]
    public Task Another_way_of_packing_is_refused_by_name() => RefusedAsync(ImportFault.ZipMethod, Conversations, new Packed(Conversations, Talk(1)) { Method = 12 });

    [Fact]
    public async Task An_archive_in_an_archive_is_not_opened()
    {
        byte[] inner = Zips.Make((Conversations, Talk(1)));
        await RefusedAsync(ImportFault.ZipNested, "a/inner.ZIP", new Packed("a/inner.ZIP", inner));
        await RefusedAsync(ImportFault.ZipNested, Conversations, new Packed(Conversations, inner));
        var (found, outcome) = await ReadAsync(Zips.MakeByHand(new Packed(Conversations, Talk(1)), new Packed("my.zip", inner)));
        Assert.Equal(2, found.Count);
        Assert.Equal("Not opened, because they are archives in an archive: my.zip.", Assert.Single(outcome.Notes).Sentence);
    }

    [Fact]
    public async Task Without_conversations_it_is_no_export()
    {
        await RefusedAsync(ImportFault.ZipWithoutConversations, null, new Packed("shared_conversations.json", "[]"), new Packed("conversations.json.bak", "[]"));
        await RefusedAsync(ImportFault.ZipWithoutConversations, null);
        await RefusedAsync(ImportFault.UnknownFormat, Conversations, new Packed(Conversations, "{}"));
    }

    [Fact]
    public async Task What_is_not_what_the_directory_says_is_damaged_and_what_came_before_stays()
    {
        Packed[] damaged =
        [
            new("conversations-2.json", Talk(2)) { Spoil = 1 },
            new("conversations-2.json", Talk(2)) { Length = (uint)Talk(2).Length - 1 },
            new("conversations-2.json", Talk(2)) { Length = (uint)Talk(2).Length + 1 },
            new("conversations-2.json", Talk(2) + new string(' ', 300_000)) { Spoil = 1 },
        ];
        foreach (var one in damaged)
        {
            var (found, outcome) = await ReadAsync(Zips.MakeByHand(new Packed("conversations-1.json", Talk(1)), one));
            Assert.Equal((ImportFault.ZipDamaged, one.Name), (outcome.Fault, outcome.FaultFile));
            Assert.Equal("hello 1", found.Messages()[0].Text);
        }
    }

    [Fact]
    public async Task However_it_is_cut_it_is_refused()
    {
        byte[] zip = Zips.Make((Conversations, Talk(1)), ("users.json", "[]"));
        for (int length = 4; length < zip.Length; length++)
        {
            var (found, outcome) = await ReadAsync(zip[..length]);
            Assert.Empty(found);
            Assert.Equal(ImportFault.ZipDamaged, outcome.Fault);
        }
    }

    // A changed date or attribute is no harm. Changed content is known by its checksum, once it was read to its end.
    [Fact]
    public Task However_it_is_changed_what_is_read_is_what_was_packed_or_it_is_called_damaged() => Gen.Select(Gen.Bool, Gen.Int[4, 400], Gen.Byte).SampleAsync(async (isLong, at, value) =>
    {
        byte[] zip = Zips.MakeByHand(isLong, null, new Packed(Conversations, Talk(1)) { IsLong = isLong }, new Packed("conversations-1.json", Talk(2)));
        zip[at % zip.Length] = value;
        var (found, outcome) = await ReadAsync(zip);
        Assert.True(outcome.Fault is ImportFault.ZipDamaged || found.Messages().All(message => message.Text is "hello 1" or "hello 2"), $"{outcome.Fault}");
    }, iter: 3000);

    private static async Task RefusedAsync(ImportFault fault, string? file, params Packed[] files)
    {
        var (found, outcome) = await ReadAsync(Zips.MakeByHand(files));
        Assert.Empty(found);
        Assert.Equal((fault, file), (outcome.Fault, outcome.FaultFile));
    }

    private static Task<(List<Imported> Found, ImportOutcome Outcome)> ReadAsync(byte[] zip) => Importing.ImportAsync(new MemoryStream(zip));

    private static string[] Texts(List<Imported> found) => [.. found.Cast<ImportedItem>().Select(item => $"{item.Item} {Encoding.UTF8.GetString(item.Content.ToBytes())}")];

    private sealed class Pipe(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    }
}
