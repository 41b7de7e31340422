using System.Text;
using System.Text.Json.Nodes;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Heads;
using Cloister.Vault.History;

namespace Cloister.Client.Tests.History;

/// <summary>Devices of one account over an operator in memory, driven by a seed: edits, partitions, crashes, lost answers, repeated deliveries, full disks, a new epoch.</summary>
internal sealed class HistoryWorld
{
    private const int Conversations = 3;

    private readonly Random _random;
    private readonly TestAccount _account;
    private readonly MemoryOperator _operator;
    private readonly List<Device> _devices = [];
    private readonly Identity[] _conversations = [.. Enumerable.Range(0, Conversations).Select(_ => TestAccount.Random())];

    // What the model knows: texts are unique, so a message that is there twice shows.
    private readonly Dictionary<string, Identity> _confirmed = [];
    private readonly HashSet<string> _possible = [];
    private readonly HashSet<Identity> _deleted = [];
    private readonly HashSet<Identity> _perhapsDeleted = [];
    private readonly Dictionary<(Identity, string), Clock> _set = [];
    private int _epoch = 1;
    private int _number;

    /// <summary>What was done, for whoever looks for the reason of a failure.</summary>
    public List<string> Log { get; } = [];

    public HistoryWorld(TestAccount account, int seed)
    {
        (_account, _random, _operator) = (account, new(seed), account.NewOperator());
        _operator.PageBatches = _random.Next(3) == 0 ? 1 : int.MaxValue;
        for (int i = 0; i < 3; i++)
        {
            _devices.Add(new(this, new MemoryDisk(), TestAccount.Random(), _random.Next(-40, 40)));
        }
        _devices.Add(new(this, _devices[0].Disk, _devices[0].Name, 0)); // a second program on the first one's store
    }

