namespace Cloister.Testing;

/// <summary>Where the sources and the published vectors are, seen from a running test.</summary>
public static class Repository
{
    /// <summary>The folder that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Reads a published vector; a test that needs one that is not there is skipped, and says so.</summary>
    /// <param name="path">Relative to the vectors' folder, e.g. <c>noise/snow.json</c>.</param>
    public static byte[] Vector(string path)
    {
        string file = VectorPath(path);
        Assert.SkipUnless(File.Exists(file), $"The published vector {path} is not beside this checkout.");
        return File.ReadAllBytes(file);
    }

    /// <summary>The full path of a published vector or folder, whether or not it is there.</summary>
    public static string VectorPath(string path) => Path.Combine(Root, "..", "shared", "vectors", path);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cloister.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("The tests do not run inside a checkout.");
    }
}
