using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Heads;
using Cloister.Vault.History;

namespace Cloister.Hostile;

/// <summary>Two devices of one account: one writes, and the other is lied to.</summary>
internal sealed class Town : IAsyncDisposable
{
    private Town(TestAccount account, MemoryOperator truth, Victim writer, Victim victim) => (Account, Truth, Writer, Victim) = (account, truth, writer, victim);

    public TestAccount Account { get; }

    public MemoryOperator Truth { get; }

    public Victim Writer { get; }

    public Victim Victim { get; }

    public Identity First { get; } = TestAccount.Random();

    public Identity Second { get; } = TestAccount.Random();

    /// <summary>What the writer said first, and both have.</summary>
    public List<Message> Old { get; } = [];

    /// <summary>What the victim has not fetched yet.</summary>
    public List<Message> New { get; } = [];

    public static async Task<Town> BuildAsync(int epoch = 1, int epochs = 2)
    {
        var account = await TestAccount.MakeAsync(epochs);
        var truth = account.NewOperator();
        for (int next = 1; next < epoch; next++)
        {
            truth.Begin(account.Epochs[next].Record);
        }
        var town = new Town(account, truth, await Victim.OpenAsync(new(truth), account.Keys(epoch)), await Victim.OpenAsync(new(truth), account.Keys(epoch)));
        town.Old.Add(await town.Writer.SayAsync(town.First, "first, said early"));
        await town.Writer.SyncAsync();
        town.Old.Add(await town.Writer.SayAsync(town.Second, "second, said early"));
        await town.Writer.SyncAsync();
        Assert.Equal(SyncState.Synced, (await town.Victim.SyncAsync()).State);
        return town;
    }

    /// <summary>The writer goes on: two messages, a changed title, a deleted message.</summary>
    public async Task GoOnAsync()
    {
        New.Add(await Writer.SayAsync(First, "first, said later"));
        await Writer.SyncAsync();
        New.Add(await Writer.SayAsync(Second, "second, said later"));
        await Writer.History.SetAsync(RegisterKind.Conversation, $"{First}", ConversationHeader.TitleField, "a title", default);
        await Writer.SyncAsync();
        await Writer.History.DeleteMessageAsync(First, Old[0].Id, default);
        Assert.Equal(SyncState.Synced, (await Writer.SyncAsync()).State);
    }

    /// <summary>The lie is refused by its name, nothing is lost or taken, the device goes on alone, also after it was started again, and all is well once the truth is told.</summary>
    public async Task RefusesAsync(HeadFault fault)
    {
        string[] before = await Victim.TextsAsync(First);
        var status = await Victim.SyncAsync();
        Assert.Equal((SyncState.Refused, fault), (status.State, status.Fault));
        Assert.Contains(FaultStory.Of(fault).Happened, status.Sentence, StringComparison.Ordinal);
        Assert.Equal(before, await Victim.TextsAsync(First));

        int pushes = Victim.Link.Pushes;
        var alone = await Victim.SayAsync(First, "said alone");
        await Victim.RestartAsync();
        Assert.Equal(fault, Victim.History.Sync.Fault);
        Assert.Equal(1, Victim.History.Sync.Unsent);
        string[] expected = [.. before, "said alone"];
        Assert.Equal(expected, await Victim.TextsAsync(First));
        Assert.Equal(fault, (await Victim.SyncAsync()).Fault);
        Assert.Equal(pushes, Victim.Link.Pushes);

        await RecoversAsync();
        Assert.NotNull((await Writer.History.ReadAsync(First, default)).Tree.Find(alone.Id));
    }

    public async Task RecoversAsync()
    {
        Victim.Link.TellTheTruth();
        var status = await Victim.SyncAsync();
        Assert.Equal((SyncState.Synced, HeadFault.None, 0), (status.State, status.Fault, status.Unsent));
        await Writer.SyncAsync();
        Assert.Equal(await Writer.TextsAsync(First), await Victim.TextsAsync(First));
        Assert.Equal(await Writer.TextsAsync(Second), await Victim.TextsAsync(Second));
        Assert.DoesNotContain("first, said early", await Victim.TextsAsync(First));
    }

    public async ValueTask DisposeAsync()
    {
        await Writer.DisposeAsync();
        await Victim.DisposeAsync();
    }
}
