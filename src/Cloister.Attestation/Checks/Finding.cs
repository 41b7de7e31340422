using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>One question of a platform's verification, its answer, and both sides of the comparison.</summary>
/// <typeparam name="TCheck">The platform's list of checks, in the order in which the first failure names the fault.</typeparam>
public sealed record Finding<TCheck>(TCheck Name, Verdict Verdict, string Expected, string Found) where TCheck : struct, Enum
{
    /// <summary>The same among the checks of an appraisal, under the platform's name.</summary>
    internal Check ToCheck(string prefix) => new(prefix + Name, Verdict, Expected, Found, Verdict is Verdict.Waived ? Found : null);
}

/// <summary>A verification in progress: each check has one place, and keeps the first answer that was given.</summary>
internal sealed class Findings<TCheck> where TCheck : struct, Enum
{
    private static readonly TCheck[] Names = Enum.GetValues<TCheck>();

    private readonly Finding<TCheck>?[] _places = new Finding<TCheck>?[Names.Length];

    public bool That(TCheck name, bool holds, string expected, string found)
    {
        Record(new Finding<TCheck>(name, holds ? Verdict.Passed : Verdict.Failed, expected, found));
        return holds;
    }

    public void Waive(TCheck name, string reason) => Record(new Finding<TCheck>(name, Verdict.Waived, "nothing", reason));

    /// <summary>The first check, in the order of the names, that was asked and failed.</summary>
    public TCheck? FirstFailure => _places.FirstOrDefault(place => place?.Verdict is Verdict.Failed)?.Name;

    /// <summary>One for each name. A check that nobody ran is one that failed.</summary>
    public ImmutableArray<Finding<TCheck>> ToImmutable()
    {
        var all = ImmutableArray.CreateBuilder<Finding<TCheck>>(Names.Length);
        for (int i = 0; i < Names.Length; i++)
        {
            all.Add(_places[i] ?? new Finding<TCheck>(Names[i], Verdict.Failed, "to be checked", Check.NotReached));
        }
        return all.MoveToImmutable();
    }

    private void Record(Finding<TCheck> finding) => _places[Array.IndexOf(Names, finding.Name)] ??= finding;
}
