using Cloister.Ledger;

namespace Cloister.Operator.Tests.Accounts;

/// <summary>A device that writes without end, at whichever process answers, and remembers what was acknowledged. What nobody answered it sends again, the very same.</summary>
internal sealed class TestWriter(TestDevice device, int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<SealedChange> _items = []; // its own, as they were acknowledged
    private ChangeBatch? _unanswered;

    public TestDevice Device => device;

    public int Acknowledged { get; private set; }

    public IReadOnlyList<SealedChange> Items => _items;

    /// <summary>Until one more is acknowledged: the process is warm.</summary>
    public async Task AcknowledgeAsync()
    {
        for (int before = Acknowledged; Acknowledged == before;)
        {
            await Task.Delay(5);
        }
    }

    /// <summary>Until it is cancelled or the operator does not answer.</summary>
    public async Task WriteAsync(CancellationToken cancellation)
    {
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                await WriteOnceAsync();
            }
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException or OperationCanceledException)
        {
            // Whether it was taken, the next process knows.
        }
    }

    /// <summary>One batch, or what has to come before it.</summary>
    public async Task WriteOnceAsync()
    {
        _unanswered ??= device.Batch(NextChanges());
        var reply = await device.PushAsync(_unanswered);
        switch (reply.Verdict)
        {
            case "200":
                (device.Head, Acknowledged) = (_unanswered.Head, Acknowledged + 1);
                foreach (var change in _unanswered.Changes)
                {
                    _items.RemoveAll(old => old.Item == change.Item);
                    _items.Add(change);
                }
                _unanswered = null;
                break;
            case "409 stale":
                // Another device of the account was first. Its head is taken over; the items are not this writer's.
                device.Head = (await device.PageAsync(device.Sequence)).Newest;
                _unanswered = null;
                break;
            case "401 session":
                await SignInAsync();
                break;
            case "503 unavailable":
                await Task.Delay(5);
                break;
            default:
                Assert.Fail(reply.Verdict);
                break;
        }
    }

    public async Task SignInAsync()
    {
        var reply = await device.SignInAsync();
        if (reply.Status == 200)
        {
            device.Token = (string)reply.Json["token"]!;
        }
    }

    private List<SealedChange> NextChanges()
    {
        var changes = _items.OrderBy(_ => _random.Next()).Take(_random.Next(3)).Select(old => TestDevice.Change(old.Item, old.Version + 1, _random.Next(5) == 0 ? 0 : _random.Next(1, 2000))).ToList();
        changes.AddRange(Enumerable.Range(0, _random.Next(1, 4)).Select(_ => TestDevice.Change(size: _random.Next(1, 2000))));
        return changes;
    }
}
