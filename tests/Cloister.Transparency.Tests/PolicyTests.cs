using System.Text;

namespace Cloister.Transparency.Tests;

public class PolicyTests
{
    private static readonly string LogKey = $"{World.Log.Verifier}";
    private static readonly string N1 = $"{World.North1.Verifier}";
    private static readonly string N2 = $"{World.North2.Verifier}";
    private static readonly string S = $"{World.South.Verifier}";

    public static TheoryData<string, LogPolicyFault> Refused => new()
    {
        { $"log {LogKey}\n", LogPolicyFault.NoQuorum },
        { $"log {LogKey}\nquorum none", LogPolicyFault.MissingNewline },
        { $"logs {LogKey}\nquorum none\n", LogPolicyFault.UnknownLine },
        { "Quorum none\n", LogPolicyFault.UnknownLine },
        { "quorum none # nobody\n", LogPolicyFault.WrongItems },
        { $"log {LogKey} url more\nquorum none\n", LogPolicyFault.WrongItems },
        { "log\nquorum none\n", LogPolicyFault.WrongItems },
        { $"witness n1\nquorum none\n", LogPolicyFault.WrongItems },
        { $"witness n1 {N1}\ngroup g all\nquorum g\n", LogPolicyFault.WrongItems },
        { "quorum none\r\n", LogPolicyFault.ControlCharacter },
        { "quorum none\u007f\n", LogPolicyFault.ControlCharacter },
        { "quorum\u00a0none\n", LogPolicyFault.UnknownLine },
        { $"log {LogKey}x\nquorum none\n", LogPolicyFault.MalformedKey },
        { $"log {N1}\nquorum none\n", LogPolicyFault.WrongKeyType },
        { $"witness n1 {LogKey}\nquorum n1\n", LogPolicyFault.WrongKeyType },
        { $"log {LogKey}\nlog {LogKey}\nquorum none\n", LogPolicyFault.DuplicateKey },
        { $"log {World.Key("other", NoteKeyType.Ed25519, 1).Verifier}\nlog {LogKey}\nquorum none\n", LogPolicyFault.DuplicateKey },
        { $"witness n1 {N1}\nwitness n2 {N1}\nquorum n1\n", LogPolicyFault.DuplicateKey },
        { $"witness n1 {N1}\nwitness n2 {World.Key("renamed", NoteKeyType.Ed25519Cosignature, 2).Verifier}\nquorum n1\n", LogPolicyFault.DuplicateKey },
        { $"log {LogKey}\nwitness own {World.Key("own", NoteKeyType.Ed25519Cosignature, 1).Verifier}\nquorum own\n", LogPolicyFault.DuplicateKey },
        { $"witness n1 {N1}\nwitness n1 {N2}\nquorum n1\n", LogPolicyFault.DuplicateName },
        { $"witness n1 {N1}\ngroup n1 any n1\nquorum n1\n", LogPolicyFault.DuplicateName },
        { $"witness none {N1}\nquorum none\n", LogPolicyFault.DuplicateName },
        { $"witness n1 {N1}\ngroup none any n1\nquorum none\n", LogPolicyFault.DuplicateName },
        { $"witness n1 {N1}\nquorum n2\nwitness n2 {N2}\n", LogPolicyFault.UndefinedName },
        { $"witness n1 {N1}\ngroup g any n1 none\nquorum g\n", LogPolicyFault.UndefinedName },
        { $"witness n1 {N1}\ngroup g any g\nquorum g\n", LogPolicyFault.UndefinedName },
        { $"witness n1 {N1}\ngroup g any n1 n1\nquorum g\n", LogPolicyFault.MemberTwice },
        { $"witness n1 {N1}\ngroup g any n1\ngroup h any n1\nquorum g\n", LogPolicyFault.MemberTwice },
        { $"witness n1 {N1}\ngroup g 0 n1\nquorum g\n", LogPolicyFault.WrongThreshold },
        { $"witness n1 {N1}\ngroup g 2 n1\nquorum g\n", LogPolicyFault.WrongThreshold },
        { $"witness n1 {N1}\ngroup g 01 n1\nquorum g\n", LogPolicyFault.WrongThreshold },
        { $"witness n1 {N1}\ngroup g most n1\nquorum g\n", LogPolicyFault.WrongThreshold },
        { $"witness n1 {N1}\nquorum n1\nquorum n1\n", LogPolicyFault.TwoQuorums },
    };

    [Theory, MemberData(nameof(Refused))]
    public void A_spoiled_policy_is_refused_by_name(string text, LogPolicyFault fault)
    {
        Assert.False(LogPolicy.TryParse(Encoding.UTF8.GetBytes(text), out _, out var found));
        Assert.Equal(fault, found);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        Assert.False(LogPolicy.TryParse([0xff, (byte)'\n'], out _, out var fault));
        Assert.Equal(LogPolicyFault.NotText, fault);
        Assert.False(LogPolicy.TryParse(new byte[LogPolicy.MaxSize + 1], out _, out fault));
        Assert.Equal(LogPolicyFault.TooLong, fault);
    }

