using System.Text;
using Cloister.Vault.Exchange;
using Cloister.Vault.History;
using Cloister.Vault.Tests.History;

namespace Cloister.Vault.Tests.Exchange;

/// <summary>Exports of ChatGPT and Claude, in small, with everything odd that is in real ones.</summary>
public class ForeignExportTests
{
    internal const string ChatGpt = """
        [{"title":"Tea","create_time":1700000000.5,"update_time":1700000900,"conversation_id":"c1","is_archived":true,"current_node":"a2","mapping":{
          "a2":{"id":"a2","parent":"u1","children":[],"message":{"id":"a2","author":{"role":"assistant"},"create_time":1700000030,"status":"finished_successfully","content":{"content_type":"text","parts":["Green tea.","Or white."]},"metadata":{"model_slug":"gpt-4o"}}},
          "root":{"id":"root","parent":null,"children":["sys"],"message":null},
          "sys":{"id":"sys","parent":"root","children":["u1","u2"],"message":{"author":{"role":"system"},"content":{"content_type":"text","parts":[""]},"metadata":{"is_visually_hidden_from_conversation":true}}},
          "u1":{"id":"u1","parent":"sys","children":["a1","a2"],"message":{"author":{"role":"user"},"create_time":1700000010,"content":{"content_type":"multimodal_text","parts":[{"content_type":"image_asset_pointer","asset_pointer":"file-service://x"},"Which tea?",{"content_type":"audio_transcription","text":"spoken"},{"content_type":"video_thing"}]},"metadata":{"attachments":[{"name":"leaf.pdf"}]}}},
          "a1":{"id":"a1","parent":"u1","children":["t1"],"message":{"author":{"role":"assistant"},"create_time":1700000020,"status":"finished_partial_completion","recipient":"python","content":{"content_type":"code","language":"python","text":"print(1)"},"metadata":{}}},
          "t1":{"id":"t1","parent":"a1","children":["a3"],"message":{"author":{"role":"tool","name":"python"},"create_time":1700000021,"content":{"content_type":"execution_output","text":"1"}}},
          "th":{"id":"th","parent":"t1","children":["a3"],"message":{"author":{"role":"assistant"},"content":{"content_type":"thoughts","thoughts":[]}}},
          "a3":{"id":"a3","parent":"th","children":[],"message":{"author":{"role":"assistant"},"create_time":null,"content":{"content_type":"text","parts":["Black tea. \ud83d"]}}},
          "u2":{"id":"u2","parent":"sys","children":[],"message":{"author":{"role":"user"},"create_time":1700000005,"content":{"content_type":"text","parts":["An edit"]}}}
        }},
        {"title":"No identity","mapping":{}},
        {"title":null,"id":"c2","mapping":{"x":{"parent":"y","message":{"author":{"role":"user"},"content":{"parts":["in a circle"]}}},"y":{"parent":"x","message":{"author":{"role":"user"},"content":{"parts":["too"]}}}}}
        ]
        """;

    internal const string Claude = """
        [{"uuid":"k1","name":"Leaves","created_at":"2024-03-01T10:00:00.000000Z","updated_at":"2024-03-01T11:00:00Z","account":{"uuid":"me"},"chat_messages":[
          {"uuid":"m1","text":"old text","sender":"human","created_at":"2024-03-01T10:00:01Z","content":[{"type":"text","text":"Read this"}],"attachments":[{"file_name":"notes.txt","file_type":"txt","file_size":5,"extracted_content":"green"}],"files":[{"file_name":"photo.png"}]},
          {"uuid":"m2","text":"","sender":"assistant","created_at":"2024-03-01T10:00:02Z","content":[{"type":"thinking","thinking":"hm"},{"type":"tool_use","name":"search","input":{}},{"type":"text","text":"It is green."},{"type":"something","x":1}],"attachments":[],"files":[]},
          {"uuid":"m3","text":"Only text","sender":"human","created_at":"2024-03-01T10:00:03Z"},
          {"uuid":"m4","text":"A branch","sender":"human","parent_message_uuid":"m1","created_at":"2024-03-01T10:00:04Z"}
        ]}]
        """;

    [Fact]
    public async Task A_ChatGPT_conversation_keeps_its_branches_and_names_what_was_left_out()
    {
        var (found, outcome) = await Importing.ImportAsync(ChatGpt);
        Assert.Equal((ImportFormat.ChatGpt, 2, 7, ImportFault.None), (outcome.Format, outcome.Conversations, outcome.Messages, outcome.Fault));
        var first = found.Take(6).ToList();
        Assert.Equal(
            """
            User: An edit
            User: [Not imported: an image]

            Which tea?

            spoken

            [Not imported: content of type video_thing]

            [Not imported: the file leaf.pdf]
              Assistant: ```
            print(1)
            ```
                Assistant: Black tea. �
              Assistant: Green tea.

            Or white.

            """, first.Show());
        Assert.Equal(
            ["Not imported: an image.", "Not imported: content of type video_thing.", "Not imported: the file leaf.pdf.", "Not imported: 1 steps of tools.", "Not imported: 1 pieces of reasoning.", "A conversation without an identity was left out."],
            outcome.Notes.Select(note => note.Sentence));
        Assert.Equal([1, 1, 1, 1, 1, 2], outcome.Notes.Select(note => note.Where));
        var header = Assert.IsType<Registers>(Assert.IsType<ImportedItem>(first[0]).Content);
        Assert.Equal(("Tea", true), (header.Text("title"), header.IsTrue("archived")));
        var leaf = first.Messages().Single(message => message.Id == header.Identity("leaf"));
        Assert.Equal(("gpt-4o", MessageState.Complete), (leaf.Model, leaf.State));
        Assert.Equal(MessageState.Stopped, first.Messages().Single(message => message.Text.StartsWith("```", StringComparison.Ordinal)).State);
        Assert.Equal("a2", leaf.Origin!.Value.GetProperty("id").GetString());
        Assert.Equal(2023, leaf.Clock.Time.Year);
    }

