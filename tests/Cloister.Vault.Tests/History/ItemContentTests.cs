using System.Text;
using System.Text.Json.Nodes;
using Cloister.Vault.History;

namespace Cloister.Vault.Tests.History;

public class ItemContentTests
{
    private const string Id = "AAAAAAAAAAAAAAAAAAAAAA";
    private const string Key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    private const string Clock = "0193456789ab00003031323334353637";

    private const string FullMessage =
        $$$"""{"kind":"message","conversation":"{{{Id}}}","parent":"{{{Id}}}","role":"assistant","clock":"{{{Clock}}}","text":"né\n\"x\"","model":"m","state":"stopped","attachments":[{"id":"{{{Id}}}","key":"{{{Key}}}","name":"a.txt","type":"text/plain","length":5}],"receipt":{"verdict":1.50},"origin":{"service":"x"},"later":[1,{"a":null}]}""";

    private const string FullRegisters =
        $$$"""{"kind":"later","subject":"s","fields":{"":{"value":null,"clock":"{{{Clock}}}"},"a":{"value":{"x":[true,1e2]},"clock":"{{{Clock}}}","by":"z"}},"more":"é"}""";

    [Theory]
    [InlineData(FullMessage)]
    [InlineData(FullRegisters)]
    [InlineData($$$"""{"kind":"message","conversation":"{{{Id}}}","parent":null,"role":"user","clock":"{{{Clock}}}","text":""}""")]
    [InlineData($$$"""{"kind":"conversation","subject":"{{{Id}}}","fields":{}}""")]
    public void What_is_in_its_one_form_is_written_the_same_again(string json) => Assert.Equal(json, Samples.Parse(json).Text());

    [Fact]
    public void Another_form_has_the_same_meaning_and_gets_the_one_form()
    {
        string odd = $$$""" { "text" : "\u0068i", "z":1, "clock":"{{{Clock}}}","role":"user", "conversation":"{{{Id}}}","kind":"message","model":null,"b":2 } """;
        string form = $$$"""{"kind":"message","conversation":"{{{Id}}}","parent":null,"role":"user","clock":"{{{Clock}}}","text":"hi","b":2,"z":1}""";
        Assert.Equal(form, Samples.Parse(odd).Text());
    }

    [Theory]
    [InlineData($$$"""{"kind":"message","conversation":"{{{Id}}}","role":"tool"}""", true, false)]
    [InlineData($$$"""{"kind":"conversation","subject":"{{{Id}}}","fields":[]}""", true, true)]
    [InlineData($$$"""{"kind":["later"],"conversation":"{{{Id}}}"}""", true, false)]
    [InlineData($$$"""{"kind":"conversation","conversation":"{{{Id}}}"}""", false, true)]
    [InlineData("""{"kind":"message","conversation":7}""", false, false)]
    [InlineData("[]", false, false)]
    [InlineData("no JSON", false, false)]
    public void What_is_not_understood_names_its_conversation_all_the_same(string json, bool names, bool asRegisters)
    {
        Assert.Equal(names ? default(Ledger.Identity) : null, ItemContent.ConversationOf(Encoding.UTF8.GetBytes(json), out bool registers));
        Assert.Equal(asRegisters, registers);
    }

    [Fact]
    public void What_a_message_says_is_read()
    {
        var message = Assert.IsType<Message>(Samples.Parse(FullMessage, Samples.Id(7)));
        Assert.Equal((Samples.Id(7), MessageRole.Assistant, "né\n\"x\"", "m", MessageState.Stopped), (message.Id, message.Role, message.Text, message.Model, message.State));
        var attachment = Assert.Single(message.Attachments);
        Assert.Equal(("a.txt", "text/plain", 5L, 32), (attachment.Name, attachment.Type, attachment.Length, attachment.Key.Length));
        Assert.Equal("later", Assert.Single(message.Unknown).Key);
    }

