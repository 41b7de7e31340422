using System.Text;

namespace Cloister.Vault.Search;

/// <summary>Letters as a search takes them: without case, accents and widths. The same on every device, whatever libraries it has.</summary>
internal static class Folding
{
    // By Unicode's decompositions, marks left out, and what people type where a letter has none: from lower case.
    private static readonly (string Plain, string Letters)[] Alike =
    [
        ("a", "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ"),
        ("b", "ƀḃḅḇ"),
        ("c", "çćĉċčḉ"),
        ("d", "ðďđḋḍḏḑḓ"),
        ("e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
        ("f", "ḟ"),
        ("g", "ĝğġģǧǵḡ"),
        ("h", "ĥħȟḣḥḧḩḫẖ"),
        ("i", "ìíîïĩīĭįİıǐȉȋḭḯỉị"),
        ("j", "ĵǰ"),
        ("k", "ķǩḱḳḵ"),
        ("l", "ĺļľłḷḹḻḽ"),
        ("m", "ḿṁṃ"),
        ("n", "ñńņňǹṅṇṉṋ"),
        ("o", "òóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
        ("p", "ṕṗ"),
        ("r", "ŕŗřȑȓṙṛṝṟ"),
        ("s", "śŝşšſșṡṣṥṧṩẛ"),
        ("t", "ţťŧțṫṭṯṱẗ"),
        ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
        ("v", "ṽṿ"),
        ("w", "ŵẁẃẅẇẉẘ"),
        ("x", "ẋẍ"),
        ("y", "ýÿŷȳẏẙỳỵỷỹ"),
        ("z", "źżžƶẑẓẕ"),
        ("ʒ", "ǯ"),
        ("α", "άἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ"),
        ("β", "ϐ"),
        ("ε", "έϵἐἑἒἓἔἕὲέ"),
        ("η", "ήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ"),
        ("θ", "ϑ"),
        ("ι", "ΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ"),
        ("κ", "ϰ"),
        ("ο", "όὀὁὂὃὄὅὸό"),
        ("π", "ϖ"),
        ("ρ", "ϱῤῥ"),
        ("σ", "ς"),
        ("υ", "ΰϋύϒϓϔὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ"),
        ("φ", "ϕ"),
        ("ω", "ώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ"),
        ("а", "ӑӓ"),
        ("г", "ѓ"),
        ("е", "ѐёӗ"),
        ("ж", "ӂӝ"),
        ("з", "ӟ"),
        ("и", "йѝӣӥ"),
        ("к", "ќ"),
        ("о", "ӧ"),
        ("у", "ўӯӱӳ"),
        ("ч", "ӵ"),
        ("ы", "ӹ"),
        ("э", "ӭ"),
        ("і", "ї"),
        ("ѵ", "ѷ"),
        ("ә", "ӛ"),
        ("ө", "ӫ"),
        ("ae", "æǣǽ"),
        ("dz", "ǆǳ"),
        ("ij", "ĳ"),
        ("lj", "ǉ"),
        ("nj", "ǌ"),
        ("oe", "œ"),
        ("ss", "ß"),
        ("th", "þ"),
    ];

    private static readonly string?[] Plain = Table();

    /// <summary>Appends a character in its plain form. What only marks another one (accents, points, joiners) adds nothing.</summary>
    public static void Append(StringBuilder text, Rune rune)
    {
        int value = Rune.ToLowerInvariant(rune).Value;
        value = value is >= 0xFF01 and <= 0xFF5E ? Rune.ToLowerInvariant(new Rune(value - 0xFEE0)).Value : value;
        if (IsMark(value))
        {
            return;
        }
        if (value < Plain.Length && Plain[value] is { } plain)
        {
            text.Append(plain);
            return;
        }
        text.Append(new Rune(value).ToString());
    }

    /// <summary>Combining accents, Hebrew and Arabic points, soft hyphens and joiners.</summary>
    public static bool IsMark(int value) => value is (>= 0x300 and <= 0x36F) or (>= 0x591 and <= 0x5C7) or (>= 0x64B and <= 0x65F) or 0x670 or 0xAD or (>= 0x200B and <= 0x200D) or 0x2060 or 0xFEFF;

    private static string?[] Table()
    {
        var table = new string?[0x2000];
        foreach (var (plain, letters) in Alike)
        {
            foreach (char letter in letters)
            {
                table[letter] = plain;
            }
        }
        return table;
    }
}
