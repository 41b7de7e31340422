using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Operator.Tests.Accounts;

public sealed class ChangesInSqlite(InSqlite database) : ChangeTests(database), IClassFixture<InSqlite>;

public sealed class ChangesInPostgres(InPostgres database) : ChangeTests(database), IClassFixture<InPostgres>;

/// <summary>docs/spec/accounts.md, section 3: every answer.</summary>
public abstract class ChangeTests(AccountsDatabase database)
{
    [Fact]
    public async Task What_was_taken_is_shown_to_another_device_of_the_account()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        Assert.Equal(204, (await device.GetAsync("/account/changes?after=0")).Status);
        var one = TestDevice.Change();
        var two = TestDevice.Change(size: 1);
        await device.PushAsync(one, two);
        var newer = TestDevice.Change(one.Item, 2);
        var gone = new SealedChange(two.Item, 2, default);
        var third = TestDevice.Change();
        var second = await device.PushAsync(newer, third);
        await device.PushAsync(gone);

        var all = await device.PageAsync(0);
        Assert.Equal((3UL, 3UL, 0), (all.Newest.Head.Sequence, all.Through, all.Heads.Length));
        Assert.Equal(device.Head!.Bytes.ToArray(), all.Newest.Bytes.ToArray());
        AssertSame([newer, third, gone], all.Changes);

