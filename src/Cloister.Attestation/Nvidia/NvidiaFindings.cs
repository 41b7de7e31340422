namespace Cloister.Attestation;

/// <summary>Answers about several devices and manifests, gathered into one finding for each check.</summary>
/// <remarks>The first failure speaks for all. A check that was not reached for one of those it is asked of is not reached, unless it failed for another.</remarks>
internal sealed class NvidiaFindings
{
    private static readonly int Names = Enum.GetValues<NvidiaCheck>().Length;

    private readonly Finding<NvidiaCheck>?[] _places = new Finding<NvidiaCheck>?[Names];
    private readonly int[] _missing = new int[Names];
    private string _subject = "";

    /// <summary>From here on the answers are about this one, of which all of these are asked.</summary>
    public void Ask(string subject, ReadOnlySpan<NvidiaCheck> checks)
    {
        _subject = $"{subject}: ";
        foreach (var check in checks)
        {
            _missing[(int)check]++;
        }
    }

    /// <summary>From here on the answers are about all of them together.</summary>
    public void AskOfAll() => _subject = "";

    public bool That(NvidiaCheck name, bool holds, string expected, string found)
    {
        Record(new Finding<NvidiaCheck>(name, holds ? Verdict.Passed : Verdict.Failed, expected, holds ? found : _subject + found));
        return holds;
    }

    public void Waive(NvidiaCheck name, string reason) => Record(new Finding<NvidiaCheck>(name, Verdict.Waived, "nothing", reason));

    public Findings<NvidiaCheck> ToFindings()
    {
        var findings = new Findings<NvidiaCheck>();
        foreach (var place in _places)
        {
            if (place is { Verdict: Verdict.Waived } && _missing[(int)place.Name] <= 0)
            {
                findings.Waive(place.Name, place.Found);
            }
            else if (place is not null && (place.Verdict is Verdict.Failed || _missing[(int)place.Name] <= 0))
            {
                findings.That(place.Name, place.Verdict is Verdict.Passed, place.Expected, place.Found);
            }
        }
        return findings;
    }

    // Failed before passed, passed before waived.
    private void Record(Finding<NvidiaCheck> finding)
    {
        ref var place = ref _places[(int)finding.Name];
        _missing[(int)finding.Name]--;
        if (place is null || (place.Verdict is not Verdict.Failed && finding.Verdict is Verdict.Failed) || place.Verdict is Verdict.Waived)
        {
            place = finding;
        }
    }
}
