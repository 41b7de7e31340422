namespace Cloister.Enclave.Tests.Program;

public sealed class ProgramOptionsTests : IDisposable
{
    private static readonly string Good = Configurations.Upstream(new Uri("http://127.0.0.1:8000"));
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void A_good_one_is_read() => Assert.Equal("http://127.0.0.1:8000/", Read(Good).Config.Engine.Upstream);

    [Theory]
    [InlineData("\"listen\"", "\"turbo\": 1, \"listen\"", "$.turbo")]
    [InlineData("\"sessions\"", "\"turbo\": 1, \"sessions\"", "$.config.limits.turbo")]
    [InlineData("\"sessions\"", "\"sessions\": 8, \"sessions\"", "$.config.limits.sessions")]
    [InlineData("\"listen\"", "\"listen\": \"127.0.0.1:1\", \"listen\"", "$.listen")]
    [InlineData("\"answers\": 3,", "", "$.config.limits")]
    [InlineData("\"answers\": 3,", "\"answers\": \"3\",", "$.config.limits.answers")]
    [InlineData("\"answers\": 3,", "\"Answers\": 3,", "$.config.limits.Answers")]
    [InlineData("\"Paced\"", "\"Fast\"", "$.config.shaping_floor")]
    [InlineData("\"counters\": []", "\"counters\": null", "$.config.counters")]
    [InlineData("\"127.0.0.1:0\"", "null", "$.listen")]
    [InlineData("[ { \"name\": \"m\" } ]", "null", "$.models")]
    [InlineData("\"reports\"", "// a comment\n\"reports\"", "line 11")]
    [InlineData("\"REPORTS\"\n}", "\"REPORTS\"\n} {}", "line 12")]
    public void One_that_is_malformed_is_refused_with_the_place(string what, string by, string place) => AssertRefused(place, what, by);

    [Theory]
    [InlineData("\"sessions\": 7", "\"sessions\": 0", "limits:")]
    [InlineData("\"egress\": []", "\"egress\": [\"example.org\"]", "egress:")]
    [InlineData("\"counters\": []", "\"counters\": [\"requests\"]", "counters:")]
    [InlineData("http://127.0.0.1:8000/", "http://192.0.2.1:8000/", "engine:")]
    [InlineData("http://127.0.0.1:8000/", "https://127.0.0.1:8000/", "engine:")]
    [InlineData("http://127.0.0.1:8000/", "not an address", "engine:")]
    [InlineData("\"kind\": \"Upstream\"", "\"kind\": \"Embedded\"", "engine:")]
    [InlineData(", \"upstream\": \"http://127.0.0.1:8000/\"", "", "engine:")]
    [InlineData("{ \"name\": \"m\" }", "", "models:")]
    [InlineData("{ \"name\": \"m\" }", "null", "models:")]
    [InlineData("{ \"name\": \"m\" }", "{ \"name\": \"\" }", "models:")]
    [InlineData("{ \"name\": \"m\" }", "{ \"name\": \"m\" }, { \"name\": \"m\" }", "models:")]
    [InlineData("{ \"name\": \"m\" }", "{ \"name\": \"m\", \"folder\": \"f\" }", "models:")]
    [InlineData("\"listen\"", "\"wanted\": \"/w\", \"listen\"", "wanted:")]
    [InlineData("127.0.0.1:0", "everywhere", "listen:")]
    public void One_with_a_fault_is_refused_with_its_name(string what, string by, string name) => AssertRefused(name, what, by);

    [Fact]
    public void All_faults_are_named_together()
    {
        string message = Assert.Throws<IOException>(() => Read(Good.Replace("\"answers\": 3", "\"answers\": -3", StringComparison.Ordinal).Replace("127.0.0.1:0", "x", StringComparison.Ordinal))).Message;
        Assert.Contains("limits:", message);
        Assert.Contains("listen:", message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    public void One_that_is_no_object_is_refused(string text) => Assert.StartsWith(_file, Assert.Throws<IOException>(() => Read(text)).Message);

    private void AssertRefused(string words, string what, string by)
    {
        string spoiled = Good.Replace(what, by, StringComparison.Ordinal);
        Assert.NotEqual(Good, spoiled);
        Assert.Contains(words, Assert.Throws<IOException>(() => Read(spoiled)).Message);
    }

    private ProgramOptions Read(string text)
    {
        File.WriteAllText(_file, text);
        return ProgramOptions.Read(_file);
    }
}
