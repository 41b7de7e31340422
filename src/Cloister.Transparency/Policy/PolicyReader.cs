using System.Collections.Immutable;

namespace Cloister.Transparency;

/// <summary>One reading of a policy's text, line by line. A line speaks only of names on lines before it.</summary>
internal sealed class PolicyReader
{
    private readonly Dictionary<string, PolicyRule> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);

    public ImmutableArray<PolicyLog>.Builder Logs { get; } = ImmutableArray.CreateBuilder<PolicyLog>();

    public ImmutableArray<PolicyWitness>.Builder Witnesses { get; } = ImmutableArray.CreateBuilder<PolicyWitness>();

    public PolicyRule? Quorum { get; private set; }

    private bool HasTooMany => Logs.Count > LogPolicy.MaxOfEach || Witnesses.Count > LogPolicy.MaxOfEach || _names.Count - Witnesses.Count > LogPolicy.MaxOfEach;

    public LogPolicyFault Read(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            string[] items = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            var fault = items.Length == 0 || items[0].StartsWith('#') ? LogPolicyFault.None : ReadLine(items);
            if (fault is not LogPolicyFault.None || HasTooMany)
            {
                return fault is LogPolicyFault.None ? LogPolicyFault.TooMany : fault;
            }
        }
        return Quorum is null ? LogPolicyFault.NoQuorum : LogPolicyFault.None;
    }

    private LogPolicyFault ReadLine(string[] items) => items switch
    {
        ["log", var key] => ReadLog(key, null),
        ["log", var key, var url] => ReadLog(key, url),
        ["witness", var name, var key] => ReadWitness(name, key, null),
        ["witness", var name, var key, var url] => ReadWitness(name, key, url),
        ["group", var name, var threshold, .. { Length: > 0 } members] => ReadGroup(name, threshold, members),
        ["quorum", var name] => ReadQuorum(name),
        ["log" or "witness" or "group" or "quorum", ..] => LogPolicyFault.WrongItems,
        _ => LogPolicyFault.UnknownLine,
    };

    private LogPolicyFault ReadLog(string text, string? url)
    {
        if (!VerifierKey.TryParse(text, out var key))
        {
            return LogPolicyFault.MalformedKey;
        }
        if (key.Type is NoteKeyType.Ed25519Cosignature)
        {
            return LogPolicyFault.WrongKeyType;
        }
        Logs.Add(new(key, url));
        return IsNew(key) ? LogPolicyFault.None : LogPolicyFault.DuplicateKey;
    }

    private LogPolicyFault ReadWitness(string name, string text, string? url)
    {
        if (!VerifierKey.TryParse(text, out var key))
        {
            return LogPolicyFault.MalformedKey;
        }
        if (key.Type is NoteKeyType.Ed25519)
        {
            return LogPolicyFault.WrongKeyType;
        }
        Witnesses.Add(new(name, key, url));
        return !IsNew(key) ? LogPolicyFault.DuplicateKey : Define(name, new PolicyRule.Witness(name));
    }

    private LogPolicyFault ReadGroup(string name, string threshold, string[] members)
    {
        var rules = ImmutableArray.CreateBuilder<PolicyRule>();
        foreach (string member in members)
        {
            if (!_names.TryGetValue(member, out var rule))
            {
                return LogPolicyFault.UndefinedName;
            }
            if (!_members.Add(member))
            {
                return LogPolicyFault.MemberTwice;
            }
            rules.Add(rule);
        }

        long count = threshold switch { "all" => members.Length, "any" => 1, _ => NoteText.TryReadNumber(threshold, out long number) ? number : 0 };
        return count < 1 || count > members.Length ? LogPolicyFault.WrongThreshold : Define(name, new PolicyRule.Group((int)count, rules.ToImmutable()));
    }

    private LogPolicyFault ReadQuorum(string name)
    {
        if (Quorum is not null)
        {
            return LogPolicyFault.TwoQuorums;
        }
        Quorum = name == LogPolicy.NoWitnesses ? new PolicyRule.Nobody() : _names.GetValueOrDefault(name);
        return Quorum is null ? LogPolicyFault.UndefinedName : LogPolicyFault.None;
    }

    private LogPolicyFault Define(string name, PolicyRule rule) =>
        name == LogPolicy.NoWitnesses || !_names.TryAdd(name, rule) ? LogPolicyFault.DuplicateName : LogPolicyFault.None;

    // Narrower than the specification: a log's key is no witness's either, since it would be its own witness; and no two keys share name and id.
    private bool IsNew(VerifierKey key) => Logs.Select(log => log.Key).Concat(Witnesses.Select(witness => witness.Key))
        .Count(other => other.HasSameKey(key) || (other.Name == key.Name && other.Id == key.Id)) == 1;
}
