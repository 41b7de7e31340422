using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Cloister.Channel.Exchanges;

namespace Cloister.Enclave.SealedServer;

/// <summary>Answers in progress that their clients may resume (docs/spec/exchanges.md, section 4). In memory only, bounded, and wiped.</summary>
internal sealed class AnswerMemory : IDisposable
{
    private const int MaxAnswers = 1024;

    private readonly ConcurrentDictionary<string, Answer> _answers = new();
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;

    public AnswerMemory(TimeProvider time)
    {
        _time = time;
        _sweep = time.CreateTimer(_ => Sweep(), null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));
    }

    /// <summary>Null where too many are kept already: the answer is then not resumable.</summary>
    /// <param name="cancel">Called when nobody can want the answer any more. It may be called more than once, and late.</param>
    public Answer? Begin(string id, string resumeKey, Action cancel)
    {
        var answer = new Answer(id, SHA256.HashData(Encoding.ASCII.GetBytes(resumeKey)), _time, cancel);
        return _answers.Count < MaxAnswers && _answers.TryAdd(id, answer) ? answer : null;
    }

    public bool TryFind(string id, string resumeKey, [NotNullWhen(true)] out Answer? answer) =>
        _answers.TryGetValue(id, out answer) && CryptographicOperations.FixedTimeEquals(answer.KeyHash, SHA256.HashData(Encoding.ASCII.GetBytes(resumeKey)));

    public void Forget(Answer answer)
    {
        _answers.TryRemove(answer.Id, out _);
        answer.Wipe();
    }

    public void Dispose()
    {
        _sweep.Dispose();
        foreach (var answer in _answers.Values)
        {
            Forget(answer);
        }
    }

    private void Sweep()
    {
        foreach (var answer in _answers.Values.Where(answer => answer.IsStale))
        {
            Forget(answer);
        }
    }
}

/// <summary>The head and content of one answer, as far as it has come.</summary>
internal sealed class Answer(string id, byte[] keyHash, TimeProvider time, Action cancel)
{
    private const int MaxContent = 1024 * 1024;

    private readonly TimeProvider _time = time;
    private readonly Lock _lock = new();
    private byte[] _content = new byte[1024];
    private int _length;
    private ResponseHead? _head;
    private bool _closed;
    private bool _failed;
    private long? _orphanedAt;
    private int _readers;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id { get; } = id;

    public byte[] KeyHash { get; } = keyHash;

    /// <summary>Nobody has come back for it in time.</summary>
    public bool IsStale
    {
        get
        {
            lock (_lock)
            {
                return _readers == 0 && _orphanedAt is { } since && _time.GetElapsedTime(since) > Exchanges.ResumeWindow;
            }
        }
    }

    public void Start(ResponseHead head) => Change(() => _head = head);

    /// <summary>An answer that outgrows the bound goes on to its client, and is no longer resumable.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_failed || bytes.Length > MaxContent - _length)
            {
                _failed = true;
            }
            else
            {
                Grow(_length + bytes.Length);
                bytes.CopyTo(_content.AsSpan(_length));
                _length += bytes.Length;
            }
            Wake();
        }
    }

    public void Close(bool complete) => Change(() => (_closed, _failed) = (true, _failed || !complete));

    /// <summary>The client was cut off: the two minutes begin.</summary>
    public void Orphan() => Change(() => _orphanedAt = _time.GetTimestamp());

    /// <summary>Somebody came back for it: it is kept until the returned scope is disposed, and two minutes longer.</summary>
    public IDisposable Resume()
    {
        Change(() => _readers++);
        return new Reader(this);
    }

    public async Task<ResponseHead> WaitForHeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                ThrowIfFailed();
                if (_head is not null)
                {
                    return _head;
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>What there is from <paramref name="offset"/> on, as soon as there is something. Empty at the end.</summary>
    /// <exception cref="IOException">The answer cannot be had whole any more.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(long offset, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                ThrowIfFailed();
                if (offset < _length)
                {
                    return _content.AsSpan((int)offset, _length - (int)offset).ToArray();
                }
                if (_closed)
                {
                    return default;
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Zeroes what there is. Whatever still makes the answer stops.</summary>
    public void Wipe()
    {
        cancel();
        lock (_lock)
        {
            CryptographicOperations.ZeroMemory(_content);
            (_length, _failed) = (0, true);
            Wake();
        }
    }

    private void ThrowIfFailed()
    {
        if (_failed)
        {
            throw new IOException("The answer is gone.");
        }
    }

    private void Change(Action change)
    {
        lock (_lock)
        {
            change();
            Wake();
        }
    }

    private void Wake()
    {
        _changed.SetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void Grow(int needed)
    {
        if (needed > _content.Length)
        {
            var larger = new byte[Math.Max(needed, Math.Min(2 * _content.Length, MaxContent))];
            _content.AsSpan(0, _length).CopyTo(larger);
            CryptographicOperations.ZeroMemory(_content);
            _content = larger;
        }
    }

    private sealed class Reader(Answer answer) : IDisposable
    {
        public void Dispose() => answer.Change(() =>
        {
            answer._readers--;
            answer._orphanedAt = answer._time.GetTimestamp();
        });
    }
}
