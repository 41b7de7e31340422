using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Transparency;

/// <summary>Why a policy's text is none. Zero is none.</summary>
public enum LogPolicyFault : byte
{
    None, TooLong, NotText, ControlCharacter, MissingNewline, UnknownLine, WrongItems, MalformedKey, WrongKeyType, DuplicateKey, DuplicateName, UndefinedName,
    MemberTwice, WrongThreshold, TwoQuorums, NoQuorum, TooMany,
}

/// <summary>A log that the policy accepts.</summary>
/// <param name="Key">Its name is the log's origin.</param>
public sealed record PolicyLog(VerifierKey Key, string? Url);

/// <summary>A witness that the policy knows.</summary>
/// <param name="Name">Means something only within the policy.</param>
public sealed record PolicyWitness(string Name, VerifierKey Key, string? Url);

/// <summary>Which logs, which witnesses, and how many of them, grouped by who runs them (C2SP tlog-policy).</summary>
/// <remarks>
/// Members are listed at most once, so a witness counts in one way only; an operator's witnesses in a group of their own count as that group does, once.
/// </remarks>
public sealed class LogPolicy
{
    /// <summary>The longest policy, in bytes.</summary>
    public const int MaxSize = 1024 * 1024;

    /// <summary>The most logs, witnesses and groups, of each. The specification recommends 32 at least; groups within groups are no deeper than this.</summary>
    public const int MaxOfEach = 256;

    /// <summary>The name of the quorum that asks for no witness.</summary>
    public const string NoWitnesses = "none";

    private readonly PolicyRule _quorum;

    private LogPolicy(ImmutableArray<PolicyLog> logs, ImmutableArray<PolicyWitness> witnesses, PolicyRule quorum) => (Logs, Witnesses, _quorum) = (logs, witnesses, quorum);

    public ImmutableArray<PolicyLog> Logs { get; }

    public ImmutableArray<PolicyWitness> Witnesses { get; }

    /// <summary>Whether any cosignature is asked for. Without one nothing says when a checkpoint was seen.</summary>
    public bool NeedsWitnesses => _quorum is not PolicyRule.Nobody;

    /// <summary>Reads a policy's text: a line that is not known, a name that is given twice, a key that is there twice are refused.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out LogPolicy? policy, out LogPolicyFault fault)
    {
        string text = "";
        policy = null;
        fault = bytes.Length > MaxSize ? LogPolicyFault.TooLong : !NoteText.TryDecode(bytes, out text) ? LogPolicyFault.NotText
            : text.Any(letter => letter is (< ' ' and not ('\t' or '\n')) or '\x7f') ? LogPolicyFault.ControlCharacter
            : !text.EndsWith('\n') ? LogPolicyFault.MissingNewline : LogPolicyFault.None;
        if (fault is LogPolicyFault.None)
        {
            var reader = new PolicyReader();
            fault = reader.Read(text);
            policy = fault is LogPolicyFault.None ? new(reader.Logs.ToImmutable(), reader.Witnesses.ToImmutable(), reader.Quorum!) : null;
        }
        return policy is not null;
    }

    /// <summary>Whether these witnesses are enough.</summary>
    /// <param name="witnesses">Names of witnesses whose cosignatures were verified.</param>
    public bool IsSatisfiedBy(IReadOnlySet<string> witnesses) => _quorum.Holds(witnesses);
}

/// <summary>A witness, a group of rules, or nobody.</summary>
internal abstract record PolicyRule
{
    public abstract bool Holds(IReadOnlySet<string> witnesses);

    public sealed record Nobody : PolicyRule
    {
        public override bool Holds(IReadOnlySet<string> witnesses) => true;
    }

    public sealed record Witness(string Name) : PolicyRule
    {
        public override bool Holds(IReadOnlySet<string> witnesses) => witnesses.Contains(Name);
    }

    public sealed record Group(int Threshold, ImmutableArray<PolicyRule> Members) : PolicyRule
    {
        public override bool Holds(IReadOnlySet<string> witnesses) => Members.Count(member => member.Holds(witnesses)) >= Threshold;
    }
}
