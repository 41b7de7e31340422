using Cloister.Testing.Vaults;

namespace Cloister.Client.Tests.History;

/// <summary>Whatever happens to devices, stores and the network: in the end all devices show the same, and every confirmed change is there once.</summary>
public class ConvergenceTests(ITestOutputHelper output)
{
    private const int Runs = 10_000;

    [Fact]
    public Task Ten_thousand_histories_converge() => RunAsync(0, Runs);

    // More of them: -explicit only -method '*Half_a_million*'.
    [Fact(Explicit = true)]
    public Task Half_a_million_histories_converge() => RunAsync(1_000_000, 500_000);

    private async Task RunAsync(int first, int runs)
    {
        var account = await TestAccount.MakeAsync(3);
        await Parallel.ForAsync(first, first + runs, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, async (seed, _) =>
        {
            var world = new HistoryWorld(account, seed);
            try
            {
                await world.RunAsync(5 + (seed % 20));
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"Seed {seed}: {fault.Message}\n{string.Join('\n', world.Log)}", fault);
            }
        });
        output.WriteLine($"{runs} histories.");
    }
}
