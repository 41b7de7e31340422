using System.Text;
using System.Text.Json.Nodes;
using Cloister.Ledger;
using Cloister.Vault.History;
using CsCheck;

namespace Cloister.Vault.Tests.History;

/// <summary>Three devices write, edit and delete while they do not see each other; what they tell each other comes late, twice and in any order. In the end all show the same.</summary>
public class ConvergenceTests
{
    private const int Devices = 3;

    private static readonly Gen<Step> Steps = Gen.Select(Gen.Int[0, Devices - 1], Gen.Int[0, 9], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Select((device, what, one, other) => new Step(device, what, one, other));

    [Fact]
    public void Devices_that_saw_the_same_items_show_the_same() => Gen.Select(Steps.Array[1, 30], Gen.Int[0, int.MaxValue]).Sample((steps, seed) =>
    {
        var devices = Enumerable.Range(0, Devices).Select(number => new Replica(number)).ToArray();
        foreach (var step in steps)
        {
            devices[step.Device].Do(step, devices);
        }
        var random = new Random(seed);
        foreach (var device in devices)
        {
            device.Take(devices.SelectMany(other => other.States).Concat(device.States).OrderBy(_ => random.Next()).ToList());
        }
        string shown = devices[0].Show();
        return devices.All(device => device.Show() == shown);
    }, iter: 10_000);

    [Fact]
    public void What_was_deleted_does_not_come_back_and_what_was_written_meanwhile_does()
    {
        var (one, other) = (new Replica(0), new Replica(1));
        one.Do(new(0, 0, 0, 0), [one, other]);
        other.Take(one.States);
        one.Do(new(0, 6, 0, 0), [one, other]);
        Assert.Equal("", one.Show());
        var late = other.States;
        other.Do(new(1, 0, 0, 1), [one, other]);
        other.Take(one.States);
        one.Take(late);
        Assert.Equal("", one.Show());
        one.Take(other.States);
        Assert.Equal(one.Show(), other.Show());
        Assert.Single(one.Show().Split('\n', StringSplitOptions.RemoveEmptyEntries), line => line.Contains("said by 1", StringComparison.Ordinal));
        Assert.DoesNotContain("said by 0", one.Show(), StringComparison.Ordinal);
    }

    private readonly record struct Step(int Device, int What, int One, int Other);

    /// <summary>A device with nothing but the newest state of each item, and a clock that is wrong.</summary>
    private sealed class Replica(int number)
    {
        private readonly Dictionary<Identity, ItemContent?> _items = [];
        private int _made;

        public List<(Identity Item, ItemContent? Content)> States => [.. _items.Select(pair => (pair.Key, pair.Value))];

        private Identity Name => Samples.Id(100 + number);

        private DateTimeOffset Time => Samples.Now.AddMinutes(number * 7).AddMilliseconds(_made);

        public void Do(Step step, Replica[] all)
        {
            var conversation = Samples.Id(10 + (step.Other % 2));
            switch (step.What)
            {
                case 0 or 1 or 2:
                    Say(conversation, step.One);
                    break;
                case 3:
                    Set(conversation, ConversationHeader.TitleField, $"title {step.One}");
                    break;
                case 4:
                    Set(conversation, step.One % 2 == 0 ? ConversationHeader.PinnedField : ConversationHeader.LeafField, step.One % 2 == 0 ? JsonValue.Create(step.One % 4 == 0) : Messages(conversation).FirstOrDefault()?.Id.ToString());
                    break;
                case 5:
                    if (Messages(conversation).Skip(step.One % 3).FirstOrDefault() is { } gone)
                    {
                        Take([(gone.Id, null)]);
                    }
                    break;
                case 6:
                    Delete(conversation);
                    break;
                default:
                    // Some of what another device has, late and in part.
                    Take(all[step.One % all.Length].States.Where((_, at) => (at + step.Other) % 3 != 0).ToList());
                    break;
            }
        }

        public void Take(List<(Identity Item, ItemContent? Content)> states)
        {
            foreach (var (item, content) in states)
            {
                _items[item] = _items.TryGetValue(item, out var held) ? ItemContent.Merge(held, content) : content;
            }
        }

        public string Show()
        {
            var text = new StringBuilder();
            var all = new[] { 10, 11 }.Select(id => ConversationView.Of(Samples.Id(id), Headers(Samples.Id(id)), Messages(Samples.Id(id))));
            foreach (var view in all.Where(view => view.Header.IsShown).OrderBy(view => view.Header, ConversationHeader.ListOrder))
            {
                text.AppendLine($"{view.Header}");
                Show(view.Tree, view.Tree.Roots, text);
                text.AppendJoin(',', view.Branch.Select(message => message.Id)).AppendLine();
            }
            return text.ToString();
        }

        private void Say(Identity conversation, int seed)
        {
            var parent = Messages(conversation).Order(Message.Order).Skip(seed % 4).FirstOrDefault();
            Clock clock = Clock.After(Time, parent?.Clock, Name);
            var id = Samples.Id(1_000 + (number * 1_000) + ++_made);
            Take([(id, new MessageDraft(conversation, parent?.Id, MessageRole.User, $"{_made} said by {number}").ToMessage(id, clock))]);
            if (Headers(conversation) is null)
            {
                Set(conversation, ConversationHeader.TitleField, "new");
            }
        }

        private void Set(Identity conversation, string field, JsonNode? value)
        {
            _made++;
            var registers = Headers(conversation) ?? new Registers(RegisterKind.Conversation, conversation.ToString());
            _items[conversation] = registers.With(field, value, Time, Name);
        }

        private void Delete(Identity conversation)
        {
            if (Headers(conversation) is { } registers)
            {
                _items[conversation] = ConversationHeader.Delete(registers, Time, Name);
            }
            Take([.. Messages(conversation).Select(message => (message.Id, (ItemContent?)null))]);
        }

        private Registers? Headers(Identity conversation) => _items.GetValueOrDefault(conversation) as Registers;

        private List<Message> Messages(Identity conversation) => [.. _items.Values.OfType<Message>().Where(message => message.Conversation == conversation)];

        private static void Show(MessageTree tree, IEnumerable<Message> messages, StringBuilder text)
        {
            foreach (var message in messages)
            {
                text.AppendLine($"{message.Id} {message.Clock} {message.Text} (");
                Show(tree, tree.Children(message.Id), text);
                text.AppendLine(")");
            }
        }
    }
}
