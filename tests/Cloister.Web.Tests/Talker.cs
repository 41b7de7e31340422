using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Web.Proof;
using Cloister.Web.Talk;

namespace Cloister.Web.Tests;

/// <summary>Somebody in a conversation, without a page around it: a history on a disk in memory, and answers that the test gives.</summary>
internal sealed class Talker : IAsyncDisposable
{
    private Talker(UserHistory history, MemoryDisk disk, bool isKept)
    {
        (History, Disk) = (history, disk);
        Door = new Door(new Uri("http://operator.example/"));
        Conversation = new Conversation(Door, AnswerAsync, Identity.Generate(), isKept ? history : null);
        Conversation.GivenBack += GivenBack.Add;
    }

    public UserHistory History { get; }

    public MemoryDisk Disk { get; }

    /// <summary>Was never opened.</summary>
    public Door Door { get; }

    public Conversation Conversation { get; }

    /// <summary>What came back to its writer.</summary>
    public List<string> GivenBack { get; } = [];

    /// <summary>How the next question is answered.</summary>
    public AnswerSource Answers { get; set; } = Saying("answer");

    public static async Task<Talker> StartAsync(bool isKept = true)
    {
        var account = await TestAccount.MakeAsync();
        var disk = new MemoryDisk();
        return new(await UserHistory.OpenAsync(disk.Open(), account.Keys(), null, TestAccount.Random(), TimeProvider.System, default), disk, isKept);
    }

    /// <summary>What the history has of the conversation, in order.</summary>
    public async Task<string[]> KeptAsync() => [.. (await History.ReadAsync(Conversation.Id, default)).Branch.Select(message => message.Text)];

    public static AnswerSource Saying(string answer) => Saying(answer, Task.CompletedTask, "");

    /// <summary>Ends after the gate was opened, whoever wants it to stop.</summary>
    public static AnswerSource Saying(string beginning, Task gate, string end) => (_, _) => SayAsync(beginning, gate, end);

    public static AnswerSource Failing(Exception fault) => (_, _) => SayAsync("", Task.FromException(fault), "");

    public async ValueTask DisposeAsync()
    {
        Disk.Fate = () => WriteFate.Done;
        Conversation.Dispose();
        Door.Dispose();
        await History.DisposeAsync();
    }

    private IAsyncEnumerable<string> AnswerAsync(IReadOnlyList<Turn> turns, CancellationToken cancellationToken) => Answers(turns, cancellationToken);

    private static async IAsyncEnumerable<string> SayAsync(string beginning, Task gate, string end)
    {
        if (beginning.Length > 0)
        {
            yield return beginning;
        }
        await gate;
        if (end.Length > 0)
        {
            yield return end;
        }
    }
}