        var rest = await device.PageAsync(1);
        Assert.Equal([second.Head.Bytes.ToArray(), device.Head.Bytes.ToArray()], rest.Heads.Select(head => head.Bytes.ToArray()));
        AssertSame([newer, third, gone], rest.Changes);
        AssertSame([gone], (await device.PageAsync(2)).Changes);
        foreach (ulong after in (ulong[])[3, 4, ulong.MaxValue])
        {
            var none = await device.PageAsync(after);
            Assert.Equal((3UL, 0, 0), (none.Through, none.Heads.Length, none.Changes.Length));
        }
    }

    [Fact]
    public async Task An_empty_batch_is_a_head()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        await device.PushAsync();
        await device.PushAsync();
        Assert.Equal(2, (await device.PageAsync(1)).Heads.Length + 1);
    }

    [Fact]
    public async Task The_very_same_head_again_changes_nothing_however_old_it_is()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var change = TestDevice.Change();
        var first = await device.PushAsync(change);
        Assert.Equal((200, 1), ((await device.PushAsync(first)).Status, (int)(await device.PushAsync(first)).Json["sequence"]!));
        await device.PushAsync(TestDevice.Change(change.Item, 2));
        var again = await device.PushAsync(first);
        Assert.Equal((200, 1), (again.Status, (int)again.Json["sequence"]!));
        Assert.Equal(2UL, (await device.PageAsync(0)).Changes.Single().Version);

        // The same head with other changes: it is the head that counts, and it was taken.
        Assert.Equal(200, (await device.PushAsync(first with { Changes = [] })).Status);
        Assert.Equal(2UL, (await device.PageAsync(0)).Newest.Head.Sequence);
    }

    [Fact]
    public async Task A_batch_that_does_not_follow_is_stale_and_says_where_the_account_is()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var change = TestDevice.Change();
        await device.PushAsync(change);
        await device.PushAsync(TestDevice.Change(change.Item, 2));

        async Task AssertStaleAsync(ChangeBatch batch)
        {
            var reply = await device.PushAsync(batch);
            Assert.Equal(("409 stale", 2), (reply.Verdict, (int)reply.Json["sequence"]!));
        }
        await AssertStaleAsync(device.Batch([TestDevice.Change()], head => head with { Sequence = 2 }));
        await AssertStaleAsync(device.Batch([TestDevice.Change()], head => head with { Sequence = 1, Previous = new byte[32] }));
        await AssertStaleAsync(device.Batch([TestDevice.Change()], head => head with { Sequence = 4 }));
        await AssertStaleAsync(device.Batch([TestDevice.Change()], head => head with { Sequence = ulong.MaxValue }));
        await AssertStaleAsync(device.Batch([TestDevice.Change()], head => head with { Previous = new byte[32] }));
        foreach (ulong version in (ulong[])[1, 2, 4, ulong.MaxValue])
        {
            await AssertStaleAsync(device.Batch([TestDevice.Change(), TestDevice.Change(change.Item, version)]));
        }
        await AssertStaleAsync(device.Batch([TestDevice.Change(version: 2)]));
        Assert.Single((await device.PageAsync(0)).Changes); // none left anything behind
        await device.PushAsync(TestDevice.Change(change.Item, 3));
    }

    [Fact]
    public async Task A_head_counts_only_signed_by_the_accounts_current_key()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        var other = await TestDevice.CreateAsync(program);
        using var stranger = Ed25519PrivateKey.Generate();
        Assert.Equal("403 signature", (await device.PushAsync(device.Batch([], signer: stranger))).Verdict);
        Assert.Equal("403 signature", (await device.PushAsync(device.Batch([], head => head with { Account = other.Account }))).Verdict);
        Assert.Equal("403 signature", (await device.PushAsync(device.Batch([], head => head with { Epoch = 2 }))).Verdict);
        byte[] altered = device.Batch([]).ToBytes();
        altered[1 + 80] ^= 1; // in the root
        Assert.Equal("403 signature", (await device.Api.OctetsAsync("POST", "/account/changes", altered, device.Token)).Verdict);

        // Another account's token takes nothing of this account, and leaves nothing in it.
        Assert.Equal("403 signature", (await device.Api.OctetsAsync("POST", "/account/changes", device.Batch([]).ToBytes(), other.Token)).Verdict);
        Assert.Equal(204, (await device.GetAsync("/account/changes?after=0")).Status);
    }

    public static TheoryData<string, Func<byte[], byte[]>> Spoiled => new()
    {
        { "nothing", bytes => [] },
        { "version 2", bytes => [2, .. bytes[1..]] },
        { "another label", bytes => With(bytes, 1, (byte)'C') },
        { "a byte more", bytes => [.. bytes, 0] },
        { "a byte less", bytes => bytes[..^1] },
        { "a count that lies upwards", bytes => With(bytes, 193, 3) },
        { "a count that lies downwards", bytes => With(bytes, 193, 1) },
        { "1,001 changes", bytes => With(With(bytes, 192, 3), 193, 0xE9) },
        { "version 0 of an item", bytes => With(bytes, 194 + 23, 0) },
        { "a length that lies", bytes => With(bytes, 194 + 24, 1) },
        { "an item twice", bytes => [.. bytes[..194], .. bytes[194..522], .. bytes[194..522]] },
        { "sequence 0", bytes => { Array.Clear(bytes, 1 + 31, 8); return bytes; } },
    };

    [Theory]
    [MemberData(nameof(Spoiled))]
    public async Task What_is_not_the_format_is_malformed(string what, Func<byte[], byte[]> spoil)
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        byte[] bytes = spoil(device.Batch([TestDevice.Change(), TestDevice.Change()]).ToBytes());
        var reply = await device.Api.OctetsAsync("POST", "/account/changes", bytes, device.Token);
        Assert.True(reply.Verdict == "400 malformed", $"{what}: {reply.Verdict}");
        Assert.Equal(204, (await device.GetAsync("/account/changes?after=0")).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?after=")]
    [InlineData("?after=-1")]
    [InlineData("?after=+1")]
    [InlineData("?after=0x1")]
    [InlineData("?after=18446744073709551616")]
    [InlineData("?after=1&after=2")]
    [InlineData("?after=1&before=2")]
    public async Task A_page_is_asked_for_by_a_sequence(string query)
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        Assert.Equal("400 malformed", (await device.GetAsync("/account/changes" + query)).Verdict);
    }

    [Fact]
    public async Task Eight_MiB_are_taken_and_a_byte_more_is_too_large()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        const int Header = 194;
        SealedChange[] Filling(int excess) =>
        [
            .. Enumerable.Range(0, 7).Select(_ => TestDevice.Change(size: SealedChange.MaxSize)),
            TestDevice.Change(size: ChangeBatch.MaxSize - Header - (7 * (SealedChange.MaxSize + SealedChange.HeaderSize)) - SealedChange.HeaderSize + excess),
        ];
        byte[] large = [.. device.Batch(Filling(0)).ToBytes(), 0];
        Assert.Equal("413 too_large", (await device.Api.OctetsAsync("POST", "/account/changes", large, device.Token)).Verdict);
        var batch = await device.PushAsync(Filling(0));
        AssertSame(batch.Changes, (await device.PageAsync(0)).Changes);
    }

    [Fact]
    public async Task Pages_are_of_whole_batches_and_end()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        var newest = new Dictionary<Identity, SealedChange>();
        for (int i = 0; i < 12; i++)
        {
            SealedChange[] changes = [.. Enumerable.Range(0, 3).Select(_ => TestDevice.Change(size: 700_000)), .. newest.Values.Take(i % 3).Select(old => TestDevice.Change(old.Item, old.Version + 1, 700_000))];
            await device.PushAsync(changes);
            foreach (var change in changes)
            {
                newest[change.Item] = change;
            }
        }
        var first = await device.PageAsync(0);
        Assert.InRange(first.Through, 2UL, 11UL);
        Assert.InRange(first.Changes.Sum(change => (long)change.Sealed.Length), ChangeBatch.MaxSize - 1_000_000, 2L * ChangeBatch.MaxSize);
        var all = await device.EverythingAsync();
        Assert.Equal(newest.Count, all.Count);
        AssertSame(newest.Values.OrderBy(change => change.Item), all.Values.OrderBy(change => change.Item));

        // The chain of heads is whole, whatever the pages are.
        ulong after = 1;
        for (byte[]? previous = null; after < device.Sequence;)
        {
            var page = await device.PageAsync(after);
            foreach (var head in page.Heads)
            {
                Assert.Equal(++after, head.Head.Sequence);
                Assert.True(previous is null || head.Head.Previous.Span.SequenceEqual(previous));
                previous = head.Hash();
            }
            Assert.Equal(after, page.Through);
        }
    }

    [Fact]
    public async Task More_items_than_a_page_reads_at_once_are_all_shown()
    {
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        for (int i = 0; i < 21; i++)
        {
            await device.PushAsync([.. Enumerable.Range(0, 1000).Select(_ => TestDevice.Change(size: 1))]);
        }
        Assert.Equal(19UL, (await device.PageAsync(0)).Through);
        Assert.Equal(21_000, (await device.EverythingAsync()).Count);
    }

    [Fact]
    public async Task A_page_that_is_full_within_the_last_batch_it_reads_leaves_that_batch_to_the_next()
    {
        // With its header a change has 425 bytes: 8 MiB are reached at row 19,738, in the batch that the 20,000th row is in.
        var device = await TestDevice.CreateAsync(await database.OperatorAsync());
        await device.PushAsync([.. Enumerable.Range(0, 300).Select(_ => TestDevice.Change(size: 397))]);
        for (int i = 0; i < 20; i++)
        {
            await device.PushAsync([.. Enumerable.Range(0, 1000).Select(_ => TestDevice.Change(size: 397))]);
        }
        Assert.Equal(20UL, (await device.PageAsync(0)).Through);
        Assert.Equal(20_300, (await device.EverythingAsync()).Count);
    }

    [Fact]
    public async Task A_full_account_takes_tombstones_and_nothing_else()
    {
        await using var program = await database.StartAsync("quota", change: options => options with { Quota = ChangeBatch.MaxSize });
        var device = await TestDevice.CreateAsync(program);
        var item = TestDevice.Change(size: 1 << 20);
        await device.PushAsync(item);
        for (int i = 0; i < 6; i++)
        {
            await device.PushAsync(TestDevice.Change(size: 1 << 20));
        }
        Assert.Equal("507 quota", (await device.PushAsync(device.Batch([TestDevice.Change(size: 1 << 20)]))).Verdict);
        Assert.Equal("507 quota", (await device.Api.OctetsAsync("PUT", $"/account/attachments/{TestDevice.NewItem()}/0", new byte[1 << 20], device.Token)).Verdict);
        await device.PushAsync(new SealedChange(item.Item, 2, default));
        await device.PushAsync(TestDevice.Change(size: 1 << 20));
        var account = (await device.GetAsync("/account")).Json;
        Assert.Equal(ChangeBatch.MaxSize, (long)account["quota"]!);
        Assert.InRange((long)account["used"]!, 7 << 20, (7 << 20) + 8192);

        // Tombstones of what never was make no room, and do not fill the disk either.
        await device.PushAsync(TestDevice.Change(size: (1 << 20) - 8192));
        string verdict = "";
        for (int i = 0; i < 40 && verdict != "507 quota"; i++)
        {
            var batch = device.Batch([.. Enumerable.Range(0, 1000).Select(_ => TestDevice.Change(size: 0))]);
            verdict = (await device.PushAsync(batch)).Verdict;
            device.Head = verdict == "200" ? batch.Head : device.Head;
        }
        Assert.Equal("507 quota", verdict);
    }

    [Fact]
    public async Task A_fault_that_nobody_foresaw_has_an_answer_and_is_logged_by_its_name_alone()
    {
        using var log = new CapturedLog();
        await using var program = await database.StartAsync("fault", log: log);
        var device = await TestDevice.CreateAsync(program);
        await device.PushAsync(TestDevice.Change());
        await using (var rows = RawDatabase.Open(await database.NameAsync("fault")))
        {
            await rows.ScalarAsync("UPDATE accounts SET head = $1", [1]);
        }
        var reply = await device.GetAsync("/account/changes?after=0");
        Assert.Equal("500 internal", reply.Verdict);
        Assert.Contains(nameof(InvalidOperationException), log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("A stored head is none", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_devices_that_race_are_put_in_an_order()
    {
        var program = await database.OperatorAsync();
        var device = await TestDevice.CreateAsync(program);
        for (int round = 0; round < 10; round++)
        {
            ChangeBatch[] rivals = [.. Enumerable.Range(0, 8).Select(_ => device.Batch([TestDevice.Change()]))];
            var replies = await Task.WhenAll(rivals.Select(device.PushAsync));
            int winner = Array.FindIndex(replies, reply => reply.Status == 200);
            Assert.Equal(7, replies.Count(reply => reply.Verdict == "409 stale"));
            device.Head = rivals[winner].Head;
        }
        Assert.Equal(10, (await device.PageAsync(0)).Changes.Length);
    }

    private static void AssertSame(IEnumerable<SealedChange> expected, IEnumerable<SealedChange> actual) =>
        Assert.Equal(expected.Select(Print).Order(), actual.Select(Print).Order());

    private static string Print(SealedChange change) => $"{change.Item} {change.Version} {change.Sealed.Length} {Convert.ToHexString(change.Hash())}";

    private static byte[] With(byte[] bytes, int position, byte value)
    {
        bytes[position] = value;
        return bytes;
    }
}
