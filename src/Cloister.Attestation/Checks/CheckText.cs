namespace Cloister.Attestation;

/// <summary>A check in a person's words. The tables in docs/spec are made from them, and what a refusal says.</summary>
/// <param name="PassesIf">Ends the sentence "It passes if …", without a full stop.</param>
/// <param name="Failure">One whole sentence: what it means for the user that it failed.</param>
/// <param name="Mend">One whole sentence: who could mend it, and how.</param>
public sealed record CheckText(string PassesIf, string Failure, string Mend);
