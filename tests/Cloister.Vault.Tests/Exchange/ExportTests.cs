using System.Text;
using Cloister.Ledger;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;
using Cloister.Vault.Tests.History;
using CsCheck;

namespace Cloister.Vault.Tests.Exchange;

public class ExportTests
{
    private static readonly Registers Header = new Registers(RegisterKind.Conversation, Samples.Id(1_000_000).ToString()).With("title", "A “title”", Samples.Now, Samples.Id(1));
    private static readonly Registers Memory = new Registers(RegisterKind.Memory, Samples.Id(5).ToString()).With("text", "tea", Samples.Now, Samples.Id(1));

    [Fact]
    public async Task What_is_exported_is_imported_into_the_same_account_with_the_same_names()
    {
        using var keys = new NamingKeys(1);
        string file = await ExportAsync(1, (Header.Name(keys), Header), (Samples.Id(1), Samples.Say(1, null, Samples.At(1), "näm\n")), (Memory.Name(keys), Memory));
        var (found, outcome) = await Importing.ImportAsync(file);
        Assert.Equal((ImportFormat.Cloister, 1, 1, 1, 0, ImportFault.None), (outcome.Format, outcome.Conversations, outcome.Messages, outcome.Others, outcome.NoteCount, outcome.Fault));
        var items = found.Cast<ImportedItem>().ToList();
        Assert.Equal([Header.Name(keys), Samples.Id(1), Memory.Name(keys)], items.Select(item => item.Item));
        Assert.Equal([Header.Text(), Samples.Say(1, null, Samples.At(1), "näm\n").Text(), Memory.Text()], items.Select(item => item.Content.Text()));
        Assert.Equal(file, await ExportAsync(1, [.. items.Select(item => (item.Item, item.Content))]));
    }

    [Fact]
    public async Task In_another_account_registers_get_its_names()
    {
        using var keys = new NamingKeys(1);
        using var others = new NamingKeys(2);
        var (found, _) = await Importing.ImportAsync(await ExportAsync(1, (Header.Name(keys), Header)), account: 2);
        Assert.Equal(Header.Name(others), Assert.IsType<ImportedItem>(Assert.Single(found)).Item);
    }