    [Fact]
    public void Comments_tabs_and_blank_lines_mean_nothing()
    {
        var policy = World.Parse($"\n  # comment\n\t\nwitness\tÉlan  {N1}\t\n quorum Élan \n");
        Assert.True(policy.IsSatisfiedBy(Names("Élan")));
        Assert.False(policy.IsSatisfiedBy(Names("E\u0301lan")));
    }

    // The example of tlog-policy: two of three X and one of three Y.
    [Fact]
    public void The_published_example_counts_as_it_says()
    {
        var keys = Enumerable.Range(0, 6).Select(i => World.Key($"w{i}", NoteKeyType.Ed25519Cosignature, (byte)(40 + i)).Verifier).ToArray();
        var policy = World.Parse($"""
            log {LogKey}

            witness X1 {keys[0]}
            witness X2 {keys[1]}
            witness X3 {keys[2]}
            group X-witnesses 2 X1 X2 X3

            witness Y1 {keys[3]}
            witness Y2 {keys[4]}
            witness Y3 {keys[5]}
            group Y-witnesses any Y1 Y2 Y3

            group X-and-Y all X-witnesses Y-witnesses
            quorum X-and-Y

            """);
        Assert.True(policy.IsSatisfiedBy(Names("X1", "X3", "Y2")));
        Assert.False(policy.IsSatisfiedBy(Names("X1", "Y1", "Y2", "Y3")));
        Assert.False(policy.IsSatisfiedBy(Names("X1", "X2", "X3")));
        Assert.False(policy.IsSatisfiedBy(Names("X-witnesses", "Y-witnesses")));
        Assert.False(policy.IsSatisfiedBy(Names("X-and-Y")));
        Assert.True(World.Parse("quorum none\n").IsSatisfiedBy(Names()));
    }

    [Fact]
    public void Two_witnesses_of_one_operator_count_once()
    {
        var policy = World.Parse($"witness n1 {N1}\nwitness n2 {N2}\nwitness s {S}\ngroup north any n1 n2\ngroup operators 2 north s\nquorum operators\n");
        Assert.False(policy.IsSatisfiedBy(Names("n1", "n2")));
        Assert.True(policy.IsSatisfiedBy(Names("n2", "s")));
    }

    [Fact]
    public void More_than_the_recommended_numbers_are_read()
    {
        var text = new StringBuilder();
        for (int i = 0; i < 64; i++)
        {
            text.Append($"log {World.Key($"l{i}", NoteKeyType.Ed25519, (byte)(i + 1)).Verifier}\nwitness w{i} {World.Key($"w{i}", NoteKeyType.Ed25519Cosignature, (byte)(i + 100)).Verifier}\ngroup g{i} any w{i}\n");
        }
        Assert.Equal(64, World.Parse(text.Append("quorum g63\n").ToString()).Witnesses.Length);
    }

    [Fact]
    public void Groups_within_groups_have_an_end()
    {
        var text = new StringBuilder($"witness w {N1}\ngroup g0 any w\n");
        for (int i = 1; i < LogPolicy.MaxOfEach; i++)
        {
            text.Append($"group g{i} any g{i - 1}\n");
        }
        Assert.True(World.Parse($"{text}quorum g255\n").IsSatisfiedBy(Names("w")));
        Assert.False(LogPolicy.TryParse(Encoding.UTF8.GetBytes($"{text}group last any g255\nquorum last\n"), out _, out var fault));
        Assert.Equal(LogPolicyFault.TooMany, fault);
    }

    [Fact]
    public void Logs_and_witnesses_have_an_end()
    {
        string Lines(int count, string start, NoteKeyType type) =>
            string.Concat(Enumerable.Range(0, count).Select(i => $"{start.Replace("*", $"w{i}", StringComparison.Ordinal)} {SignerKey.ImportSeed("k", type, [(byte)(i & 255), (byte)(i >> 8), .. new byte[30]]).Verifier}\n"));
        foreach (var (start, type) in ((string, NoteKeyType)[])[("log", NoteKeyType.Ed25519), ("witness *", NoteKeyType.Ed25519Cosignature)])
        {
            World.Parse(Lines(LogPolicy.MaxOfEach, start, type) + "quorum none\n");
            Assert.False(LogPolicy.TryParse(Encoding.UTF8.GetBytes(Lines(LogPolicy.MaxOfEach + 1, start, type) + "quorum none\n"), out _, out var fault));
            Assert.Equal(LogPolicyFault.TooMany, fault);
        }
    }

    private static HashSet<string> Names(params string[] names) => [.. names];
}
