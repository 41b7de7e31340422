using System.Text.Json.Nodes;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.History;

namespace Cloister.Client.Tests.History;

/// <summary>The list of conversations: in order whatever moves, and the same when it is read back.</summary>
public class ListTests
{
    [Fact]
    public async Task Whatever_moves_the_list_is_in_order_and_reads_back_so()
    {
        var random = new Random(11);
        var account = await TestAccount.MakeAsync();
        var (disk, device) = (new MemoryDisk(), TestAccount.Random());
        Identity[] conversations = [.. Enumerable.Range(0, 12).Select(_ => TestAccount.Random())];
        IReadOnlyList<ConversationHeader> left = [];
        for (int start = 0; start < 6; start++)
        {
            await using var history = await UserHistory.OpenAsync(disk.Open(), account.Keys(), null, device, TimeProvider.System, default);
            Assert.Equal(left, history.Conversations);
            for (int edit = 0; edit < 40; edit++)
            {
                await EditAsync(history, conversations[random.Next(conversations.Length)], random);
                if (edit % 3 == 0)
                {
                    Assert.Equal(history.Conversations.Order(ConversationHeader.ListOrder), history.Conversations);
                }
            }
            left = history.Conversations;
            Assert.Equal(left.Count, left.DistinctBy(header => header.Id).Count());
        }
    }

    private static Task EditAsync(UserHistory history, Identity conversation, Random random) => random.Next(8) switch
    {
        0 => history.DeleteConversationAsync(conversation, default),
        1 => history.SetAsync(RegisterKind.Conversation, $"{conversation}", ConversationHeader.PinnedField, JsonValue.Create(random.Next(2) == 0), default),
        2 => history.SetAsync(RegisterKind.Conversation, $"{conversation}", ConversationHeader.OrderField, JsonValue.Create($"{FractionalIndex.Between(null, null)}"), default),
        3 => history.SetAsync(RegisterKind.Conversation, $"{conversation}", ConversationHeader.TitleField, JsonValue.Create($"Title {random.Next(100)} of über"), default),
        _ => history.AddAsync(new(conversation, null, MessageRole.User, "hello"), default),
    };

    [Fact]
    public void What_is_written_reads_back_and_nothing_else_does()
    {
        var clock = Clock.After(DateTimeOffset.UnixEpoch.AddYears(50), null, TestAccount.Random());
        ConversationHeader[] headers =
        [
            new(TestAccount.Random(), "", null, null, false, false, true, null, 0, null),
            new(TestAccount.Random(), "Über 🦦", TestAccount.Random(), FractionalIndex.Between(null, null), true, true, false, TestAccount.Random(), 3, clock),
        ];
        var registers = new Registers(RegisterKind.Settings, "").With("a", JsonValue.Create("b"), DateTimeOffset.UnixEpoch.AddYears(50), TestAccount.Random());
        byte[] bytes = ListBytes.Write(headers, [headers[1], headers[0], headers[1]], [registers]);
        Assert.True(ListBytes.TryRead(bytes, out var shown, out var hidden, out var others));
        Assert.Equal(headers, shown);
        Assert.Equal([headers[1], headers[0], headers[1]], hidden);
        Assert.Equal(registers.ToBytes(), Assert.Single(others).ToBytes());
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(ListBytes.TryRead(bytes.AsMemory(0, length), out _, out _, out _));
        }
        Assert.False(ListBytes.TryRead((byte[])[.. bytes, 0], out _, out _, out _));
        Assert.False(ListBytes.TryRead((byte[])[1, .. bytes.AsSpan(1)], out _, out _, out _));
    }
}