    public async Task RunAsync(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            var device = _devices[_random.Next(_devices.Count)];
            Trouble(device);
            try
            {
                await StepAsync(device);
            }
            catch (CrashException)
            {
                Log.Add("  it died");
                device.Kill();
            }
            catch (InvalidOperationException fault) when (device.IsBehind && fault.Message.Contains("newer key", StringComparison.Ordinal))
            {
                // Another program on the store has the new keys, and this one has not.
            }
            catch (StoreFailedException)
            {
                Log.Add("  the store failed");
                // The edit failed loudly; whether it is there the store's fate says.
            }
        }
        await HealAsync();
        await CheckAsync();
    }

    private async Task StepAsync(Device device)
    {
        var conversation = _conversations[_random.Next(Conversations)];
        int step = _random.Next(12);
        Log.Add($"device {_devices.IndexOf(device)}, conversation {Array.IndexOf(_conversations, conversation)}, step {step}");
        switch (step)
        {
            case 0 or 1 or 2:
                await AddAsync(device, conversation);
                break;
            case 3 or 4:
                await SetAsync(device, conversation);
                break;
            case 5:
                await DeleteMessageAsync(device, conversation);
                break;
            case 6 when _random.Next(3) == 0:
                await DeleteConversationAsync(device, conversation);
                break;
            case 7 when _operator.Seen.Count > 0:
                _operator.Push(_operator.Seen[_random.Next(_operator.Seen.Count)]);
                break;
            case 8:
                device.Kill();
                break;
            case 9 when _epoch < _account.Epochs.Count && _random.Next(3) == 0:
                _operator.Begin(_account.Epochs[_epoch++].Record);
                break;
            case 10 when _random.Next(4) == 0:
                device.Disk.ForgetIndex();
                device.Kill();
                foreach (var other in _devices.Where(other => other.Disk == device.Disk))
                {
                    other.Kill();
                }
                break;
            default:
                await device.SyncAsync();
                break;
        }
    }

    private async Task AddAsync(Device device, Identity conversation)
    {
        string text = $"message {_number++}";
        _possible.Add(text);
        var book = await device.BookAsync();
        var there = await MessagesAsync(book, conversation);
        Identity? parent = there.Count > 0 && _random.Next(4) > 0 ? there[_random.Next(there.Count)].Id : null;
        var added = await new HistoryEdits(book).AddAsync(new(conversation, parent, MessageRole.User, text), default);
        _confirmed[text] = added.Id;
    }

    private async Task SetAsync(Device device, Identity conversation)
    {
        string field = _random.Next(2) == 0 ? ConversationHeader.TitleField : ConversationHeader.PinnedField;
        var book = await device.BookAsync();
        await new HistoryEdits(book).SetAsync(RegisterKind.Conversation, $"{conversation}", field, JsonValue.Create($"value {_number++}"), default);
        device.Disk.Fate = () => WriteFate.Done;
        var clock = (await RegistersAsync(book, conversation))!.Fields[field].Clock;
        _set[(conversation, field)] = _set.TryGetValue((conversation, field), out var before) && before > clock ? before : clock;
    }

    private async Task DeleteMessageAsync(Device device, Identity conversation)
    {
        var book = await device.BookAsync();
        var there = await MessagesAsync(book, conversation);
        if (there.Count > 0)
        {
            var chosen = there[_random.Next(there.Count)].Id;
            _perhapsDeleted.Add(chosen);
            await new HistoryEdits(book).DeleteMessageAsync(conversation, chosen, default);
            _deleted.Add(chosen);
        }
    }

    private async Task DeleteConversationAsync(Device device, Identity conversation)
    {
        var book = await device.BookAsync();
        Identity[] there = [.. (await book.ReadAsync(() => book.ViewAllAsync(conversation, default), default)).Select(held => held.Item)];
        _perhapsDeleted.UnionWith(there);
        await new HistoryEdits(book).DeleteConversationAsync(conversation, default);
        _deleted.UnionWith(there);
    }

    // Of each step's writes and requests, one may come to a bad end.
    private void Trouble(Device device)
    {
        int at = _random.Next(3) == 0 ? _random.Next(1, 7) : 0;
        var fate = (WriteFate)_random.Next(1, 5);
        device.Disk.Fate = () => at > 0 && --at == 0 ? fate : WriteFate.Done;
        int asked = _random.Next(3) == 0 ? _random.Next(1, 6) : 0;
        var request = (RequestFate)_random.Next(1, 5);
        device.Link.Fate = () => asked > 0 && --asked == 0 ? request : RequestFate.Answered;
    }

    private async Task HealAsync()
    {
        foreach (var device in _devices)
        {
            device.Disk.Fate = () => WriteFate.Done;
            device.Link.Fate = () => RequestFate.Answered;
            if (_random.Next(2) == 0)
            {
                device.Kill();
            }
        }
        for (int round = 0; round < 3; round++)
        {
            foreach (var device in _devices)
            {
                Assert.Equal(new(SyncState.Synced, SyncWait.None, HeadFault.None), await device.SyncAsync());
            }
        }
    }

    private async Task CheckAsync()
    {
        string? first = null;
        foreach (var device in _devices)
        {
            var book = await device.BookAsync();
            Log.Add($"looking at device {_devices.IndexOf(device)}");
            string shown = await DescribeAsync(book);
            Assert.Equal(first ??= shown, shown);
            Assert.Equal(0, book.State.UnsentCount);
            Assert.Equal(_operator.Newest?.Hash(), book.State.Accepted?.Hash());
        }
        await CheckContentAsync(await _devices[0].BookAsync());
    }

    private async Task CheckContentAsync(HistoryBook book)
    {
        var messages = new List<Message>();
        foreach (var conversation in _conversations)
        {
            messages.AddRange(await MessagesAsync(book, conversation));
        }
        var byText = messages.ToLookup(message => message.Text);
        Assert.All(messages, message => Assert.Contains(message.Text, _possible));
        Assert.All(byText, same => Assert.Single(same));
        Assert.All(_confirmed, one => Assert.True(byText[one.Key].Any() || _perhapsDeleted.Contains(one.Value), $"{one.Key} was confirmed and is gone."));
        Assert.All(messages, message => Assert.DoesNotContain(message.Id, _deleted));
        foreach (var ((conversation, field), clock) in _set)
        {
            var registers = await RegistersAsync(book, conversation);
            Assert.True(registers!.Fields[field].Clock >= clock, "A confirmed change of a field was undone by an older one.");
        }
    }

    // Everything that is shown, and the list, which must be what the items say.
    private async Task<string> DescribeAsync(HistoryBook book)
    {
        var lines = new List<string>();
        foreach (var conversation in _conversations)
        {
            var held = await book.ReadAsync(() => book.ViewAllAsync(conversation, default), default);
            var opened = await book.OpenAsync(held, default);
            lines.AddRange(held.Zip(opened, (item, one) => $"{item.Item} {Encoding.UTF8.GetString(one.Content!.ToBytes())}"));
            var messages = opened.Select(one => one.Content).OfType<Message>().ToList();
            var header = ConversationHeader.Of(conversation, opened.Select(one => one.Content).OfType<Registers>().FirstOrDefault(), messages.Count, messages.Count == 0 ? null : messages.Max(message => message.Clock));
            Assert.Equal(header, book.List.Header(conversation));
        }
        lines.Sort(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }

    private static async Task<List<Message>> MessagesAsync(HistoryBook book, Identity conversation) => await book.ReadAsync(async () =>
        (await book.OpenAsync(await book.ViewAllAsync(conversation, default), default)).Select(one => one.Content).OfType<Message>().Order(Message.Order).ToList(), default);

    private static async Task<Registers?> RegistersAsync(HistoryBook book, Identity conversation) => await book.ReadAsync(async () =>
        (await book.OpenAsync(await book.ViewAllAsync(conversation, default), default)).Select(one => one.Content).OfType<Registers>().FirstOrDefault(), default);

    private sealed class Device(HistoryWorld world, MemoryDisk disk, Identity name, int years)
    {
        private readonly HandTime _time = new(new DateTimeOffset(2026, 11, 25, 0, 0, 0, TimeSpan.Zero).AddYears(years));
        private HistoryBook? _book;
        private SyncAttempt? _attempt;

        public MemoryDisk Disk => disk;

        public Identity Name => name;

        public MemoryLink Link { get; } = new(world._operator);

        public bool IsBehind => _book?.Keys.Epoch < world._epoch;

        public void Kill() => (_book, _attempt) = (null, null);

        public async Task<HistoryBook> BookAsync()
        {
            _time.Now += TimeSpan.FromMilliseconds(world._random.Next(3));
            if (_book is null)
            {
                var book = new HistoryBook(disk.Open(), world._account.Keys(world._random.Next(2) == 0 ? 1 : world._epoch), name, _time);
                await book.OpenAsync(default);
                _book = book;
                _attempt = new(book, Link);
            }
            return _book;
        }

        public async Task<AttemptResult> SyncAsync()
        {
            var book = await BookAsync();
            var result = await _attempt!.RunAsync(world._random.Next(3) > 0 || disk.Fate() is WriteFate.Done, false, default);
            world.Log.Add($"  {result.State} {result.Wait} {result.Fault} {(result.Retries ? _attempt.Failure : null)}");
            Assert.Equal(HeadFault.None, result.Fault);
            if (result.Wait is SyncWait.NewKeys)
            {
                await book.ReplaceKeysAsync(world._account.Keys(world._epoch), default);
                result = await _attempt.RunAsync(true, false, default);
            }
            return result;
        }
    }
}
