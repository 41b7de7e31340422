using System.Text.RegularExpressions;
using Cloister.Testing;

namespace Cloister.House.Tests;

/// <summary>What no file of the repository holds.</summary>
public partial class SourceTests
{
    private static readonly string[] Kinds = [".cs", ".razor", ".csproj", ".props", ".targets", ".slnx", ".md", ".json", ".js", ".mjs", ".css", ".html", ".py", ".sh", ".yml", ""];

    [Fact]
    public void Nothing_is_left_for_later_without_an_issue()
    {
        AssertNone(Unfinished, ".cs", ".razor", ".js", ".mjs", ".py", ".sh", "");
    }

    [Fact]
    public void No_path_of_one_persons_machine_is_written_down()
    {
        AssertNone(SomebodysPath, Kinds);
    }

    [Fact]
    public void Dates_and_chance_on_the_journeys_and_programs_come_from_a_time_provider()
    {
        foreach (string room in (string[])["Client", "Inference", "Enclave", "Operator", "Log"])
        {
            foreach (var source in Sources.CSharp(ProjectGraph.Room(room).Folder))
            {
                Assert.False(OwnClock.IsMatch(source.Text), $"{source.Path} reads the clock: take a TimeProvider.");
            }
        }
    }

    [Fact]
    public void Nothing_waits_for_a_task_by_blocking()
    {
        foreach (var source in ProjectGraph.Rooms.SelectMany(room => Sources.CSharp(room.Folder)))
        {
            Assert.False(Blocking.IsMatch(source.Text), $"{source.Path} blocks on a task, or has an async void.");
        }
    }

    private static void AssertNone(Regex forbidden, params string[] kinds)
    {
        foreach (var source in Sources.Written(Repository.Root, kinds).Where(source => !source.Path.EndsWith("SourceTests.cs", StringComparison.Ordinal)))
        {
            var found = forbidden.Match(source.Text);
            Assert.False(found.Success, $"{source.Path} holds '{found.Value}'.");
        }
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b(?! *\(#\d+\))|NotImplementedException")]
    private static partial Regex Unfinished { get; }

    [GeneratedRegex(@"(?<![\w.~/-])(/home/|/root/|/Users/|/work/|[A-Z]:\\Users)")]
    private static partial Regex SomebodysPath { get; }

    [GeneratedRegex(@"DateTime(Offset)?\.(Utc)?Now|Stopwatch\.(StartNew|GetTimestamp)|Random\.Shared")]
    private static partial Regex OwnClock { get; }

    [GeneratedRegex(@"\.GetAwaiter\(\)\.GetResult\(\)|\basync void\b|\bTask\.Wait(All|Any)\(")]
    private static partial Regex Blocking { get; }
}