    [Fact]
    public async Task Unlockers_and_devices_are_neither_exported_nor_imported()
    {
        var unlockers = new Registers(RegisterKind.Unlockers, "").With("00", "x", Samples.Now, default);
        Assert.Single((await ExportAsync(1, (default, unlockers), (default, new Registers(RegisterKind.Devices, "")))).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        string slipped = await ExportAsync(1) + """{"id":"AAAAAAAAAAAAAAAAAAAAAA",""" + unlockers.Text()[1..] + "\n";
        var (found, outcome) = await Importing.ImportAsync(slipped);
        Assert.Empty(found);
        Assert.Equal("The lists of unlockers and devices are never imported.", Assert.Single(outcome.Notes).Sentence);
    }

    [Fact]
    public void What_is_held_stays_but_registers_merge()
    {
        var held = Samples.Say(1, null, Samples.At(1), "as it was");
        Assert.Same(held, new ImportedItem(Samples.Id(1), Samples.Say(1, null, Samples.At(1), "zzz")).Into(held));
        Assert.Same(Header, new ImportedItem(Samples.Id(1), held).Into(Header));
        Assert.Same(Header, new ImportedItem(Samples.Id(1), Memory).Into(Header));
        var newer = Header.With("title", "newer", Samples.Now.AddDays(1), default);
        Assert.Equal("newer", Assert.IsType<Registers>(new ImportedItem(Samples.Id(1), newer).Into(Header)).Text("title"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ImportedAttachment.MaxPiece)]
    [InlineData((2 * ImportedAttachment.MaxPiece) + 5)]
    public async Task Attachments_come_back_in_pieces(int length)
    {
        byte[] content = new byte[length];
        new Random(1).NextBytes(content);
        var attachment = new AttachmentReference(Samples.Id(3), new byte[32], "a.bin", "application/octet-stream", length);
        using var file = new MemoryStream();
        var export = await HistoryExport.BeginAsync(file, AccountNumber.Read(new byte[10]), Samples.Now, default);
        await export.WriteAsync(attachment, new MemoryStream(content), default);
        var (found, outcome) = await Importing.ImportAsync(new MemoryStream(file.ToArray()));
        Assert.Equal(1, outcome.Attachments);
        Assert.Equal(content, found.Cast<ImportedAttachment>().SelectMany(piece => piece.Bytes.ToArray()));
        await Assert.ThrowsAsync<InvalidDataException>(async () => await export.WriteAsync(attachment with { Length = length + 1 }, new MemoryStream(content), default));
    }

    [Fact]
    public async Task A_piece_of_an_attachment_that_does_not_follow_is_left_out()
    {
        string file = await ExportAsync(1) + """{"id":"AAAAAAAAAAAAAAAAAAAAAA","kind":"attachment","name":"a","type":"t","length":4,"offset":2,"bytes":"AAA="}""";
        var (found, outcome) = await Importing.ImportAsync(file);
        Assert.Empty(found);
        Assert.Equal(new ImportNote(2, "A piece of an attachment does not follow the one before."), Assert.Single(outcome.Notes));
    }

    [Theory]
    [InlineData("", ImportFault.UnknownFormat, 0)]
    [InlineData("hello", ImportFault.UnknownFormat, 1)]
    [InlineData("""{"cloister_export":2}""", ImportFault.UnknownFormat, 1)]
    [InlineData("""{"some":"json"}""", ImportFault.UnknownFormat, 1)]
    [InlineData("{\"cloister_export\":1}\n\n{\"id\":", ImportFault.NotJson, 3)]
    [InlineData("{\"cloister_export\":1}\n{\"id\":1,\"id\":2}\n", ImportFault.NotJson, 2)]
    [InlineData("[1]", ImportFault.UnknownFormat, 1)]
    public async Task A_file_that_is_none_is_refused_by_name_and_line(string file, ImportFault expected, long at)
    {
        var (_, outcome) = await Importing.ImportAsync(file);
        Assert.Equal((expected, at), (outcome.Fault, outcome.FaultAt));
    }

    [Fact]
    public async Task What_comes_before_a_fault_is_imported_and_said()
    {
        string file = await ExportAsync(1, (Samples.Id(1), Samples.Say(1, null, Samples.At(1)))) + "{\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"kind\":\"message\"}\n{broken";
        var (found, outcome) = await Importing.ImportAsync(file);
        Assert.Single(found);
        Assert.Equal((1, ImportFault.NotJson, 4L), (outcome.Messages, outcome.Fault, outcome.FaultAt));
        Assert.Equal(new ImportNote(3, "It is no item: Conversation."), Assert.Single(outcome.Notes));
    }

    [Fact]
    public async Task A_line_longer_than_an_item_may_be_is_named_and_left_out()
    {
        var most = Samples.Say(2, null, Samples.At(2), "");
        string fitting = new('x', ItemContent.MaxWritten - most.ToBytes().Length);
        string file = await ExportAsync(1, (Samples.Id(1), Samples.Say(1, null, Samples.At(1))), (Samples.Id(2), Samples.Say(2, null, Samples.At(2), fitting + "x")), (Samples.Id(3), Samples.Say(3, null, Samples.At(3), fitting)));
        var (found, outcome) = await Importing.ImportAsync(file);
        Assert.Equal([Samples.Id(1), Samples.Id(3)], found.Messages().Select(message => message.Id));
        Assert.Equal(ImportFault.None, outcome.Fault);
        Assert.Equal(new ImportNote(3, $"With {ItemContent.MaxWritten + 1} bytes it is longer than an item may be."), Assert.Single(outcome.Notes));
    }

    [Fact]
    public async Task A_line_without_end_is_refused_before_it_fills_the_memory()
    {
        using var endless = new EndlessStream(await ExportAsync(1) + "{\"text\":\"");
        var (_, outcome) = await Importing.ImportAsync(endless);
        Assert.Equal((ImportFault.TooLong, 2L), (outcome.Fault, outcome.FaultAt));
        Assert.InRange(endless.Given, 7 << 20, 20 << 20);
    }

    [Fact]
    public Task However_a_file_is_cut_it_reads_the_same() => Gen.Select(Gen.Int[1, 200], Gen.Int[1, 40]).SampleAsync(async (step, count) =>
    {
        string file = await ExportAsync(1, [.. Enumerable.Range(1, count).Select(n => (Samples.Id(n), (ItemContent)Samples.Say(n, n - 1, Samples.At(n), new string('x', n * 500))))]);
        var (found, outcome) = await Importing.ImportAsync(new SlowStream(Encoding.UTF8.GetBytes("\uFEFF" + file), step));
        Assert.Equal((count, ImportFault.None), (found.Count, outcome.Fault));
    }, iter: 20);

    private static async Task<string> ExportAsync(byte account, params (Identity Item, ItemContent Content)[] items)
    {
        using var file = new MemoryStream();
        using var keys = new NamingKeys(account);
        var export = await HistoryExport.BeginAsync(file, keys.Account, Samples.Now, default);
        foreach (var (item, content) in items)
        {
            await export.WriteAsync(item, content, default);
        }
        return Encoding.UTF8.GetString(file.ToArray());
    }

    private sealed class EndlessStream(string beginning) : Stream
    {
        private readonly byte[] _beginning = Encoding.UTF8.GetBytes(beginning);

        public long Given { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => Given; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            for (int at = 0; at < count; at++)
            {
                buffer[offset + at] = Given < _beginning.Length ? _beginning[Given] : (byte)'a';
                Given++;
            }
            return count;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
