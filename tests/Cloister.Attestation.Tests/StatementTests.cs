using System.Text;
using System.Text.Json.Nodes;

namespace Cloister.Attestation.Tests;

public class StatementTests
{
    private static readonly string Digest = new('a', 64);

    private static readonly EnclaveStatement Statement = Machine.Statement with
    {
        Config = Machine.Statement.Config with { Engine = new EngineConfiguration { Kind = EngineKind.Upstream, Upstream = "http://127.0.0.1:8000" }, ShapingFloor = ShapingFloor.Paced, Egress = ["one"], Counters = ["two", "three"] },
        Models = [new ServedModel { Name = "first", Weights = Digest, Tokenizer = Digest, Template = Digest }, new ServedModel { Name = "second" }],
        Release = Digest,
        GpuEvidence = Digest,
    };

    private static JsonObject Json => JsonNode.Parse(Statement.ToBytes())!.AsObject();

    [Fact]
    public void What_is_written_reads_back()
    {
        foreach (var statement in (EnclaveStatement[])[Statement, Machine.Statement])
        {
            Assert.True(EnclaveStatement.TryParse(statement.ToBytes(), out var read));
            Assert.Equal(statement.ToBytes(), read.ToBytes());
        }
    }

    /// <summary>Every member, by the names on the way to it.</summary>
    public static TheoryData<string> Members => [.. MembersOf(Json, "")];

    [Theory, MemberData(nameof(Members))]
    public void Each_member_is_there_once_and_of_its_type(string path)
    {
        bool optional = path is "release" or "gpu_evidence" || path.EndsWith("/weights", StringComparison.Ordinal) || path.EndsWith("/tokenizer", StringComparison.Ordinal) || path.EndsWith("/template", StringComparison.Ordinal);
        Assert.Equal(optional, IsRead(path, (parent, name) => parent.Remove(name)));
        Assert.Equal(optional, IsRead(path, (parent, name) => parent[name] = null));
        Assert.False(IsRead(path, (parent, name) => parent[name] = true));
        Assert.False(IsRead(path, (parent, name) => parent[name] = parent[name] is JsonValue value && value.GetValueKind() is System.Text.Json.JsonValueKind.Number ? 1.5 : 1));
        Assert.False(IsRead(path, (parent, name) => parent[name] = new JsonArray((JsonNode?)null)));
        Assert.False(IsRead(path, (parent, name) => parent[name] = new JsonObject()));
        Assert.False(IsRead(path, (parent, name) => parent[$"{name}s"] = "unknown"));

        string name = path.Split('/')[^1], text = Json.ToJsonString();
        Assert.False(EnclaveStatement.TryParse(Encoding.UTF8.GetBytes(text.Replace($"\"{name}\":", $"\"{name}\":0,\"{name}\":", StringComparison.Ordinal)), out _));
    }

    [Theory]
    [InlineData("Paced", "paced")]
    [InlineData("\"Paced\"", "2")]
    [InlineData("Upstream\"", "Embedded\"")]
    [InlineData("\"Upstream\"", "1")]
    [InlineData("\"one\"", "null")]
    [InlineData("\"one\"", "\"\\ud800\"")]
    [InlineData("second", "first")]
    [InlineData("127.0.0.1", "198.51.100.1")]
    [InlineData("\"sessions\":10000", "\"sessions\":1e4")]
    [InlineData("\"sessions\":10000", "\"sessions\":0")]
    [InlineData("\"sessions\":10000", "\"sessions\":3000000000")]
    [InlineData("\"version\":1", "\"version\":1.0")]
    public void A_value_that_is_otherwise_is_refused(string what, string by)
    {
        string text = Encoding.UTF8.GetString(Statement.ToBytes());
        Assert.Contains(what, text);
        Assert.False(EnclaveStatement.TryParse(Encoding.UTF8.GetBytes(text.Replace(what, by, StringComparison.Ordinal)), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{")]
    public void What_is_no_statement_is_refused(string text) => Assert.False(EnclaveStatement.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void Nothing_stands_behind_it_and_it_is_not_too_long()
    {
        byte[] bytes = Statement.ToBytes();
        Assert.False(EnclaveStatement.TryParse([.. bytes, (byte)'0'], out _));
        Assert.True(EnclaveStatement.TryParse([.. bytes, .. Enumerable.Repeat((byte)' ', EnclaveStatement.MaxSize - bytes.Length)], out _));
        Assert.False(EnclaveStatement.TryParse([.. bytes, .. Enumerable.Repeat((byte)' ', EnclaveStatement.MaxSize - bytes.Length + 1)], out _));
    }

    private static bool IsRead(string path, Action<JsonObject, string> spoil)
    {
        var json = Json;
        JsonNode node = json;
        string[] names = path.Split('/');
        foreach (string name in names[..^1])
        {
            node = int.TryParse(name, out int index) ? node[index]! : node[name]!;
        }
        spoil(node.AsObject(), names[^1]);
        return EnclaveStatement.TryParse(Encoding.UTF8.GetBytes(json.ToJsonString()), out _);
    }

    private static IEnumerable<string> MembersOf(JsonNode node, string prefix) => node switch
    {
        JsonObject members => members.SelectMany(member => (string[])[$"{prefix}{member.Key}", .. MembersOf(member.Value!, $"{prefix}{member.Key}/")]),
        JsonArray elements => elements.SelectMany((element, index) => element is JsonObject ? MembersOf(element, $"{prefix}{index}/") : []),
        _                  => [],
    };
}
