namespace Cloister.Vault.Heads;

/// <summary>What the operator showed that cannot be (docs/spec/vault.md, section 7). Devices store these numbers: a new fault takes a new one.</summary>
public enum HeadFault : byte
{
    /// <summary>Zero is no fault and no judgement either.</summary>
    None = 0,
    /// <summary>A head is not signed by its epoch's head key, is another account's, or goes back to an epoch that had ended.</summary>
    BadSignature = 1,
    /// <summary>The newest head has a smaller sequence than one that was shown before.</summary>
    RolledBack = 2,
    /// <summary>There is another head of a sequence that was shown before, or the chain does not lead from it to the newest.</summary>
    Forked = 3,
    /// <summary>With all that was shown the tree has fewer leaves than the head says, or the rest never comes.</summary>
    Omitted = 4,
    /// <summary>As many leaves, but another root; or more.</summary>
    Altered = 5,
    /// <summary>An old version of an item is shown as new, or another one as the version that is held.</summary>
    Replayed = 6,
    /// <summary>An item does not open.</summary>
    Unreadable = 7,
    /// <summary>The epoch records do not follow each other, or are not the ones that were accepted.</summary>
    EpochsBroken = 8,
    /// <summary>A page names an item twice.</summary>
    Repeated = 9,
}

/// <summary>A fault in sentences for the person whose history it is.</summary>
/// <param name="Fault">Which.</param>
/// <param name="Happened">What was seen.</param>
/// <param name="Means">What that can mean.</param>
/// <param name="Safe">What is not touched by it.</param>
/// <param name="ToDo">What to do now.</param>
public sealed record FaultStory(HeadFault Fault, string Happened, string Means, string Safe, string ToDo)
{
    private const string Kept = "Everything on this device is kept and can be read, searched, added to and exported. Nothing more is taken from the operator, and nothing is sent to it.";

    /// <exception cref="ArgumentOutOfRangeException">It is no fault.</exception>
    public static FaultStory Of(HeadFault fault) => fault switch
    {
        HeadFault.BadSignature => new(fault,
            "The operator showed a state of your history that none of your devices signed, or signed with a key that had been replaced.",
            "Somebody who does not have your key made it: the operator, somebody who broke into it, or an unlocker that you removed.",
            Kept,
            "Try again later. If it stays, ask the operator, and compare with another device of yours."),
        HeadFault.RolledBack => new(fault,
            "The operator shows an older state of your history than it showed this device before.",
            "It lost what came after, for instance by restoring a backup, or it is hiding it.",
            Kept,
            "Try again later. If it stays, export your history from this device, ask the operator what happened, and do not delete it anywhere else."),
        HeadFault.Forked => new(fault,
            "The operator shows a history that does not continue the one that it showed this device before.",
            "It keeps two versions and shows your devices different ones, or it lost changes that it had confirmed and other devices went on without them.",
            Kept,
            "Compare with your other devices before you rely on either. Export your history from each, and ask the operator."),
        HeadFault.Omitted => new(fault,
            "The operator did not show everything that your devices signed.",
            "Items are missing: it lost them or holds them back.",
            Kept,
            "Try again later. If it stays, look whether another device of yours has what is missing, and export it there."),
        HeadFault.Altered => new(fault,
            "What the operator showed is not what your devices signed.",
            "Items were exchanged for others, or some were added or left out. Nobody could read or write them without your key.",
            Kept,
            "Try again later. If it stays, export your history from this device and ask the operator."),
        HeadFault.Replayed => new(fault,
            "The operator showed an old version of an item as if it were new.",
            "Something that you changed or deleted would have come back.",
            Kept,
            "Try again later. If it stays, export your history from this device and ask the operator."),
        HeadFault.Unreadable => new(fault,
            "The operator showed an item that your key does not open.",
            "It was damaged, cut, exchanged for another one, or is somebody else's.",
            Kept,
            "Try again later. If it stays, export your history from this device and ask the operator."),
        HeadFault.EpochsBroken => new(fault,
            "The operator shows other keys of your account than the ones that your devices made, or leaves some out.",
            "Somebody tries to have your devices use a key that is not yours, or to have them go on with one that you replaced.",
            Kept,
            "Do not add or remove an unlocker until this is solved. Compare with another device of yours, and ask the operator."),
        HeadFault.Repeated => new(fault,
            "The operator showed the same item twice in one answer.",
            "An older version of it stood beside the newer one: something that you changed or deleted could have come back.",
            Kept,
            "Try again later. If it stays, export your history from this device and ask the operator."),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    /// <summary>All of it, as one text.</summary>
    public override string ToString() => $"{Happened} {Means} {Safe} {ToDo}";
}
