using System.Text.RegularExpressions;
using Cloister.Testing;

namespace Cloister.House.Tests;

/// <summary>The house's rules over its project graph. A new room takes its place in <see cref="Floors"/>; a rule is changed with its reason in docs/decisions.</summary>
public partial class ProjectGraphTests
{
    // From the ground up. Arrows point down or stay on the floor where MayStay names them.
    private static readonly string[][] Floors =
    [
        ["Wire", "Primitives"],
        ["Attestation", "Channel", "Transparency", "Ledger", "Vault"],
        ["Client", "Client.Sqlite", "Inference"],
        ["Simulation", "Enclave", "Operator", "Log", "Web", "Cli", "Conformance"],
    ];

    private static readonly (string From, string To)[] MayStay =
    [
        ("Primitives", "Wire"),
        ("Channel", "Attestation"), ("Attestation", "Transparency"), ("Vault", "Ledger"),
        ("Client.Sqlite", "Client"),
        ("Cli", "Enclave"), ("Cli", "Log"), ("Cli", "Operator"), ("Cli", "Simulation"),
    ];

    private static readonly string[] Ideas = ["Wire", "Primitives", "Attestation", "Channel", "Transparency", "Ledger", "Vault"];

    public static TheoryData<string> RoomNames => new(ProjectGraph.Rooms.Select(room => room.Name["Cloister.".Length..]));

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Arrows_only_point_down(string room)
    {
        int floor = FloorOf(room);
        foreach (string reference in ProjectGraph.Room(room).References.Select(name => name["Cloister.".Length..]))
        {
            Assert.True(FloorOf(reference) < floor || MayStay.Contains((room, reference)), $"{room} must not reference {reference}.");
        }
    }

    [Fact]
    public void The_operator_contains_nothing_that_opens_a_conversation()
    {
        Assert.Equal(["Cloister.Ledger", "Cloister.Primitives", "Cloister.Wire"], ProjectGraph.Reach(ProjectGraph.Room("Operator")).Order());
    }

    [Fact]
    public void Enclave_and_operator_do_not_contain_each_other()
    {
        Assert.DoesNotContain("Cloister.Operator", ProjectGraph.Reach(ProjectGraph.Room("Enclave")));
        Assert.DoesNotContain("Cloister.Enclave", ProjectGraph.Reach(ProjectGraph.Room("Operator")));
        Assert.DoesNotContain("Cloister.Log", ProjectGraph.Reach(ProjectGraph.Room("Enclave")));
    }

    [Fact]
    public void Only_the_command_and_tests_contain_simulated_evidence()
    {
        var holders = ProjectGraph.All.Where(project => project.References.Contains("Cloister.Simulation")).Select(project => project.Name);
        Assert.All(holders, name => Assert.True(name is "Cloister.Cli" or "Cloister.Bench" or "Cloister.Fuzz" or "Cloister.Journeys" or "Cloister.Browser" || name.EndsWith(".Tests", StringComparison.Ordinal), $"{name} must not reference Simulation."));
    }

    [Fact]
    public void The_enclave_has_no_other_server()
    {
        foreach (string name in ProjectGraph.Reach(ProjectGraph.Room("Enclave")).Append("Cloister.Enclave"))
        {
            var sources = Sources.CSharp(ProjectGraph.All.Single(project => project.Name == name).Folder);
            Assert.All(sources, source => Assert.DoesNotContain("UseKestrel", source.Text, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Idea_rooms_are_held_to_the_banned_symbols()
    {
        string properties = File.ReadAllText(Path.Combine(Repository.Root, "src", "Directory.Build.props"));
        Assert.Contains("""<AdditionalFiles Include="$(MSBuildThisFileDirectory)BannedSymbols.txt" />""", properties, StringComparison.Ordinal);
        Assert.All(Ideas, idea => Assert.Contains($"'$(MSBuildProjectName)' == 'Cloister.{idea}'", properties, StringComparison.Ordinal));
        Assert.All(Ideas, idea => Assert.All(Sources.CSharp(ProjectGraph.Room(idea).Folder), source => Assert.DoesNotContain("RS0030", source.Text, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_project_is_in_the_solution_and_has_a_lock_file()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "Cloister.slnx"));
        foreach (var project in ProjectGraph.All)
        {
            Assert.True(solution.Contains($"\"{project.Path}\"", StringComparison.Ordinal), $"{project.Path} is not in the solution.");
            Assert.True(File.Exists(Path.Combine(project.Folder, "packages.lock.json")), $"{project.Path} has no lock file.");
        }
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_place()
    {
        foreach (var project in ProjectGraph.All)
        {
            Assert.DoesNotContain("Version=", File.ReadAllText(Path.Combine(Repository.Root, project.Path)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Names_are_ideas_of_the_domain()
    {
        foreach (var project in ProjectGraph.Rooms)
        {
            Assert.DoesNotMatch(NoIdea, project.Name);
            foreach (var source in Sources.CSharp(project.Folder))
            {
                Assert.False(NoIdea.IsMatch(source.Path), $"{source.Path} is named after no idea.");
            }
        }
    }

    private static int FloorOf(string room)
    {
        int floor = Array.FindIndex(Floors, rooms => rooms.Contains(room));
        Assert.True(floor >= 0, $"{room} has no floor: give it one in {nameof(Floors)}.");
        return floor;
    }

    [GeneratedRegex("(Common|Utils?|Utilities|Helpers?|Misc|Manager|Processor|Core|Impl)([./]|$|[A-Z][a-z]*[.]cs)")]
    private static partial Regex NoIdea { get; }
}
