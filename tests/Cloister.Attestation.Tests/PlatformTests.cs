using System.Text.Json;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>What is said of each platform in more than one place is said in all of them (docs/platforms.md).</summary>
public class PlatformTests
{
    private static string Spec(string name) => File.ReadAllText(Path.Combine(Repository.Root, "docs", "spec", name));

    [Fact]
    public void No_two_platforms_share_a_name()
    {
        Assert.Equal(Platform.All.Length, Platform.All.Select(platform => platform.Name).Distinct().Count());
        Assert.Equal(Platform.All.Length, Platform.All.Select(platform => platform.MediaType).Distinct().Count());
        Assert.Equal(Platform.All.Length, Platform.All.Select(platform => platform.Checks[0].Section).Distinct().Count());
    }

    [Fact]
    public void Every_platform_has_its_part_of_the_policy_under_its_name() => Assert.All(Platform.All, platform =>
    {
        string member = Assert.Single(typeof(AppraisalPolicy).GetProperties(), property => JsonNamingPolicy.KebabCaseLower.ConvertName(property.Name) == platform.Name).Name;
        Assert.All(platform.Checks, check => Assert.StartsWith($"{member}.", check.Name));
    });

    [Fact]
    public void Every_platform_is_in_the_specification() => Assert.All(Platform.All, platform =>
    {
        Assert.Contains($"| `{platform.Name}` | `{platform.MediaType}` | [", Spec("statement.md"));
        Assert.Contains($"`{platform.Name}`", Spec("appraisal.md"));
    });
}
