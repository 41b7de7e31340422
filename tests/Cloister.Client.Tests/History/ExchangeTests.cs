using System.Text;
using System.Text.Json.Nodes;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;
using Cloister.Vault.Keys;

namespace Cloister.Client.Tests.History;

/// <summary>What a history does with files, and with what a newer program of the user's wrote.</summary>
public class ExchangeTests
{
    private readonly Identity _conversation = TestAccount.Random();

    [Theory]
    [InlineData("""{"kind":"conversation","subject":"ID","fields":["in","a","newer","form"]}""")]
    [InlineData("not even JSON")]
    public async Task Registers_of_a_newer_program_are_not_written_over(string content)
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var header = account.Keys().Name(RegisterKind.Conversation, $"{_conversation}");
        await SendAsync(account, operatorSide, (header, content.Replace("ID", $"{_conversation}", StringComparison.Ordinal)));
        var before = operatorSide.Items.Single();
        await using var history = await OpenAsync(account, operatorSide);
        await history.SyncNowAsync(default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => history.SetAsync(RegisterKind.Conversation, $"{_conversation}", ConversationHeader.TitleField, "older", default));
        var said = await history.AddAsync(new(_conversation, null, MessageRole.User, "said"), default);
        var outcome = await history.ImportAsync(await ExportAsync(account, new Registers(RegisterKind.Conversation, $"{_conversation}").With(ConversationHeader.TitleField, "imported", DateTimeOffset.UnixEpoch, default)), default);
        Assert.StartsWith("1 items are here as a newer program", Assert.Single(outcome.Notes).Sentence, StringComparison.Ordinal);
        await history.SyncNowAsync(default);
        Assert.Equal(2, operatorSide.Items.Count);
        var after = operatorSide.Items.Single(item => item.Item == header);
        Assert.Equal((1UL, true), (after.Version, after.Sealed.Span.SequenceEqual(before.Sealed.Span)));
        Assert.Equal(said.Id, (await history.ReadAsync(_conversation, default)).Branch.Single().Id);
    }

    [Fact]
    public async Task A_message_of_a_newer_program_is_deleted_with_its_conversation()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        var strange = TestAccount.Random();
        await SendAsync(account, operatorSide, (strange, $$"""{"kind":"message","conversation":"{{_conversation}}","role":"chorus"}"""));
        await using var history = await OpenAsync(account, operatorSide);
        await history.SyncNowAsync(default);
        await history.AddAsync(new(_conversation, null, MessageRole.User, "said"), default);
        await history.DeleteConversationAsync(_conversation, default);
        await history.SyncNowAsync(default);
        Assert.True(operatorSide.Items.Single(item => item.Item == strange).IsTombstone);
    }

    [Fact]
    public async Task An_export_says_what_is_not_in_it()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        await SendAsync(account, operatorSide, (TestAccount.Random(), "not understood"));
        await using var history = await OpenAsync(account, operatorSide);
        await history.SyncNowAsync(default);
        AttachmentReference attachment = new(TestAccount.Random(), new byte[32], "a", "b/c", 3);
        await history.AddAsync(new(_conversation, null, MessageRole.User, "one") { Attachments = [attachment] }, default);
        await history.AddAsync(new(_conversation, null, MessageRole.User, "the same again") { Attachments = [attachment] }, default);
        using var file = new MemoryStream();
        Assert.Equal(new(Items: 3, LeftOut: 1, Attachments: 1), await history.ExportAsync(file, default));
        Assert.Equal(4, Encoding.UTF8.GetString(file.ToArray()).Count(letter => letter == '\n'));
    }

    [Fact]
    public async Task An_import_says_that_it_takes_no_attachments()
    {
        var account = await TestAccount.MakeAsync();
        await using var history = await OpenAsync(account, null);
        using var file = new MemoryStream();
        var export = await HistoryExport.BeginAsync(file, account.Number, DateTimeOffset.UnixEpoch, default);
        await export.WriteAsync(new(TestAccount.Random(), new byte[32], "a", "b/c", 3), new MemoryStream(new byte[3]), default);
        file.Position = 0;
        var outcome = await history.ImportAsync(file, default);
        Assert.Equal((0, 1), (outcome.Attachments, outcome.NoteCount));
        Assert.StartsWith("1 attachments were not imported", Assert.Single(outcome.Notes).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_large_is_left_out_and_nothing_beside_it()
    {
        var account = await TestAccount.MakeAsync();
        await using var history = await OpenAsync(account, null);
        await history.SetAsync(RegisterKind.Settings, "", "here", JsonValue.Create(new string('x', 300_000)), default);
        var settings = new Registers(RegisterKind.Settings, "").With("there", JsonValue.Create(new string('y', 900_000)), DateTimeOffset.UnixEpoch, default);
        var outcome = await history.ImportAsync(await ExportAsync(account, Say("before"), Say(new string('z', ItemContent.MaxWritten)), settings, Say("after")), default);
        Assert.Equal((ImportFault.None, 2), (outcome.Fault, outcome.NoteCount));
        Assert.Equal(["after", "before"], (await history.ReadAsync(_conversation, default)).Tree.Roots.Select(message => message.Text).Order());
        Assert.Equal(["here"], (await history.RegistersAsync(RegisterKind.Settings, "", default)).Fields.Keys);
    }

    [Fact]
    public async Task An_import_that_breaks_off_is_sent_as_far_as_it_came()
    {
        var account = await TestAccount.MakeAsync();
        var operatorSide = account.NewOperator();
        await using var history = await OpenAsync(account, operatorSide);
        await history.SyncNowAsync(default);
        var sent = new TaskCompletionSource();
        operatorSide.Advanced += _ => sent.TrySetResult();
        var file = await ExportAsync(account, [.. Enumerable.Range(0, 1500).Select(n => Say($"message {n}"))]);
        await Assert.ThrowsAsync<IOException>(() => history.ImportAsync(new BrokenStream(file.ToArray()), default));
        await sent.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(operatorSide.Items.Count, 500, 1499);
    }

    private Message Say(string text) => new MessageDraft(_conversation, null, MessageRole.User, text).ToMessage(TestAccount.Random(), Clock.After(DateTimeOffset.UnixEpoch, null, default));

    private static Task<UserHistory> OpenAsync(TestAccount account, MemoryOperator? operatorSide) =>
        UserHistory.OpenAsync(new MemoryDisk().Open(), account.Keys(), operatorSide is null ? null : new MemoryLink(operatorSide), TestAccount.Random(), TimeProvider.System, default);

    private static async Task<MemoryStream> ExportAsync(TestAccount account, params ItemContent[] contents)
    {
        var file = new MemoryStream();
        var export = await HistoryExport.BeginAsync(file, account.Number, DateTimeOffset.UnixEpoch, default);
        foreach (var content in contents)
        {
            await export.WriteAsync(content is Message message ? message.Id : default, content, default);
        }
        file.Position = 0;
        return file;
    }

    // As a program does that knows more than this one.
    private static async Task SendAsync(TestAccount account, MemoryOperator operatorSide, params (Identity Item, string Content)[] items)
    {
        var book = new HistoryBook(new MemoryDisk().Open(), account.Keys(), TestAccount.Random(), TimeProvider.System);
        await book.OpenAsync(default);
        var sealedItems = await account.Keys().SealAsync([.. items.Select(item => new PlainItem(item.Item, 1, Encoding.UTF8.GetBytes(item.Content)))], default);
        await book.WriteAsync(batch =>
        {
            foreach (var change in sealedItems)
            {
                batch.PutUnsent(new(default, change.Item, change.Version, change.Sealed));
            }
            return ValueTask.FromResult(true);
        }, default);
        Assert.Equal(SyncState.Synced, (await new SyncAttempt(book, new MemoryLink(operatorSide)).RunAsync(true, false, default)).State);
    }

    /// <summary>Its last bytes are not to be had.</summary>
    private sealed class BrokenStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position < Length - 1000 ? await base.ReadAsync(buffer[..(int)Math.Min(buffer.Length, Length - 1000 - Position)], cancellationToken) : throw new IOException("The disk is gone.");
    }
}
