namespace Cloister.Channel.Tests.Shaping;

public class PacedStreamTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Fast_slow_and_refused_answers_look_the_same()
    {
        var silent = await AnswerAsync(tokens: 0, every: 1);
        Assert.Equal(silent, await AnswerAsync(tokens: 45, every: 1));
        Assert.Equal(silent, await AnswerAsync(tokens: 5, every: 9));
        Assert.Equal(silent, await AnswerAsync(tokens: 1, every: 3));

        Assert.Equal(49, silent.Count);
        Assert.All(silent.Select((record, i) => (record, i)), pair => Assert.Equal((Tick * (pair.i + 1), 1024), pair.record));
    }

    [Fact]
    public async Task An_answers_last_word_does_not_wait_for_the_end_of_the_period()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Paced);
        using (pair.Enclave.BeginAnswer())
        {
            pair.Time.Advance(TimeSpan.FromSeconds(1.1));
            await pair.Enclave.WriteAsync("the end"u8.ToArray());
        }
        pair.Time.Advance(Tick);
        Assert.Equal("the end", await pair.Client.ReadTextAsync(7));

        int before = pair.EnclaveRecords.Count();
        pair.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(99 - before, pair.EnclaveRecords.Count() - before);
    }

    [Fact]
    public async Task While_an_answer_comes_the_asking_direction_ticks_too()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Paced);
        using (pair.Client.BeginAnswer())
        {
            await pair.Client.WriteAsync(new byte[600]);
            Assert.Equal([1024], pair.ClientRecords.Select(record => record.Length));

            pair.Time.Advance(TimeSpan.FromMilliseconds(250));
            await pair.Client.WriteAsync("cancel"u8.ToArray());
            Assert.Equal([1024, 256, 256], pair.ClientRecords.Select(record => record.Length));

            pair.Time.Advance(TimeSpan.FromMilliseconds(50));
            Assert.Equal([1024, 256, 256, 256], pair.ClientRecords.Select(record => record.Length));
        }
        pair.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(10, pair.ClientRecords.Count());
    }

    [Fact]
    public async Task A_long_answer_shows_the_logarithm_of_its_size()
    {
        var counts = new List<int>();
        foreach (int size in (int[])[60_000, 70_000, 100_000, 130_000])
        {
            await using var pair = await Pair.OpenAsync(ShapingProfile.Paced);
            var reading = pair.Client.ReadExactlyAsync(size);
            using (pair.Enclave.BeginAnswer())
            {
                await pair.Enclave.WriteAsync(new byte[size]);
                pair.Time.Advance(TimeSpan.FromSeconds(0.5));
            }
            pair.Time.Advance(TimeSpan.FromSeconds(1));
            await reading;
            counts.Add(pair.EnclaveRecords.Count(record => record.Length == 16384));
        }
        Assert.Equal([4, 8, 8, 8], counts);
    }

    [Fact]
    public async Task A_congested_network_gets_one_record_and_not_all_that_it_missed()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Paced);
        using var answer = pair.Enclave.BeginAnswer();
        var congestion = new TaskCompletionSource();
        pair.EnclaveEnd.Congestion = congestion.Task;
        pair.Time.Advance(Tick * 10);
        Assert.Single(pair.EnclaveRecords);

        pair.EnclaveEnd.Congestion = Task.CompletedTask;
        congestion.SetResult();
        while (pair.EnclaveRecords.Count() < 2)
        {
            await Task.Yield();
        }
        pair.Time.Advance(Tick);
        Assert.Equal(3, pair.EnclaveRecords.Count());
    }

    [Fact]
    public async Task A_used_key_is_replaced_with_a_record_that_leaves_anyway()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Paced);
        var reading = pair.Client.ReadTextAsync();
        using (pair.Enclave.BeginAnswer())
        {
            pair.Time.Advance(TimeSpan.FromMinutes(30));
            Assert.Equal(30 * 60 * 50, pair.EnclaveRecords.Count());
            await pair.Enclave.WriteAsync("after three keys"u8.ToArray());
        }
        await pair.Enclave.DisposeAsync();
        Assert.Equal("after three keys", await reading);
    }

    [Fact]
    public async Task Other_profiles_do_not_tick()
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Padded);
        using var answer = pair.Enclave.BeginAnswer();
        pair.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(pair.EnclaveRecords);
    }

    // When each record left, and how long it was: all that the network sees of an answer of so many tokens.
    private static async Task<List<(TimeSpan, int)>> AnswerAsync(int tokens, int every)
    {
        await using var pair = await Pair.OpenAsync(ShapingProfile.Paced);
        var start = pair.Time.Now;
        var seen = new List<(TimeSpan, int)>();
        pair.EnclaveEnd.Network = record =>
        {
            seen.Add((pair.Time.Now - start, record.Length));
            return record;
        };

        var answer = pair.Enclave.BeginAnswer();
        for (int i = 0; i < tokens * every; i++)
        {
            if (i % every == 0)
            {
                await pair.Enclave.WriteAsync(" token"u8.ToArray());
            }
            pair.Time.Advance(Tick);
        }
        answer.Dispose();
        pair.Time.Advance(TimeSpan.FromSeconds(3));
        return [.. seen];
    }
}