    [Theory]
    [InlineData("", ContentFault.NotJson)]
    [InlineData("{", ContentFault.NotJson)]
    [InlineData("{} {}", ContentFault.NotJson)]
    [InlineData("""{"kind":"message","kind":"message"}""", ContentFault.NotJson)]
    [InlineData("""{"kind":"message","k\u0069nd":"message"}""", ContentFault.NotJson)]
    [InlineData("""{"kind":"memory","subject":"","fields":{},"x":"\ud800"}""", ContentFault.NotJson)]
    [InlineData("""{"kind":"memory","subject":"","fields":{},"\udc00":1}""", ContentFault.NotJson)]
    [InlineData("[]", ContentFault.Kind)]
    [InlineData("{}", ContentFault.Kind)]
    [InlineData("""{"kind":1}""", ContentFault.Kind)]
    [InlineData("""{"kind":"memory","fields":{}}""", ContentFault.Subject)]
    [InlineData("""{"kind":"memory","subject":""}""", ContentFault.Fields)]
    [InlineData("""{"kind":"memory","subject":"","fields":[]}""", ContentFault.Fields)]
    [InlineData("""{"kind":"memory","subject":"","fields":{"a":1}}""", ContentFault.Fields)]
    [InlineData($$$$"""{"kind":"memory","subject":"","fields":{"a":{"clock":"{{{{Clock}}}}"}}}""", ContentFault.Fields)]
    [InlineData("""{"kind":"memory","subject":"","fields":{"a":{"value":1}}}""", ContentFault.Fields)]
    public void Hostile_content_is_refused_by_name(string json, ContentFault expected) => AssertRefused(Encoding.UTF8.GetBytes(json), expected);

    [Theory]
    [InlineData("conversation", "\"short\"", ContentFault.Conversation)]
    [InlineData("conversation", null, ContentFault.Conversation)]
    [InlineData("parent", "\"short\"", ContentFault.Parent)]
    [InlineData("parent", "5", ContentFault.Parent)]
    [InlineData("role", "\"tool\"", ContentFault.Role)]
    [InlineData("role", null, ContentFault.Role)]
    [InlineData("clock", "\"0\"", ContentFault.Clock)]
    [InlineData("clock", null, ContentFault.Clock)]
    [InlineData("text", null, ContentFault.Text)]
    [InlineData("text", "[]", ContentFault.Text)]
    [InlineData("model", "{}", ContentFault.Model)]
    [InlineData("state", "\"complete\"", ContentFault.State)]
    [InlineData("attachments", "{}", ContentFault.Attachments)]
    [InlineData("attachments", "[1]", ContentFault.Attachments)]
    [InlineData("attachments", """[{"id":"AAAAAAAAAAAAAAAAAAAAAA","key":"AA","name":"","type":"","length":1}]""", ContentFault.Attachments)]
    [InlineData("attachments", $$$"""[{"id":"{{{Id}}}","key":"{{{Key}}}","name":"","type":"","length":-1}]""", ContentFault.Attachments)]
    [InlineData("receipt", "[]", ContentFault.Receipt)]
    [InlineData("origin", "\"x\"", ContentFault.Origin)]
    public void A_message_spoiled_in_one_member_is_refused_for_it(string member, string? value, ContentFault expected)
    {
        var message = JsonNode.Parse(FullMessage)!.AsObject();
        message.Remove(member);
        if (value is not null)
        {
            message[member] = JsonNode.Parse(value);
        }
        AssertRefused(Encoding.UTF8.GetBytes(message.ToJsonString()), expected);
    }

    [Fact]
    public void Half_characters_too_deep_and_too_long_content_is_refused()
    {
        AssertRefused([.. "{\"kind\":\""u8, 0xC3, .. "\"}"u8], ContentFault.NotJson);
        string deep = new string('[', 40) + new string(']', 40);
        AssertRefused(Encoding.UTF8.GetBytes("""{"kind":"memory","subject":"","fields":{},"x":""" + deep + "}"), ContentFault.NotJson);
        AssertRefused(new byte[ItemContent.MaxSize + 1], ContentFault.TooLong);
    }

    [Fact]
    public void Half_a_character_that_a_person_pasted_is_written_as_the_replacement_character()
    {
        var message = Assert.IsType<Message>(Samples.Parse(Samples.Say(1, null, Samples.At(1), "a\ud83d").Text()));
        Assert.Equal("a\uFFFD", message.Text);
        Assert.Equal("b\uFFFD", new Registers("settings", "").With("x", "b\ude00", Samples.Now, default).Text("x"));
    }

    [Fact]
    public void The_numbers_of_faults_are_kept() =>
        Assert.Equal((0, 1, 2, 16), ((int)ContentFault.Unread, (int)ContentFault.None, (int)ContentFault.TooLong, (int)ContentFault.Fields));

    private static void AssertRefused(byte[] bytes, ContentFault expected)
    {
        Assert.False(ItemContent.TryParse(default, bytes, out var content, out var fault));
        Assert.Null(content);
        Assert.Equal(expected, fault);
    }
}