    [Fact]
    public async Task A_Claude_conversation_is_one_branch_or_those_that_it_names()
    {
        var (found, outcome) = await Importing.ImportAsync(Claude);
        Assert.Equal((ImportFormat.Claude, 1, 4, ImportFault.None), (outcome.Format, outcome.Conversations, outcome.Messages, outcome.Fault));
        Assert.Equal(
            """
            User: Read this

            notes.txt:

            green

            [Not imported: the file photo.png]
            Assistant: It is green.

            [Not imported: content of type something]
              User: Only text
            User: A branch

            """, found.Show());
        Assert.Equal(["Not imported: the file photo.png.", "Not imported: content of type something.", "Not imported: 1 steps of tools.", "Not imported: 1 pieces of reasoning."], outcome.Notes.Select(note => note.Sentence));
    }

    [Theory]
    [InlineData(ChatGpt)]
    [InlineData(Claude)]
    public async Task Importing_twice_and_on_two_devices_makes_the_same_items(string file)
    {
        var (once, _) = await Importing.ImportAsync(file);
        var (twice, _) = await Importing.ImportAsync(file);
        Assert.Equal(once.Cast<ImportedItem>().Select(item => (item.Item, item.Content.Text())), twice.Cast<ImportedItem>().Select(item => (item.Item, item.Content.Text())));
        Assert.Equal(once.Count, once.Cast<ImportedItem>().Select(item => item.Item).Distinct().Count());
        Assert.All(once.Cast<ImportedItem>().Zip(twice.Cast<ImportedItem>()), pair => Assert.Equal(pair.First.Content.Text(), pair.Second.Into(pair.First.Content).Text()));
        var (other, _) = await Importing.ImportAsync(file, account: 2);
        Assert.Empty(once.Cast<ImportedItem>().Select(item => item.Item).Intersect(other.Cast<ImportedItem>().Select(item => item.Item)));
    }

    [Theory]
    [InlineData("[", 1)]
    [InlineData("[{\"mapping\":{}", 1)]
    [InlineData("[{\"id\":\"a\",\"mapping\":{}}", 1)]
    [InlineData("[{\"id\":\"a\",\"mapping\":{}} {}]", 2)]
    [InlineData("[{\"id\":\"a\",\"mapping\":{}},]", 2)]
    [InlineData("[{\"id\":\"a\",\"mapping\":{}}] x", 2)]
    [InlineData("[{\"id\":\"a\",\"mapping\":{}},{\"id\":", 2)]
    public async Task A_broken_file_is_refused_at_the_conversation_where_it_breaks(string file, long at)
    {
        var (found, outcome) = await Importing.ImportAsync(file);
        Assert.Equal((ImportFault.NotJson, at), (outcome.Fault, outcome.FaultAt));
        Assert.Equal(at - 1, found.Count);
    }

    [Fact]
    public async Task A_message_too_long_for_an_item_is_left_out_and_what_answers_it_is_kept()
    {
        string file = """[{"uuid":"k","name":"","chat_messages":[{"uuid":"a","sender":"human","text":"LONG"},{"uuid":"b","sender":"assistant","text":"short"}]}]""".Replace("LONG", new string('x', ItemContent.MaxWritten), StringComparison.Ordinal);
        var (found, outcome) = await Importing.ImportAsync(file);
        Assert.Equal("Assistant: short\n", found.Show());
        Assert.StartsWith("A message of 1032188 characters", Assert.Single(outcome.Notes).Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1999)]
    [InlineData(2_000_000)]
    public async Task A_title_longer_than_any_real_one_is_cut(int length)
    {
        string file = $$"""[{"uuid":"k","name":"{{new string('t', length)}}🍵","chat_messages":[{"uuid":"a","sender":"human","text":"x"}]}]""";
        var (found, outcome) = await Importing.ImportAsync(file);
        var header = Assert.IsType<Registers>(Assert.IsType<ImportedItem>(found[0]).Content);
        Assert.Equal(new string('t', Math.Min(length, 2000)), header.Text("title"));
        Assert.Equal($"A title of {length + 2} characters was cut.", Assert.Single(outcome.Notes).Sentence);
    }

    [Fact]
    public async Task A_long_file_is_read_in_pieces_and_holds_no_more_than_one()
    {
        string text = string.Join(',', Enumerable.Range(0, 2_000).Select(n => $$"""{"uuid":"k{{n}}","name":"","chat_messages":[{"uuid":"a","sender":"human","text":"{{new string('x', n)}}"}]}"""));
        var (found, outcome) = await Importing.ImportAsync(new SlowStream(Encoding.UTF8.GetBytes($" [ {text} ] \n"), 777));
        Assert.Equal((4_000 - 1, ImportFault.None), (found.Count, outcome.Fault));
    }

    [Fact]
    public async Task A_conversation_that_is_deeper_than_any_real_one_ends_the_import()
    {
        var (_, outcome) = await Importing.ImportAsync("[{\"uuid\":" + new string('[', 500));
        Assert.Equal(ImportFault.NotJson, outcome.Fault);
    }
}
