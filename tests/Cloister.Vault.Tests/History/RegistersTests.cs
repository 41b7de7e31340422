using System.Text.Json.Nodes;
using Cloister.Vault.History;
using CsCheck;

namespace Cloister.Vault.Tests.History;

public class RegistersTests
{
    private static readonly Gen<RegisterField> Fields = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[1, 2], Gen.Int[0, 2]).Select((value, time, device, unknown) =>
        new RegisterField(Samples.Json($"{value}"), Samples.At(time, device)) { Unknown = unknown == 0 ? new Registers("", "").Unknown : Members(("u", $"{unknown}")) });

    // Few names and few times, so that ties and their like come often.
    internal static readonly Gen<ItemContent?> Contents = Gen.Frequency(
        (1, Gen.Const((ItemContent?)null)),
        (2, Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2]).Select((text, time) => (ItemContent?)Samples.Say(1, null, Samples.At(time), $"{text}"))),
        (8, Gen.Select(Gen.Int[0, 1], Fields.Array[3], Gen.Int[0, 7], Gen.Int[0, 2]).Select((subject, fields, which, unknown) => (ItemContent?)new Registers("memory", $"{subject}")
        {
            Fields = new Registers("", "").Fields.AddRange(fields.Select((field, at) => KeyValuePair.Create($"f{at}", field)).Where((_, at) => (which & 1 << at) != 0)),
            Unknown = unknown == 0 ? new Registers("", "").Unknown : Members(("x", $"{unknown}")),
        })));

    [Fact]
    public void Merging_is_commutative_associative_and_idempotent() => Gen.Select(Contents, Contents, Contents).Sample((a, b, c) =>
        Same(ItemContent.Merge(a, b), ItemContent.Merge(b, a))
        && Same(ItemContent.Merge(ItemContent.Merge(a, b), c), ItemContent.Merge(a, ItemContent.Merge(b, c)))
        && Same(ItemContent.Merge(a, a), a), iter: 20_000);

    [Fact]
    public void Of_a_field_the_later_clock_wins_and_fields_do_not_touch_each_other()
    {
        var start = new Registers("conversation", "s").With("title", "first", Samples.Now, Samples.Id(1));
        var one = start.With("title", "one", Samples.Now.AddSeconds(5), Samples.Id(1)).With("pinned", JsonValue.Create(true), Samples.Now, Samples.Id(1));
        var other = start.With("title", "other", Samples.Now.AddSeconds(9), Samples.Id(2)).With("folder", "f", Samples.Now, Samples.Id(2));
        var merged = one.Merge(other);
        Assert.Equal(("other", "f", true), (merged.Text("title"), merged.Text("folder"), merged.IsTrue("pinned")));
    }

    [Fact]
    public void A_change_outdoes_what_it_was_made_to_even_when_the_clock_goes_backwards()
    {
        var ahead = new Registers("settings", "").With("instructions", "wrong", Samples.Now.AddYears(30), Samples.Id(9));
        var mended = ahead.With("instructions", "right", Samples.Now, Samples.Id(1));
        Assert.Equal("right", ahead.Merge(mended).Text("instructions"));
    }

    [Fact]
    public void A_field_set_to_null_is_empty_and_stays_so()
    {
        var set = new Registers("settings", "").With("x", "1", Samples.Now, Samples.Id(1));
        var emptied = set.With("x", null, Samples.Now, Samples.Id(1));
        Assert.Null(emptied.Merge(set)["x"]);
    }

    [Fact]
    public void What_a_newer_program_wrote_is_kept()
    {
        var newer = Assert.IsType<Registers>(Samples.Parse("""{"kind":"conversation","subject":"s","fields":{"colour":{"value":"red","clock":"0193456789ab00003031323334353637","by":"me"}},"schema":2}"""));
        string text = newer.With("title", "t", Samples.Now, Samples.Id(1)).Merge(new("conversation", "s")).Text();
        Assert.Contains("\"by\":\"me\"", text, StringComparison.Ordinal);
        Assert.Contains("\"schema\":2", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Registers_of_another_subject_do_not_merge() => Assert.Throws<ArgumentException>(() => new Registers("memory", "a").Merge(new("memory", "b")));

    [Fact]
    public void A_value_that_could_not_be_read_back_is_not_taken()
    {
        JsonNode deep = new JsonArray();
        for (int i = 0; i < 40; i++)
        {
            deep = new JsonArray(deep);
        }
        Assert.ThrowsAny<Exception>(() => new Registers("settings", "").With("x", deep, Samples.Now, default));
    }

    internal static bool Same(ItemContent? a, ItemContent? b) => a?.Text() == b?.Text();

    private static System.Collections.Immutable.ImmutableSortedDictionary<string, System.Text.Json.JsonElement> Members(params (string Name, string Json)[] members) =>
        new Registers("", "").Unknown.AddRange(members.Select(member => KeyValuePair.Create(member.Name, Samples.Json(member.Json))));
}
