using Cloister.Client;
using Cloister.Testing.Vaults;
using Cloister.Web.Talk;

namespace Cloister.Web.Tests;

public class ConversationTests
{
    public static TheoryData<string> NothingWasSent => ["unreachable", "refused", "never opened"];

    [Theory, MemberData(nameof(NothingWasSent))]
    public async Task A_question_that_was_kept_stays_kept_when_trying_again_reaches_nobody(string why)
    {
        await using var talker = await Talker.StartAsync();
        talker.Answers = Talker.Failing(new IOException("lost"));
        await talker.Conversation.AskAsync("question");
        talker.Answers = Unsent(talker, why);
        await talker.Conversation.TryAgainAsync(talker.Conversation.Turns[0]);

        var turn = Assert.Single(talker.Conversation.Turns);
        Assert.Equal(("question", TurnState.Lost, "Nothing was sent."), (turn.Question, turn.State, turn.Note));
        Assert.Empty(talker.GivenBack);
        Assert.Equal(["question"], await talker.KeptAsync());
        Assert.Equal("question", talker.History.Conversations.Single().Title);
        Assert.False(talker.Conversation.IsAnswering);

        talker.Answers = Talker.Saying("answer");
        await talker.Conversation.TryAgainAsync(turn);
        Assert.Equal(["question", "answer"], await talker.KeptAsync());
    }

    [Theory, MemberData(nameof(NothingWasSent))]
    public async Task A_new_question_that_reaches_nobody_goes_back_to_its_writer_and_nothing_of_it_stays(string why)
    {
        await using var talker = await Talker.StartAsync();
        talker.Answers = Unsent(talker, why);
        await talker.Conversation.AskAsync("question");
        Assert.Equal(["question"], talker.GivenBack);
        Assert.True(talker.Conversation.IsEmpty);
        Assert.Empty(talker.History.Conversations);
        Assert.False(talker.Conversation.IsAnswering);
    }

    [Fact]
    public async Task An_answer_that_there_is_stays_shown_when_trying_again_reaches_nobody()
    {
        await using var talker = await Talker.StartAsync();
        await talker.Conversation.AskAsync("question");
        talker.Answers = Unsent(talker, "unreachable");
        await talker.Conversation.TryAgainAsync(talker.Conversation.Turns[0]);
        Assert.Equal(("answer", TurnState.Complete), (talker.Conversation.Turns.Single().Answer, talker.Conversation.Turns[0].State));
        Assert.Equal(["question", "answer"], await talker.KeptAsync());
    }

    [Fact]
    public async Task Whatever_is_asked_while_an_answer_is_coming_goes_back_to_its_writer()
    {
        await using var talker = await Talker.StartAsync();
        await talker.Conversation.AskAsync("first");
        var gate = new TaskCompletionSource();
        talker.Answers = Talker.Saying("two", gate.Task, "");
        var asking = talker.Conversation.AskAsync("second");
        await talker.Conversation.EditAsync(talker.Conversation.Turns[0], "first in other words");
        await talker.Conversation.AskAsync("third");
        Assert.Equal(["first in other words", "third"], talker.GivenBack);
        gate.SetResult();
        await asking;
        Assert.Equal(["first", "answer", "second", "two"], await talker.KeptAsync());
    }

    [Fact]
    public async Task What_was_abandoned_is_not_kept_and_stays_deleted()
    {
        await using var talker = await Talker.StartAsync();
        var gate = new TaskCompletionSource();
        talker.Answers = Talker.Saying("one", gate.Task, "two");
        var asking = talker.Conversation.AskAsync("question");
        var abandoning = talker.Conversation.AbandonAsync();
        Assert.False(abandoning.IsCompleted);
        gate.SetResult();
        await abandoning;
        await talker.History.DeleteConversationAsync(talker.Conversation.Id, default);
        await asking;
        Assert.Empty(talker.History.Conversations);
        Assert.Empty(await talker.KeptAsync());

        await talker.Conversation.AskAsync("another");
        Assert.Equal(["another"], talker.GivenBack);
        Assert.Empty(talker.History.Conversations);
    }

    [Fact]
    public async Task What_another_device_deleted_while_its_answer_was_coming_stays_deleted()
    {
        await using var talker = await Talker.StartAsync();
        var gate = new TaskCompletionSource();
        talker.Answers = Talker.Saying("one", gate.Task, "two");
        var asking = talker.Conversation.AskAsync("question");
        await talker.History.DeleteConversationAsync(talker.Conversation.Id, default);
        gate.SetResult();
        await asking;
        Assert.Empty(talker.History.Conversations);
        await talker.Conversation.ReadAsync(talker.History);
        Assert.True(talker.Conversation.IsEmpty);
        Assert.Null(talker.Conversation.Fault);
    }

