using System.Globalization;
using System.Text.RegularExpressions;

namespace Cloister.Journeys;

/// <summary>An account from its first machine to its last, with the real command on machines that are folders.</summary>
public class AccountTests(Everything everything)
{
    [Fact]
    public async Task An_account_goes_from_machine_to_machine_and_a_removed_one_reads_no_further()
    {
        string laptop = everything.NewData("laptop"), phone = everything.NewData("phone"), found = everything.NewData("found");
        string words = await SignUpAsync(laptop);
        Assert.Equal(0, (await ChatAsync(laptop, "What is an enclave?")).ExitCode);

        // The second machine shows a code, the first is told it, and both show the same digits.
        await using (var joining = Dialogue.Start("login", "--operator", $"{everything.Operator}", "--name", "phone", "--data", phone))
        {
            string code = (await joining.HearAsync("^Code: (.+)\n")).Groups[1].Value;
            await using var telling = Dialogue.Start("devices", "add", "--data", laptop);
            await telling.HearAsync("The code on the new device:");
            await telling.SayAsync(code);
            string digits = (await telling.HearAsync("“phone” shows these digits.*: ([0-9]{6})")).Groups[1].Value;
            Assert.Equal(digits, (await joining.HearAsync("^Digits: ([0-9]{6})")).Groups[1].Value);
            await joining.HearAsync("Does the other device show exactly these");
            await joining.SayAsync("y");
            await telling.SayAsync("y");
            Assert.True(await telling.EndAsync() == 0, telling.Said);
            Assert.True(await joining.EndAsync() == 0, joining.Said);
        }
        string list = await OutputAsync("history", "--data", phone);
        Assert.Contains("What is an enclave?", list, StringComparison.Ordinal);
        string shown = await OutputAsync("history", "show", list[..8], "--data", phone);
        Assert.Matches("What is an enclave\\?\n\nYou\nWhat is an enclave\\?\n\ndemonstration\n\\S", shown.ReplaceLineEndings("\n"));

        // The words open it on a third.
        var entered = await CloisterProgram.RunAsync(["recover", "--operator", $"{everything.Operator}", "--name", "found", "--data", found], $"{words}\n");
        Assert.True(entered.ExitCode == 0, entered.Error);
        Assert.DoesNotContain(words.Split(' ')[0], entered.Output, StringComparison.Ordinal);
        Assert.Contains("What is an enclave?", await OutputAsync("history", "list", "--data", found), StringComparison.Ordinal);

        // The second is removed: what is written then, the third reads and the second does not.
        string id = Regex.Match(await OutputAsync("devices", "--data", laptop), "^ *([0-9a-f]{8}) .*phone", RegexOptions.Multiline).Groups[1].Value;
        Assert.Contains("new keys", await OutputAsync("devices", "remove", id, "--yes", "--data", laptop), StringComparison.Ordinal);
        Assert.Equal(0, (await ChatAsync(laptop, "How are keys kept?")).ExitCode);
        Assert.Contains("How are keys kept?", await OutputAsync("history", "--data", found), StringComparison.Ordinal);
        var removed = await CloisterProgram.RunAsync(["history", "--data", phone]);
        Assert.Contains("removed", removed.Error, StringComparison.Ordinal);
        Assert.Contains("What is an enclave?", removed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("How are keys kept?", removed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("phone", await OutputAsync("devices", "--data", found), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_whose_user_sees_other_digits_takes_no_account()
    {
        // Somebody who reads the operator's mailbox answers first, and says yes at once.
        string stranger = everything.NewData("stranger"), phone = everything.NewData("not-taken");
        await SignUpAsync(stranger);
        await using var joining = Dialogue.Start("login", "--operator", $"{everything.Operator}", "--name", "phone", "--data", phone);
        string code = (await joining.HearAsync("^Code: (.+)\n")).Groups[1].Value;
        var told = await CloisterProgram.RunAsync(["devices", "add", code, "--data", stranger], "y\n");
        Assert.True(told.ExitCode == 0, told.Error);
        await joining.HearAsync("Does the other device show exactly these");
        await joining.SayAsync("n");
        Assert.Equal(1, await joining.EndAsync());
        Assert.Contains("Nothing was taken", joining.Said, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(phone, "account", "account.json")));
    }

    [Fact]
    public async Task What_a_machine_keeps_is_for_its_user_alone_and_holds_no_plain_word()
    {
        string laptop = everything.NewData("private");
        await SignUpAsync(laptop);
        await ChatAsync(laptop, "A question about zebrafish");
        string folder = Path.Combine(laptop, "account");
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
            foreach (string file in Directory.EnumerateFiles(folder))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
        Assert.All(Directory.EnumerateFiles(folder), file => Assert.DoesNotContain("zebrafish", System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_conversation_goes_on_and_one_that_is_to_be_forgotten_is_written_nowhere()
    {
        string laptop = everything.NewData("going-on");
        await SignUpAsync(laptop);
        await ChatAsync(laptop, "What is attestation?");
        await ChatAsync(laptop, "And who checks it?", "--continue");
        await ChatAsync(laptop, "Between us", "--forget");
        string list = await OutputAsync("history", "--data", laptop);
        Assert.Single(list.Trim().Split('\n'));
        string shown = await OutputAsync("history", "show", list[..8], "--data", laptop);
        Assert.Equal(2, Regex.Count(shown, "^You\\r?$", RegexOptions.Multiline));
        Assert.DoesNotContain("Between us", shown, StringComparison.Ordinal);
        Assert.Equal(2, (await ChatAsync(laptop, "Hello", "--continue", "ffffffff")).ExitCode);
    }

    [Fact]
    public async Task The_account_says_how_it_comes_back_and_can_be_deleted()
    {
        string laptop = everything.NewData("outlook");
        await SignUpAsync(laptop);
        string account = await OutputAsync("account", "--data", laptop);
        string number = Regex.Match(account, "^Account +(\\S+)", RegexOptions.Multiline).Groups[1].Value;
        Assert.Contains("twelve words", account, StringComparison.Ordinal);
        Assert.Contains("everything is lost", account, StringComparison.Ordinal);

        Assert.Equal(2, (await CloisterProgram.RunAsync(["account", "delete", "--data", laptop], "7KQ2-M9XA-0000-0000\n")).ExitCode);
        var deleted = await CloisterProgram.RunAsync(["account", "delete", "--data", laptop], $"{number}\n");
        Assert.True(deleted.ExitCode == 0, deleted.Error);
        Assert.Equal(2, (await CloisterProgram.RunAsync(["account", "--data", laptop])).ExitCode);
    }

    [Fact]
    public async Task A_passphrase_and_shares_are_added_and_open_it_and_the_machine_leaves()
    {
        string laptop = everything.NewData("ways"), phone = everything.NewData("by-passphrase"), tablet = everything.NewData("by-shares");
        await SignUpAsync(laptop);
        const string Phrase = "nine otters under a bridge";
        var short_ = await CloisterProgram.RunAsync(["unlockers", "add", "passphrase", "--data", laptop], "too short\n");
        Assert.Equal(2, short_.ExitCode);
        var added = await CloisterProgram.RunAsync(["unlockers", "add", "passphrase", "--data", laptop], $"{Phrase}\n{Phrase}\n");
        Assert.True(added.ExitCode == 0, added.Error);
        string number = Regex.Match(added.Output, "[0-9A-Z]{4}(-[0-9A-Z]{4}){3}").Value;
        string[] shares = SharesIn(await OutputAsync("unlockers", "add", "trustees", "--needed", "2", "--of", "3", "--data", laptop));
        Assert.Equal(3, shares.Length);

        var byPhrase = await CloisterProgram.RunAsync(["login", "--passphrase", "--operator", $"{everything.Operator}", "--data", phone], $"{number}\n{Phrase}\n");
        Assert.True(byPhrase.ExitCode == 0, byPhrase.Error);
        var byShares = await CloisterProgram.RunAsync(["login", "--shares", "--operator", $"{everything.Operator}", "--data", tablet], $"{shares[0]}\n{shares[2]}\n");
        Assert.True(byShares.ExitCode == 0, byShares.Error);
        var wrong = await CloisterProgram.RunAsync(["login", "--passphrase", "--operator", $"{everything.Operator}", "--data", everything.NewData("thief")], $"{number}\nten otters under a bridge\n");
        Assert.Equal(1, wrong.ExitCode);

        Assert.Contains("“Two friends” from now on", await OutputAsync("unlockers", "rename", "Trustees", "Two friends", "--data", laptop), StringComparison.Ordinal);
        Assert.Matches("Trustees +Two friends ", await OutputAsync("unlockers", "--data", tablet));
        Assert.Equal(2, (await CloisterProgram.RunAsync(["unlockers", "rename", "Trustees", "Nobody", "--data", laptop])).ExitCode);

        var left = await CloisterProgram.RunAsync(["logout", "--data", phone]);
        Assert.True(left.ExitCode == 0, left.Error);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(phone, "account")));
        Assert.Equal(2, Regex.Count(await OutputAsync("devices", "--data", tablet), " Device ", RegexOptions.None));
    }

    [Fact]
    public async Task Shares_are_shown_before_anything_is_kept_of_them()
    {
        string laptop = everything.NewData("cut-off"), file = Path.Combine(laptop, "account", "account.json");
        await SignUpAsync(laptop);
        string kept = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, kept.Replace($"{everything.Operator}", "http://127.0.0.1:1/", StringComparison.Ordinal));
        var cutOff = await CloisterProgram.RunAsync(["unlockers", "add", "trustees", "--needed", "2", "--of", "3", "--data", laptop]);
        Assert.Equal(3, cutOff.ExitCode);
        Assert.Equal(3, SharesIn(cutOff.Output).Length);
        Assert.DoesNotContain("From now on", cutOff.Output, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, kept);
        Assert.DoesNotContain("Trustees", await OutputAsync("unlockers", "--data", laptop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_question_can_be_left_with_Ctrl_C()
    {
        await using var asking = Dialogue.Start("recover", "--operator", $"{everything.Operator}", "--data", everything.NewData("asked"));
        await asking.HearAsync("The twelve recovery words:");
        Assert.Equal(130, await asking.InterruptAsync());
    }

    [Fact]
    public async Task Where_nobody_logged_in_there_is_nothing_to_forget() =>
        Assert.Contains("nothing to forget", await OutputAsync("logout", "--here", "--data", everything.NewData("nobody")), StringComparison.Ordinal);

    [Fact]
    public async Task Nobody_signs_in_over_the_network_in_the_clear()
    {
        var refused = await CloisterProgram.RunAsync(["login", "--words", "--operator", "http://operator.test/", "--data", everything.NewData("clear")], "x\n");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("https", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_asked_is_there_after_the_program_was_killed()
    {
        string laptop = everything.NewData("killed");
        await SignUpAsync(laptop);
        await using (var chatting = Dialogue.Start("chat", "What is an enclave, at length?", "--operator", $"{everything.Operator}", "--policy", everything.Policy, "--data", laptop))
        {
            chatting.EndInput();
            await chatting.AnswerAsync();
            chatting.Kill();
        }
        Assert.Contains("What is an enclave, at length?", await OutputAsync("history", "--data", laptop), StringComparison.Ordinal);
        Assert.Equal(0, (await ChatAsync(laptop, "Go on", "--continue")).ExitCode);
    }

    [Fact]
    public async Task An_export_is_imported_once_however_often_it_is_tried()
    {
        string laptop = everything.NewData("exporting"), other = everything.NewData("importing"), file = Path.Combine(everything.Data, "backup.jsonl");
        await SignUpAsync(laptop);
        await ChatAsync(laptop, "What is an enclave?");
        await ChatAsync(laptop, "Who checks it?", "--continue");
        await OutputAsync("history", "export", file, "--data", laptop);
        Assert.Equal([file], Directory.EnumerateFiles(everything.Data, "backup.jsonl*"));
        Assert.Equal(2, (await CloisterProgram.RunAsync(["history", "export", file, "--data", laptop])).ExitCode);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        await SignUpAsync(other);
        for (int time = 0; time < 2; time++)
        {
            Assert.Contains("4 messages", await OutputAsync("history", "import", file, "--data", other), StringComparison.Ordinal);
            string list = await OutputAsync("history", "--data", other);
            Assert.Single(list.Trim().Split('\n'));
            Assert.Equal(await ShownAsync(laptop), await ShownAsync(other));
        }

        async Task<string> ShownAsync(string data) => await OutputAsync("history", "show", (await OutputAsync("history", "--data", data))[..8], "--data", data);
    }

    [Theory]
    [InlineData("chatgpt", """[{"title":"Otters","create_time":1700000000.5,"id":"c","current_node":"b","mapping":{"r":{"id":"r","parent":null,"children":["a"],"message":null},"a":{"id":"a","parent":"r","children":["b"],"message":{"id":"a","author":{"role":"user"},"create_time":1700000000.5,"content":{"content_type":"text","parts":["Where do otters sleep?"]}}},"b":{"id":"b","parent":"a","children":[],"message":{"id":"b","author":{"role":"assistant"},"create_time":1700000001.5,"content":{"content_type":"text","parts":["Wrapped in kelp."]}}}}}]""")]
    [InlineData("claude", """[{"uuid":"u","name":"Otters","created_at":"2024-03-01T10:00:00Z","chat_messages":[{"uuid":"m","sender":"human","created_at":"2024-03-01T10:00:00Z","text":"Where do otters sleep?","content":[{"type":"text","text":"Where do otters sleep?"}]},{"uuid":"n","sender":"assistant","created_at":"2024-03-01T10:00:05Z","text":"Wrapped in kelp.","content":[{"type":"text","text":"Wrapped in kelp."}]}]}]""")]
    public async Task What_others_exported_is_read_and_found_by_its_words(string service, string content)
    {
        string laptop = everything.NewData(service), file = Path.Combine(everything.Data, $"{service}.json");
        await File.WriteAllTextAsync(file, content);
        await SignUpAsync(laptop);
        await OutputAsync("history", "import", file, "--data", laptop);
        await OutputAsync("history", "import", file, "--data", laptop);
        string found = await OutputAsync("history", "search", "kelp", "wrap", "--data", laptop);
        Assert.Contains("Otters", found, StringComparison.Ordinal);
        Assert.Contains("Wrapped in kelp.", found, StringComparison.Ordinal);
        Assert.Equal(1, (await CloisterProgram.RunAsync(["history", "search", "walrus", "--data", laptop])).ExitCode);
        string list = await OutputAsync("history", "--data", laptop);
        Assert.Single(list.Trim().Split('\n'));

        await OutputAsync("history", "delete", list[..8], "--yes", "--data", laptop);
        Assert.Equal("", await OutputAsync("history", "--data", laptop));
        Assert.Equal(1, (await CloisterProgram.RunAsync(["history", "search", "kelp", "--data", laptop])).ExitCode);
    }

    [Fact]
    public async Task A_zip_as_others_send_it_is_imported_and_one_that_was_made_to_harm_is_refused()
    {
        string laptop = everything.NewData("zipped"), file = Path.Combine(everything.Data, "export.zip"), bomb = Path.Combine(everything.Data, "bomb.zip");
        await SignUpAsync(laptop);
        Zip(file, ("users.json", "[]"), ("conversations.json", """[{"uuid":"u","name":"Otters","chat_messages":[{"uuid":"m","sender":"human","text":"Where do otters sleep?"}]}]"""));
        Zip(bomb, ("conversations.json", $"[{new string(' ', 10 << 20)}]"));
        var imported = await CloisterProgram.RunAsync(["history", "import", file, "--data", laptop]);
        Assert.Equal((0, "1 conversations, 1 messages, 0 others read."), (imported.ExitCode, imported.Output.Trim()));
        Assert.Contains("Not imported: users.json.", imported.Error, StringComparison.Ordinal);
        Assert.Contains("Otters", await OutputAsync("history", "--data", laptop), StringComparison.Ordinal);
        var refused = await CloisterProgram.RunAsync(["history", "import", bomb, "--data", laptop]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("zip bomb", refused.Error, StringComparison.Ordinal);

        static void Zip(string path, params (string Name, string Content)[] files)
        {
            using var zip = new System.IO.Compression.ZipArchive(File.Create(path), System.IO.Compression.ZipArchiveMode.Create);
            foreach (var (name, content) in files)
            {
                using var writer = new StreamWriter(zip.CreateEntry(name).Open());
                writer.Write(content);
            }
        }
    }

    private async Task<string> SignUpAsync(string data)
    {
        await using var made = Dialogue.Start("login", "--new", "--operator", $"{everything.Operator}", "--name", "laptop", "--data", data);
        await made.HearAsync("shown this once");
        string[] words = new string[12];
        for (int row = 0; row < 3; row++)
        {
            var line = await made.HearAsync("^ +([0-9]+) +([a-z]+) +([0-9]+) +([a-z]+) +([0-9]+) +([a-z]+) +([0-9]+) +([a-z]+) *\n");
            for (int column = 0; column < 4; column++)
            {
                words[int.Parse(line.Groups[1 + (2 * column)].Value, CultureInfo.InvariantCulture) - 1] = line.Groups[2 + (2 * column)].Value;
            }
        }
        for (int asked = 0; asked < 2; asked++)
        {
            var place = await made.HearAsync("Word ([0-9]+):");
            await made.SayAsync(words[int.Parse(place.Groups[1].Value, CultureInfo.InvariantCulture) - 1]);
        }
        Assert.True(await made.EndAsync() == 0, made.Said);
        return string.Join(' ', words);
    }

    private static string[] SharesIn(string output) => [.. output.Split('\n').Where(line => Regex.IsMatch(line, "^([0-9A-Z]{4}-){10,}"))];

    private Task<Outcome> ChatAsync(string data, string question, params string[] more) =>
        CloisterProgram.RunAsync(["chat", question, .. more, "--fast", "--operator", $"{everything.Operator}", "--policy", everything.Policy, "--data", data]);

    private static async Task<string> OutputAsync(params string[] arguments)
    {
        var outcome = await CloisterProgram.RunAsync(arguments);
        Assert.True(outcome.ExitCode == 0, $"cloister {string.Join(' ', arguments)}: {outcome.Output}{outcome.Error}");
        return outcome.Output;
    }
}
