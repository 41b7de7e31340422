using System.Xml.Linq;
using Cloister.Testing;

namespace Cloister.House.Tests;

/// <summary>A project of the repository, by what its file says.</summary>
internal sealed record Project(string Path)
{
    private readonly XDocument _file = XDocument.Load(System.IO.Path.Combine(Repository.Root, Path));

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    public string Folder => System.IO.Path.Combine(Repository.Root, System.IO.Path.GetDirectoryName(Path)!);

    /// <summary>Names of the projects that it references itself.</summary>
    public IEnumerable<string> References => Includes("ProjectReference").Select(path => System.IO.Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));

    public IEnumerable<string> Packages => Includes("PackageReference");

    private IEnumerable<string> Includes(string element) => _file.Descendants(element).Select(item => (string)item.Attribute("Include")!);

    public override string ToString() => Name;
}

/// <summary>The house, read from its project files.</summary>
internal static class ProjectGraph
{
    public static IReadOnlyList<Project> All { get; } =
    [
        .. from floor in (string[])["src", "tests", "bench", "tools"]
           let folder = Path.Combine(Repository.Root, floor)
           where Directory.Exists(folder)
           from file in Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories)
           where !file.Contains("/node_modules/", StringComparison.Ordinal)
           let path = Path.GetRelativePath(Repository.Root, file)
           orderby path
           select new Project(path),
    ];

    /// <summary>The rooms of the house: what is under <c>src</c>.</summary>
    public static IEnumerable<Project> Rooms => All.Where(project => project.Path.StartsWith("src/", StringComparison.Ordinal));

    public static Project Room(string name) => Rooms.Single(room => room.Name == $"Cloister.{name}");

    /// <summary>Everything that the room contains once it is built.</summary>
    public static IReadOnlySet<string> Reach(Project room)
    {
        var reached = new HashSet<string>();
        var ahead = new Stack<string>(room.References);
        while (ahead.TryPop(out string? name))
        {
            if (reached.Add(name))
            {
                foreach (string next in All.Single(project => project.Name == name).References)
                {
                    ahead.Push(next);
                }
            }
        }
        return reached;
    }
}
