using System.Text.Json;
using Cloister.Testing;

namespace Cloister.Primitives.Tests;

/// <summary>The published Wycheproof files: groups of cases, each with what a correct implementation does.</summary>
internal static class Wycheproof
{
    /// <summary>Runs <paramref name="run"/> on every case of a file and names all that came out wrong.</summary>
    /// <param name="run">From (group, case): whether the implementation accepted it and every output was right.</param>
    /// <param name="wanted">From a case: whether it must be accepted.</param>
    public static void Check(string file, Func<JsonElement, JsonElement, bool> run, Func<JsonElement, bool>? wanted = null, Func<JsonElement, bool>? only = null)
    {
        using var document = JsonDocument.Parse(Repository.Vector($"primitives/{file}"));
        var wrong = new List<string>();
        int ran = 0;
        foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray().Where(group => only?.Invoke(group) ?? true))
        {
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                ran++;
                if (run(group, test) != (wanted ?? IsValid)(test))
                {
                    wrong.Add($"{file} #{test.GetProperty("tcId")}: {test.GetProperty("result")} {test.GetProperty("flags")}");
                }
            }
        }
        Assert.Empty(wrong);
        Assert.True(ran >= 30, $"{file}: only {ran} cases ran");
    }

    public static bool IsValid(JsonElement test) => test.GetProperty("result").GetString() == "valid";

    public static bool HasFlag(this JsonElement test, string flag) => test.GetProperty("flags").EnumerateArray().Any(one => one.GetString() == flag);

    public static byte[] Hex(this JsonElement element, string member) => Convert.FromHexString(element.GetProperty(member).GetString()!);
}
