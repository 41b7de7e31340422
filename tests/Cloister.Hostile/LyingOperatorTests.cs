using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Testing.Vaults;
using Cloister.Vault.Heads;
using Cloister.Vault.History;
using Cloister.Vault.Unlockers;

namespace Cloister.Hostile;

/// <summary>An operator that lies in every way that docs/spec/vault.md, section 7, names.</summary>
public class LyingOperatorTests
{
    [Fact]
    public async Task An_older_state_is_rolled_back()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (_, _) => new(town.Truth.Heads[0], 1, [], []);
        await town.RefusesAsync(HeadFault.RolledBack);
    }

    [Fact]
    public async Task An_account_that_is_said_to_be_empty_is_rolled_back()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (_, _) => null;
        await town.RefusesAsync(HeadFault.RolledBack);
    }

    [Fact]
    public async Task A_batch_that_was_said_to_be_taken_and_was_not_is_rolled_back()
    {
        await using var town = await Town.BuildAsync();
        town.Victim.Link.Push = batch => new PushOutcome.Taken(batch.Head.Head.Sequence);
        await town.Victim.SayAsync(town.Second, "said and forgotten");
        Assert.Equal(SyncState.Synced, (await town.Victim.SyncAsync()).State);
        var status = await town.Victim.SyncAsync();
        Assert.Equal(HeadFault.RolledBack, status.Fault);
        Assert.Contains("said and forgotten", await town.Victim.TextsAsync(town.Second));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_withheld_item_is_omitted(int which)
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.RemoveAll(change => change.Item == town.New[which].Id) };
        await town.RefusesAsync(HeadFault.Omitted);
    }

    [Fact]
    public async Task Pages_that_lead_nowhere_are_omitted()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, after) => page! with { Through = after, Heads = [], Changes = [] };
        await town.RefusesAsync(HeadFault.Omitted);
    }

    [Fact]
    public async Task A_withheld_deletion_is_altered()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.RemoveAll(change => change.IsTombstone) };
        await town.RefusesAsync(HeadFault.Altered);
    }

    [Fact]
    public async Task A_withheld_change_of_a_title_is_altered()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        var title = town.Account.Keys().Name(RegisterKind.Conversation, $"{town.First}");
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.RemoveAll(change => change.Item == title) };
        await town.RefusesAsync(HeadFault.Altered);
    }

    // Sealed by a device of the user's, in a batch that the operator refused and kept.
    [Fact]
    public async Task An_item_that_no_head_has_is_altered()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        var extra = (await town.Account.Keys().SealAsync([new(TestAccount.Random(), 1, town.Old[1].ToBytes())], default))[0];
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.Add(extra) };
        await town.RefusesAsync(HeadFault.Altered);
    }

    [Fact]
    public async Task An_item_under_no_new_head_is_altered()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        await town.Victim.SyncAsync();
        var extra = (await town.Account.Keys().SealAsync([new(TestAccount.Random(), 1, town.Old[1].ToBytes())], default))[0];
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.Add(extra) };
        await town.RefusesAsync(HeadFault.Altered);
    }

    // Nobody signs a tombstone: were they counted in the end alone, the pages before it could fill memory and disk.
    [Fact]
    public async Task More_items_than_the_head_counts_are_altered_before_the_last_page()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Truth.PageBatches = 1;
        town.Victim.Link.Page = (page, _) => page! with { Changes = [.. page.Changes, .. Enumerable.Range(0, 20).Select(_ => new SealedChange(TestAccount.Random(), 1, default))] };
        int fetches = town.Victim.Link.Fetches;
        var status = await town.Victim.SyncAsync();
        Assert.Equal((SyncState.Refused, HeadFault.Altered), (status.State, status.Fault));
        Assert.Equal(1, town.Victim.Link.Fetches - fetches);
        await town.RefusesAsync(HeadFault.Altered);
    }

    // A head may count very many: then it is the part of the tree that would be too large.
    [Fact]
    public async Task Invented_items_that_no_tree_can_have_are_altered()
    {
        const int inAPage = 20_000;
        await using var town = await Town.BuildAsync();
        var heads = new List<SignedHead> { town.Truth.Newest! };
        while (heads.Count < 27)
        {
            heads.Add(await town.Account.Keys().SignAsync(heads[^1].Head with { Sequence = heads[^1].Head.Sequence + 1, Previous = heads[^1].Hash(), Leaves = 1_000_000 }, default));
        }
        await town.GoOnAsync();
        ulong first = heads[0].Head.Sequence;
        town.Victim.Link.Page = (_, after) => new(heads[^1], after + 1, [heads[(int)(after + 1 - first)]], [.. Enumerable.Range(0, inAPage).Select(at => Invented(((int)(after - first) * inAPage) + at))]);
        await town.RefusesAsync(HeadFault.Altered);

        static SealedChange Invented(int number)
        {
            byte[] item = new byte[Identity.Size]; // all in the first part
            BinaryPrimitives.WriteInt32BigEndian(item.AsSpan(8), number);
            return new(Identity.Read(item), 1, default);
        }
    }

    [Fact]
    public async Task Items_exchanged_between_conversations_are_unreadable()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) =>
        {
            var one = page!.Changes.Single(change => change.Item == town.New[0].Id);
            var other = page.Changes.Single(change => change.Item == town.New[1].Id);
            return page with { Changes = page.Changes.Replace(one, one with { Sealed = other.Sealed }).Replace(other, other with { Sealed = one.Sealed }) };
        };
        await town.RefusesAsync(HeadFault.Unreadable);
    }

    [Fact]
    public async Task An_item_of_another_account_is_unreadable()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        var stranger = await TestAccount.MakeAsync();
        var theirs = (await stranger.Keys().SealAsync([new(town.New[0].Id, 1, town.New[0].ToBytes())], default))[0];
        town.Victim.Link.Page = (page, _) => page! with { Changes = [.. page.Changes.Select(change => change.Item == theirs.Item ? theirs : change)] };
        await town.RefusesAsync(HeadFault.Unreadable);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(200)]
    public async Task A_cut_item_is_unreadable(int bytes)
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = [.. page.Changes.Select(change => change.Item == town.New[0].Id ? change with { Sealed = change.Sealed[..^bytes] } : change)] };
        await town.RefusesAsync(HeadFault.Unreadable);
    }

    [Fact]
    public async Task A_changed_bit_is_unreadable()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = [.. page.Changes.Select(change => change.Item == town.New[0].Id ? change with { Sealed = Spoil(change.Sealed) } : change)] };
        await town.RefusesAsync(HeadFault.Unreadable);
    }

    [Fact]
    public async Task An_item_shown_as_a_later_version_is_unreadable()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = [.. page.Changes.Select(change => change.Item == town.New[0].Id ? change with { Version = 7 } : change)] };
        await town.RefusesAsync(HeadFault.Unreadable);
    }

    // The victim has version 2 of the title. The first one comes again.
    [Fact]
    public async Task A_write_that_comes_again_is_replayed()
    {
        await using var town = await Town.BuildAsync();
        var title = town.Account.Keys().Name(RegisterKind.Conversation, $"{town.First}");
        var old = town.Truth.Items.Single(item => item.Item == title);
        await town.Writer.History.SetAsync(RegisterKind.Conversation, $"{town.First}", ConversationHeader.TitleField, "another title", default);
        await town.Writer.SyncAsync();
        await town.Victim.SyncAsync();
        await town.Writer.History.DeleteMessageAsync(town.First, town.Old[0].Id, default);
        await town.Writer.SyncAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.Add(old) };
        await town.RefusesAsync(HeadFault.Replayed);
    }

    [Fact]
    public async Task A_deleted_item_that_comes_back_is_replayed()
    {
        await using var town = await Town.BuildAsync();
        var old = town.Truth.Items.Single(item => item.Item == town.Old[0].Id);
        await town.GoOnAsync();
        Assert.Equal(SyncState.Synced, (await town.Victim.SyncAsync()).State);
        await town.Writer.SayAsync(town.Second, "and on");
        await town.Writer.SyncAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.Add(old) };
        await town.RefusesAsync(HeadFault.Replayed);
    }

    [Fact]
    public async Task Another_version_under_the_number_of_the_held_one_is_replayed()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        var other = (await town.Account.Keys().SealAsync([new(town.Old[1].Id, 1, town.Old[1].ToBytes())], default))[0];
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.Add(other) };
        await town.RefusesAsync(HeadFault.Replayed);
    }

    // To a device that holds no version of it both are new: the first would stay, and the second say that it is gone.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_item_that_comes_twice_in_one_answer_is_repeated(bool newestFirst)
    {
        await using var town = await Town.BuildAsync();
        var early = town.Truth.Items.Single(item => item.Item == town.Old[0].Id);
        await town.GoOnAsync();
        var link = new LyingLink(town.Truth) { Page = (page, _) => page! with { Changes = newestFirst ? page.Changes.Add(early) : page.Changes.Insert(0, early) } };
        await using var another = await Victim.OpenAsync(link, town.Account.Keys());
        var status = await another.SyncAsync();
        Assert.Equal((SyncState.Refused, HeadFault.Repeated), (status.State, status.Fault));
        Assert.Contains(FaultStory.Of(HeadFault.Repeated).Happened, status.Sentence, StringComparison.Ordinal);
        Assert.Empty(await another.TextsAsync(town.First));
        another.Link.TellTheTruth();
        Assert.Equal(SyncState.Synced, (await another.SyncAsync()).State);
        Assert.Equal(await town.Writer.TextsAsync(town.First), await another.TextsAsync(town.First));
        Assert.DoesNotContain("first, said early", await another.TextsAsync(town.First));
    }

    [Fact]
    public async Task The_same_change_twice_in_one_answer_is_repeated()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Changes = page.Changes.Add(page.Changes.First(change => change.Item == town.New[0].Id)) };
        await town.RefusesAsync(HeadFault.Repeated);
    }

    // Two devices are shown two histories, and then one of them the other's.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_histories_are_forked(bool longer)
    {
        await using var town = await Town.BuildAsync();
        town.Victim.Link.Push = batch => new PushOutcome.Taken(batch.Head.Head.Sequence);
        await town.Victim.SayAsync(town.Second, "in the victim's history");
        Assert.Equal(SyncState.Synced, (await town.Victim.SyncAsync()).State);
        town.Victim.Link.TellTheTruth();
        await town.Writer.SayAsync(town.First, "in the writer's history");
        await town.Writer.SyncAsync();
        if (longer)
        {
            await town.Writer.SayAsync(town.First, "and on");
            await town.Writer.SyncAsync();
        }
        var status = await town.Victim.SyncAsync();
        Assert.Equal((SyncState.Refused, HeadFault.Forked), (status.State, status.Fault));
        Assert.Contains("in the victim's history", await town.Victim.TextsAsync(town.Second));
        await town.Victim.SayAsync(town.First, "said alone");
        Assert.Contains("said alone", await town.Victim.TextsAsync(town.First));
    }

    [Fact]
    public async Task A_chain_with_a_head_left_out_is_forked()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Heads = page.Heads.RemoveAt(0) };
        await town.RefusesAsync(HeadFault.Forked);
    }

    [Fact]
    public async Task A_head_that_no_device_signed_has_a_bad_signature()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        town.Victim.Link.Page = (page, _) => page! with { Newest = SignedHead.Join(page.Newest.Head with { Root = RandomNumberGenerator.GetBytes(32) }, page.Newest.Bytes.Span[Head.Size..]) };
        await town.RefusesAsync(HeadFault.BadSignature);
    }

    [Fact]
    public async Task A_head_of_another_account_has_a_bad_signature()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        var stranger = await TestAccount.MakeAsync();
        var theirs = await stranger.Keys().SignAsync(town.Truth.Newest!.Head with { Account = stranger.Number }, default);
        town.Victim.Link.Page = (page, _) => page! with { Newest = theirs };
        await town.RefusesAsync(HeadFault.BadSignature);
    }

    [Fact]
    public async Task A_head_of_an_epoch_that_there_is_not_has_a_bad_signature()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        var invented = await town.Account.Keys(2).SignAsync(town.Truth.Newest!.Head with { Epoch = 2 }, default);
        town.Victim.Link.Page = (page, _) => page! with { Newest = invented };
        await town.RefusesAsync(HeadFault.BadSignature);
    }

    // Whoever was removed still has the head key of the epoch that ended.
    [Fact]
    public async Task A_head_of_an_epoch_that_has_ended_has_a_bad_signature()
    {
        await using var town = await Town.BuildAsync(epoch: 2);
        await town.GoOnAsync();
        var before = town.Truth.Newest!;
        var removed = await town.Account.Keys(1).SignAsync(before.Head with { Epoch = 1, Sequence = before.Head.Sequence + 1, Previous = before.Hash() }, default);
        town.Victim.Link.Page = (page, _) => page! with { Newest = removed, Through = removed.Head.Sequence, Heads = page.Heads.Add(removed) };
        await town.RefusesAsync(HeadFault.BadSignature);
    }

    [Fact]
    public async Task A_withheld_epoch_breaks_the_epochs()
    {
        await using var town = await Town.BuildAsync(epoch: 2);
        await town.GoOnAsync();
        town.Victim.Link.Page = (_, _) => throw new OperatorUnreachableException("Not now.");
        await town.Victim.SyncAsync();
        town.Victim.Link.TellTheTruth();
        town.Victim.Link.Epochs = epochs => epochs[..1];
        await town.RefusesAsync(HeadFault.EpochsBroken);
    }

    [Fact]
    public async Task An_invented_epoch_breaks_the_epochs()
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        byte[] bytes = town.Account.Epochs[1].Record.Bytes.ToArray();
        bytes[^1] ^= 1;
        Assert.True(EpochRecord.TryParse(bytes, out var invented, out _));
        var head = await town.Account.Keys(2).SignAsync(town.Truth.Newest!.Head with { Epoch = 2 }, default);
        town.Victim.Link.Epochs = epochs => epochs.Add(invented);
        town.Victim.Link.Page = (page, _) => page! with { Newest = head };
        await town.RefusesAsync(HeadFault.EpochsBroken);
    }

    // What is not in the format is no answer: nothing is taken, and it is tried again by itself.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Sizes_that_lie_are_no_answer(int how)
    {
        await using var town = await Town.BuildAsync();
        await town.GoOnAsync();
        string[] before = await town.Victim.TextsAsync(town.First);
        town.Victim.Link.Bytes = bytes => how switch
        {
            0 => bytes[..^3],
            1 => [.. bytes, 0],
            _ => Lie(bytes),
        };
        var status = await town.Victim.SyncAsync();
        Assert.Equal((SyncState.Offline, HeadFault.None), (status.State, status.Fault));
        Assert.Equal(before, await town.Victim.TextsAsync(town.First));
        await town.Victim.SayAsync(town.First, "said alone");
        await town.RecoversAsync();

        static byte[] Lie(byte[] bytes)
        {
            bytes[1 + SignedHead.Size + sizeof(ulong)] = 0x7f; // the number of heads
            return bytes;
        }
    }

    // "Stale", and nothing newer; "no", and no reason: the device keeps what it has, says so, and does not ask on and on.
    [Theory]
    [InlineData("stale")]
    [InlineData("signature")]
    [InlineData("malformed")]
    [InlineData("too_large")]
    public async Task Refusals_without_a_reason_are_waited_out(string code)
    {
        await using var town = await Town.BuildAsync();
        town.Victim.Link.Push = _ => code == "stale" ? new PushOutcome.Stale(99) : new PushOutcome.Refused(code, "Because.");
        await town.Victim.SayAsync(town.First, "said in vain");
        int pushes = town.Victim.Link.Pushes;
        var status = await town.Victim.SyncAsync();
        Assert.Equal((SyncState.Waiting, SyncWait.OperatorRefuses, 1), (status.State, status.Waiting, status.Unsent));
        Assert.InRange(town.Victim.Link.Pushes - pushes, 1, 3);
        Assert.Contains("said in vain", await town.Victim.TextsAsync(town.First));
        town.Victim.Link.TellTheTruth();
        Assert.Equal((SyncState.Synced, 0), ((await town.Victim.SyncAsync()).State, town.Victim.History.Sync.Unsent));
    }

    // The operator makes an account of its own and a wrap of it to the unlocker's public key.
    [Fact]
    public async Task A_wrap_of_somebody_elses_opens_nothing()
    {
        var custody = new MemoryCustody();
        var unlocker = TestAccount.Random();
        var number = AccountNumber.Generate();
        using var secret = await custody.NewDeviceSecretAsync();
        using var theirSecret = await custody.NewDeviceSecretAsync();
        var mine = await custody.CreateAsync(number, [new(unlocker, secret)]);
        var theirs = await custody.CreateAsync(number, [new(unlocker, theirSecret)]);
        var invented = (await custody.UnlockAsync(theirSecret, new(unlocker, theirs.Wraps[unlocker], default), [theirs.Record], null)).Unlocked!;
        var wrap = await invented.WrapAsync(new(unlocker, UnlockerKind.Device, await secret.PublicKeyAsync(number)));

        Assert.Null((await custody.UnlockAsync(secret, new(unlocker, theirs.Wraps[unlocker], default), [mine.Record], null)).Unlocked);
        Assert.Null((await custody.UnlockAsync(secret, new(unlocker, wrap, default), [theirs.Record], mine.Record.KeyCommitment)).Unlocked);
        Assert.Null((await custody.UnlockAsync(secret, new(unlocker, mine.Wraps[unlocker], wrap), [theirs.Record], null)).Unlocked);
        Assert.NotNull((await custody.UnlockAsync(secret, new(unlocker, mine.Wraps[unlocker], default), [mine.Record], null)).Unlocked);
    }

    private static byte[] Spoil(ReadOnlyMemory<byte> bytes)
    {
        byte[] spoiled = bytes.ToArray();
        spoiled[^1] ^= 1;
        return spoiled;
    }
}