    [Fact]
    public async Task A_question_that_was_abandoned_before_it_was_sent_is_not_given_back()
    {
        await using var talker = await Talker.StartAsync();
        var gate = new TaskCompletionSource();
        talker.Answers = Talker.Saying("", gate.Task, "");
        var asking = talker.Conversation.AskAsync("question");
        var abandoning = talker.Conversation.AbandonAsync();
        gate.SetException(new EnclaveUnreachableException("away"));
        await abandoning;
        await asking;
        Assert.Empty(talker.GivenBack);
    }

    [Fact]
    public async Task What_could_not_be_kept_is_written_when_there_is_room_again_and_the_fault_stays_until_then()
    {
        await using var talker = await Talker.StartAsync();
        talker.Disk.Fate = () => WriteFate.Full;
        await talker.Conversation.AskAsync("first");
        Assert.Contains("The disk is full.", talker.Conversation.Fault, StringComparison.Ordinal);
        Assert.Empty(await talker.KeptAsync());

        talker.Disk.Fate = () => WriteFate.Done;
        await talker.Conversation.AskAsync("second");
        Assert.Null(talker.Conversation.Fault);
        Assert.Equal(["first", "answer", "second", "answer"], await talker.KeptAsync());
        Assert.Equal("first", talker.History.Conversations.Single().Title);
    }

    [Fact]
    public async Task What_is_too_long_to_be_kept_is_said_whatever_is_kept_after_it()
    {
        await using var talker = await Talker.StartAsync();
        await talker.Conversation.AskAsync(new string('x', 4 << 20));
        Assert.Contains("too long", talker.Conversation.Fault, StringComparison.Ordinal);
        await talker.Conversation.AskAsync("short");
        await talker.Conversation.ReadAsync(talker.History);
        Assert.Contains("too long", talker.Conversation.Fault, StringComparison.Ordinal);
        Assert.Equal(2, talker.Conversation.Turns.Count);
        Assert.Equal(3, talker.History.Conversations.Single().Messages);
    }

    [Fact]
    public async Task What_a_store_wrote_and_denied_is_there_once()
    {
        await using var talker = await Talker.StartAsync();
        talker.Disk.Fate = () => WriteFate.DoneAndDenied;
        await talker.Conversation.AskAsync("first");
        talker.Disk.Fate = () => WriteFate.Done;
        await talker.Conversation.AskAsync("second");
        Assert.Equal(["first", "answer", "second", "answer"], await talker.KeptAsync());
        Assert.Equal(4, talker.History.Conversations.Single().Messages);
    }

    [Fact]
    public async Task A_question_whose_writing_breaks_off_goes_back_to_its_writer_and_the_next_one_is_asked()
    {
        await using var talker = await Talker.StartAsync();
        talker.Disk.Fate = () => WriteFate.DiesBefore;
        await Assert.ThrowsAsync<CrashException>(() => talker.Conversation.AskAsync("first"));
        Assert.Equal(["first"], talker.GivenBack);
        Assert.False(talker.Conversation.IsAnswering);

        talker.Disk.Fate = () => WriteFate.Done;
        await talker.Conversation.AskAsync("second");
        Assert.Equal(["second", "answer"], await talker.KeptAsync());
    }

    [Fact]
    public async Task An_answer_that_breaks_off_for_no_known_reason_leaves_the_question_where_it_is()
    {
        await using var talker = await Talker.StartAsync();
        talker.Answers = Talker.Failing(new InvalidCastException());
        await Assert.ThrowsAsync<InvalidCastException>(() => talker.Conversation.AskAsync("question"));
        Assert.False(talker.Conversation.IsAnswering);
        Assert.Equal(TurnState.Failed, talker.Conversation.Turns.Single().State);
        Assert.Empty(talker.GivenBack);
        Assert.Equal(["question"], await talker.KeptAsync());
    }

    [Fact]
    public async Task What_goes_into_a_history_while_an_answer_is_coming_can_be_asked_in_other_words_there()
    {
        await using var talker = await Talker.StartAsync(isKept: false);
        await talker.Conversation.AskAsync("first");
        var gate = new TaskCompletionSource();
        talker.Answers = Talker.Saying("two", gate.Task, "");
        var asking = talker.Conversation.AskAsync("second");
        await talker.Conversation.KeepAsync(talker.History);
        gate.SetResult();
        await asking;
        Assert.Equal(["first", "answer", "second", "two"], await talker.KeptAsync());
        Assert.Equal("first", talker.History.Conversations.Single().Title);

        talker.Answers = Talker.Saying("three");
        await talker.Conversation.EditAsync(talker.Conversation.Turns[1], "second in other words");
        Assert.Equal(["first", "answer", "second in other words", "three"], await talker.KeptAsync());
        Assert.Equal(2, talker.Conversation.Siblings(talker.Conversation.Turns[1].Asked!).Count);
    }

    private static AnswerSource Unsent(Talker talker, string why) => why switch
    {
        "unreachable" => Talker.Failing(new EnclaveUnreachableException("away")),
        "refused"     => Talker.Failing(new EnclaveRefusedException([])),
        _             => (turns, cancellationToken) => Answers.StreamAsync(talker.Door, turns, cancellationToken),
    };
}
