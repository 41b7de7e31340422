using Cloister.Vault.Heads;

namespace Cloister.Client.History;

/// <summary>How a device stands to the operator, in words.</summary>
internal static class SyncSentences
{
    public static SyncStatus Of(AttemptResult result, int unsent, bool isAlone) => new(result.State, result.Wait, result.Fault, Sentence(result, isAlone), unsent);

    private static string Sentence(AttemptResult result, bool isAlone) => result switch
    {
        { State: SyncState.Refused } => FaultStory.Of(result.Fault).ToString(),
        { State: SyncState.Synced } => "Everything is fetched and sent.",
        { State: SyncState.Syncing } => "Fetching and sending.",
        { Wait: SyncWait.NewKeys } => "Another device gave the account a new key. This device needs it before it can go on: sign in again.",
        { Wait: SyncWait.Quota } => "The account is full. What is new stays on this device until there is room; what is deleted is deleted everywhere.",
        { Wait: SyncWait.AccountEnded } => "This device may not sign in any more: it was removed from the account, or the account is gone. What is on it stays.",
        { Wait: SyncWait.Store } => "This device cannot write its history down: its disk may be full. What was confirmed before is kept.",
        { Wait: SyncWait.OperatorRefuses } => "The operator does not take this device's changes. They are kept here, and sent again later.",
        { Wait: SyncWait.Overtaken } => "Another window or program on this device is fetching and sending. This one goes on after it.",
        _ when isAlone => "This device works alone.",
        _ => "The operator cannot be reached. Changes are kept here, and sent when it can.",
    };
}
