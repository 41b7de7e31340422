using Cloister.Testing;

namespace Cloister.Fuzz.Tests;

/// <summary>The corpora of all fuzz targets, as they are and a little spoiled. The search itself is `tests/Cloister.Fuzz/run`.</summary>
public class CorpusTests
{
    private const int MutationsPerInput = 400;

    private static readonly string Corpora = Path.Combine(Repository.Root, "tests", "Cloister.Fuzz", "corpus");

    public static TheoryData<string> Names => [.. Targets.All.Keys.Order()];

    [Theory, MemberData(nameof(Names))]
    public void Every_target_survives_its_corpus_and_inputs_near_it(string name)
    {
        string[] inputs = Directory.GetFiles(Path.Combine(Corpora, name));
        Assert.NotEmpty(inputs);
        var random = new Random(1);
        foreach (byte[] input in inputs.Select(File.ReadAllBytes))
        {
            Targets.All[name](input);
            for (int i = 0; i < MutationsPerInput; i++)
            {
                Targets.All[name](Spoil(input, random));
            }
        }
    }

    [Fact]
    public void Every_corpus_has_a_target() => Assert.Equal(Targets.All.Keys.Order(), Directory.GetDirectories(Corpora).Select(path => Path.GetFileName(path)!).Order());

    // A few bytes flipped, cut out, doubled or made extreme.
    private static byte[] Spoil(byte[] input, Random random)
    {
        var bytes = input.ToList();
        for (int edits = random.Next(1, 5); edits > 0 && bytes.Count > 0; edits--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)255; break;
                case 3: bytes.RemoveRange(at, random.Next(1, Math.Min(16, bytes.Count - at) + 1)); break;
                default: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(16, bytes.Count - at))); break;
            }
        }
        return [.. bytes];
    }
}
