using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Vault.History;

namespace Cloister.Vault.Tests.History;

public class HeaderTests
{
    private static readonly Registers Titled = new Registers(RegisterKind.Conversation, Samples.Id(1).ToString()).With(ConversationHeader.TitleField, "Title", Samples.Now, Samples.Id(9));

    [Fact]
    public void A_conversation_is_shown_until_it_is_deleted()
    {
        Assert.True(ConversationHeader.Of(Samples.Id(1), Titled, 0, null).IsShown);
        var deleted = ConversationHeader.Delete(Titled, Samples.Now, Samples.Id(9));
        Assert.False(ConversationHeader.Of(Samples.Id(1), deleted, 0, null).IsShown);
        Assert.Null(deleted[ConversationHeader.TitleField]);
    }

    [Fact]
    public void A_message_that_another_device_wrote_meanwhile_brings_it_back()
    {
        var deleted = ConversationHeader.Delete(Titled, Samples.Now, Samples.Id(9));
        var header = ConversationHeader.Of(Samples.Id(1), deleted.Merge(Titled), 1, Samples.At(1));
        Assert.True(header.IsShown);
        Assert.Equal("", header.Title);
    }

    [Fact]
    public void A_message_alone_makes_a_conversation_and_nothing_makes_none()
    {
        Assert.True(ConversationHeader.Of(Samples.Id(1), null, 1, Samples.At(1)).IsShown);
        Assert.False(ConversationHeader.Of(Samples.Id(1), null, 0, null).IsShown);
    }

    [Fact]
    public void The_list_has_the_pinned_by_their_order_first_then_the_newest()
    {
        var list = new[] { Header(1, null, false, 10), Header(2, "k", true, 1), Header(3, null, false, 30), Header(4, "c", true, 2), Header(5, null, true, 99), Header(6, "a", false, 20), Header(7, "k", true, 1) };
        Assert.Equal([4, 2, 7, 5, 3, 6, 1], list.Order(ConversationHeader.ListOrder).Select(header => Array.IndexOf(list, header) + 1));
    }

    [Fact]
    public void Fields_of_a_wrong_type_are_as_good_as_none()
    {
        var odd = Titled.With("title", 5, Samples.Now, default).With("folder", "x", Samples.Now, default).With("order", "0", Samples.Now, default).With("pinned", "true", Samples.Now, default);
        var header = ConversationHeader.Of(Samples.Id(1), odd, 0, null);
        Assert.Equal(("", null, null, false), (header.Title, header.Folder, header.Order, header.Pinned));
    }

    [Fact]
    public void Unlockers_and_devices_are_read_back_and_the_removed_are_gone()
    {
        var key = new byte[UnlockerEntry.PublicKeySize];
        var phone = new UnlockerEntry(Samples.Id(1), UnlockerKind.Device, "Phone", key, new(2026, 11, 25));
        var words = new UnlockerEntry(Samples.Id(2), UnlockerKind.RecoveryWords, "Words", default, new(2026, 11, 24));
        var list = new Registers(RegisterKind.Unlockers, "").With(phone.Field, phone.ToJson(), Samples.Now, default).With(words.Field, words.ToJson(), Samples.Now, default);
        Assert.Equal([(phone.Id, "Phone", 1216), (words.Id, "Words", 0)], UnlockerEntry.ReadAll(list).Select(entry => (entry.Id, entry.Label, entry.PublicKey.Length)));
        Assert.Equal([words.Id], UnlockerEntry.ReadAll(list.With(phone.Field, null, Samples.Now, default)).Select(entry => entry.Id));
        Assert.Empty(UnlockerEntry.ReadAll(list.With(phone.Field, new JsonObject { ["kind"] = 4 }, Samples.Now, default).With(words.Field, "x", Samples.Now, default)));

        var device = new DeviceEntry(Samples.Id(3), "Laptop", new(2026, 1, 2));
        Assert.Equal([device], DeviceEntry.ReadAll(new Registers(RegisterKind.Devices, "").With(device.Field, device.ToJson(), Samples.Now, default)));
    }

    [Fact]
    public void Folders_memories_and_instructions_are_read_until_they_are_deleted()
    {
        string id = Samples.Id(4).ToString();
        var folder = new Registers(RegisterKind.Folder, id).With(Folder.NameField, "Work", Samples.Now, default);
        var memory = new Registers(RegisterKind.Memory, id).With(Memory.TextField, "Likes tea", Samples.Now, default);
        Assert.Equal(new Folder(Samples.Id(4), "Work", null), Folder.Read(folder));
        Assert.Equal(new Memory(Samples.Id(4), "Likes tea"), Memory.Read(memory));
        Assert.Null(Folder.Read(memory));
        Assert.Null(Memory.Read(memory.With("deleted", true, Samples.Now, default)));
        Assert.Equal("", Settings.Instructions(new(RegisterKind.Settings, "")));
    }

    private static ConversationHeader Header(int id, string? order, bool pinned, int newest) => new(
        Samples.Id(id), "", null, FractionalIndex.TryParse(order, out var place) ? place : null, pinned, false, false, null, 1, Samples.At(newest));
}
