using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Zero is the failing value.</summary>
public enum Verdict : byte { Failed, Passed, Waived }

/// <summary>One question, its answer, and both sides of the comparison, fit to show to a person.</summary>
/// <param name="Name">As <see cref="CheckDescription.Name"/>.</param>
/// <param name="Reason">Why a failure was waived, or why nothing was asked; null otherwise.</param>
public sealed record Check(string Name, Verdict Verdict, string Expected, string Found, string? Reason = null)
{
    internal const string NotReached = "not reached";

    /// <summary>It failed because something before it did: it says less than what stopped it.</summary>
    public bool IsUnreached => Verdict is Verdict.Failed && Found == NotReached;
}

/// <summary>What a check asks: one for each that there is, in <see cref="CheckCatalogue"/>.</summary>
/// <param name="Name">Stored in policies and shown to users; for a platform's check behind the platform's name, as in <c>Snp.Debug</c>.</param>
/// <param name="Section">What it is asked about, for a heading.</param>
/// <param name="IsWaivable">Whether a policy can let it fail. Without the others nothing is proved.</param>
public sealed record CheckDescription(string Name, string Section, CheckText Text, bool IsWaivable)
{
    /// <summary>One for each member of a list of checks, in its order.</summary>
    internal static ImmutableArray<CheckDescription> List<TCheck>(string section, string prefix, Func<TCheck, CheckText> text, params ReadOnlySpan<TCheck> waivable) where TCheck : struct, Enum
    {
        var descriptions = ImmutableArray.CreateBuilder<CheckDescription>();
        foreach (var check in Enum.GetValues<TCheck>())
        {
            descriptions.Add(new CheckDescription($"{prefix}{check}", section, text(check), waivable.Contains(check)));
        }
        return descriptions.ToImmutable();
    }
}

/// <summary>Every check that there is (docs/spec/appraisal.md, section 2). The tables in docs/spec are made from it.</summary>
public static class CheckCatalogue
{
    /// <summary>In the order in which results list them.</summary>
    public static ImmutableArray<CheckDescription> All { get; } = [.. BundleCheckTexts.Descriptions, .. PublicationCheckTexts.Descriptions, .. Platform.All.SelectMany(platform => platform.Checks)];

    private static readonly Dictionary<string, CheckDescription> ByName = All.ToDictionary(check => check.Name);

    /// <summary>Null where there is no check of this name.</summary>
    public static CheckDescription? Find(string name) => ByName.GetValueOrDefault(name);

    /// <exception cref="KeyNotFoundException">There is none: the name is not one that a result holds.</exception>
    public static CheckDescription Of(string name) => ByName[name];
}
