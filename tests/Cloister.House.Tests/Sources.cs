using Cloister.Testing;

namespace Cloister.House.Tests;

/// <summary>A file of the repository that somebody wrote.</summary>
internal sealed record Source(string Path, string Text);

internal static class Sources
{
    private static readonly string[] NotWritten = ["bin", "obj", "node_modules", "artifacts", ".git", "TestResults", "corpus", "models"];

    public static IEnumerable<Source> CSharp(string folder) => Written(folder, ".cs", ".razor");

    /// <summary>All files of these kinds under a folder, without what tools made.</summary>
    public static IEnumerable<Source> Written(string folder, params string[] kinds) =>
        Directory.EnumerateFiles(folder)
            .Where(file => kinds.Contains(Path.GetExtension(file)))
            .Select(file => new Source(Path.GetRelativePath(Repository.Root, file), File.ReadAllText(file)))
            .Concat(Directory.EnumerateDirectories(folder)
                .Where(child => !NotWritten.Contains(Path.GetFileName(child)))
                .SelectMany(child => Written(child, kinds)));
}
