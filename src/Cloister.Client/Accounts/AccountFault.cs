using System.Net;

namespace Cloister.Client.Accounts;

/// <summary>Why something with an account did not work. What is not the network's fault: for that see <c>OperatorUnreachableException</c>.</summary>
public enum AccountFault : byte
{
    /// <summary>Zero is the failing value: an answer that is none, or a refusal that has no name here.</summary>
    Unexpected = 0,
    /// <summary>The operator knows no such unlocker, or the secret is not its own; it does not say which.</summary>
    Wrong = 1,
    /// <summary>The session ran out, or its unlocker was removed.</summary>
    SessionEnded = 2,
    /// <summary>Too many wrong attempts: after <see cref="AccountFaultException.RetryAfter"/> again.</summary>
    TooManyAttempts = 3,
    /// <summary>There is an account, an attachment's part or a pairing message of that name already.</summary>
    Taken = 4,
    /// <summary>Another device began a new epoch meanwhile.</summary>
    EpochPassed = 5,
    /// <summary>There is no such thing.</summary>
    NotThere = 6,
    /// <summary>The account is full.</summary>
    Full = 7,
    /// <summary>Larger than the operator takes.</summary>
    TooLarge = 8,
    /// <summary>The operator hands out a wrap that the secret does not open: somebody else's, or a damaged one.</summary>
    WrapDoesNotOpen = 9,
    /// <summary>The operator's epoch records do not follow each other, end before one that this device knows, or are another account's.</summary>
    EpochsBroken = 10,
    /// <summary>The operator has no wrap for this unlocker: it signs in, and unlocks nothing.</summary>
    UnlocksNothing = 11,
    /// <summary>The other side of a pairing did not keep its promise, or spoke nonsense: begin again.</summary>
    PairingBroken = 12,
    /// <summary>Nobody answered at the other side of a pairing within its five minutes, or its user said no.</summary>
    PairingOver = 13,
    /// <summary>What is asked for would leave no way to the account.</summary>
    LastWay = 14,
    /// <summary>The unlocker's kind exists once already, or it is not one that can be added so.</summary>
    NotPossible = 15,
}

/// <summary>Something about an account did not work, and which. The message is a sentence for people and holds no word of the operator's.</summary>
public sealed class AccountFaultException : Exception
{
    public AccountFaultException(AccountFault fault, string? sentence = null, TimeSpan? retryAfter = null, Exception? inner = null)
        : base(sentence ?? Sentence(fault, retryAfter), inner) => (Fault, RetryAfter) = (fault, retryAfter);

    public AccountFault Fault { get; }

    /// <summary>Only with <see cref="AccountFault.TooManyAttempts"/>, and there not always.</summary>
    public TimeSpan? RetryAfter { get; }

    // What the operator said, for who must tell its refusals apart.
    internal RefusedRequest? Refused { get; init; }

    private static string Sentence(AccountFault fault, TimeSpan? retryAfter) => fault switch
    {
        AccountFault.Wrong           => "The operator knows no account that this opens: it was mistyped, removed, or belongs to another operator.",
        AccountFault.SessionEnded    => "The operator ended the session.",
        AccountFault.TooManyAttempts => $"There were too many wrong attempts. Try again {(retryAfter is { } wait ? $"in {Math.Ceiling(wait.TotalMinutes)} minutes" : "later")}.",
        AccountFault.Taken           => "That name is taken.",
        AccountFault.EpochPassed     => "Another device changed the account's keys at the same time: try again.",
        AccountFault.NotThere        => "The operator has no such thing.",
        AccountFault.Full            => "The account is full at the operator.",
        AccountFault.TooLarge        => "That is larger than the operator takes.",
        AccountFault.WrapDoesNotOpen => "The operator handed out a sealed key that this secret does not open. Nothing was taken from it.",
        AccountFault.EpochsBroken    => "The operator shows another history of this account's keys than the true one. Nothing was taken from it.",
        AccountFault.UnlocksNothing  => "This signs in, but it cannot unlock the account: use another way.",
        AccountFault.PairingBroken   => "The other device did not say what it had promised. Somebody may sit in between: nothing was shared. Begin again.",
        AccountFault.PairingOver     => "The pairing is over: the other device did not answer in time, or its user said no.",
        AccountFault.LastWay         => "That would leave no way to the account.",
        AccountFault.NotPossible     => "That is not possible with this account.",
        _                            => "The operator answered something that is no answer.",
    };
}

/// <summary>How the operator refused: a status, and its code and sequence where it gave them.</summary>
internal sealed record RefusedRequest(HttpStatusCode Status, string? Code, ulong? Sequence);
