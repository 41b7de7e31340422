namespace Cloister.Attestation;

internal static class EventLogCheckTexts
{
    public static CheckText Of(EventLogCheck check) => check switch
    {
        EventLogCheck.Form => new(
            "the event log is there and in the TCG's crypto-agile format, every length exact",
            "The machine sent no record of its start that can be read.",
            "The operator can hand the firmware's log over as the kernel shows it."),
        EventLogCheck.Replay => new(
            "replayed, the log leads to the quoted value of every register that the policy names",
            "The machine's record of its start is not what its hardware measured.",
            "The operator can send the log of this very start; a log of an earlier one does not fit."),
        EventLogCheck.Rules => new(
            "every rule of the policy over the events of a register holds",
            "The machine started something that you did not accept, or without something that you demand.",
            "The operator can start an accepted build; or you accept this one."),
        _ => throw new ArgumentOutOfRangeException(nameof(check)),
    };
}
