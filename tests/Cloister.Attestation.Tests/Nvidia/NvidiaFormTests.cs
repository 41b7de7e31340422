using System.Text;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>What NVIDIA's formats may look like, and what is refused.</summary>
public class NvidiaFormTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NvidiaAuthority Nvidia = new(Now);
    private static readonly byte[] Report = Nvidia.Report(Nvidia.Gpu).Report.ToArray();
    private static readonly string Manifest = Encoding.ASCII.GetString(Nvidia.Manifest());
    private static readonly byte[] Answer = Nvidia.Answer(Nvidia.Provisioner, new NvidiaAnswer { Signer = Nvidia.Responder(Nvidia.Identity) });

    [Fact]
    public void A_report_is_its_parts_and_nothing_else()
    {
        Assert.True(NvidiaReport.TryParse(Report, out var report, out _));
        int record = 37 + 8;
        byte[] again =
        [
            0x11, 0xe0, 1, 0xff, .. report.RequestNonce.Span, 0, 0x11, 0x60, 0, 0, (byte)report.Measurements.Length, 0xc0, 0x0d, 0,
            .. report.Measurements.SelectMany((value, i) => (byte[])[(byte)(i + 1), 1, 51, 0, 1, 48, 0, .. value.Span]),
            .. report.ResponseNonce.Span, .. Report[(record + 3520 + 32)..^96], .. report.Signature.Span,
        ];
        Assert.Equal(Report, again);
        Assert.Equal(Report[..^96], report.Signed.ToArray());
    }

    [Theory]
    [InlineData(0, 0x12, WireFault.WrongValue)]     // version
    [InlineData(1, 0xe1, WireFault.WrongValue)]     // code
    [InlineData(2, 0, WireFault.WrongValue)]        // not signed
    [InlineData(3, 1, WireFault.WrongValue)]        // not all of them
    [InlineData(36, 8, WireFault.WrongValue)]       // slot
    [InlineData(37, 0x10, WireFault.WrongValue)]
    [InlineData(38, 0x61, WireFault.WrongValue)]
    [InlineData(39, 1, WireFault.WrongValue)]
    [InlineData(40, 1, WireFault.WrongValue)]
    [InlineData(41, 63, WireFault.TrailingBytes)]   // a block that nobody announced
    [InlineData(41, 65, WireFault.Truncated)]
    [InlineData(41, 0, WireFault.WrongValue)]
    [InlineData(41, 255, WireFault.WrongValue)]
    [InlineData(44, 1, WireFault.Truncated)]        // a record that is longer than the report
    [InlineData(45, 2, WireFault.WrongValue)]       // block 1 says that it is block 2
    [InlineData(46, 2, WireFault.WrongValue)]       // not DMTF's
    [InlineData(47, 52, WireFault.WrongValue)]
    [InlineData(49, 0x81, WireFault.WrongValue)]    // no digest
    [InlineData(49, 5, WireFault.WrongValue)]
    [InlineData(50, 47, WireFault.WrongValue)]
    [InlineData(100, 1, WireFault.WrongValue)]      // block 2 says that it is block 1
    public void A_report_with_one_byte_out_of_place_is_refused(int offset, byte value, WireFault fault)
    {
        byte[] spoiled = [.. Report];
        spoiled[offset] = value;
        Assert.False(NvidiaReport.TryParse(spoiled, out _, out var error));
        Assert.Equal(fault, error.Fault);
    }

    [Fact]
    public void A_report_of_another_length_is_refused()
    {
        Assert.False(NvidiaReport.TryParse(Report.AsMemory(1), out _, out _));
        Assert.False(NvidiaReport.TryParse(Report.AsMemory(0, Report.Length - 1), out _, out _));
        Assert.False(NvidiaReport.TryParse((byte[])[.. Report, 0], out _, out var error));
        Assert.Equal(WireFault.TrailingBytes, error.Fault);
        Assert.False(NvidiaReport.TryParse(new byte[NvidiaReport.MaxSize + 1], out _, out error));
        Assert.Equal(WireFault.TooLong, error.Fault);
        Assert.False(NvidiaReport.TryParse(Nvidia.Report(Nvidia.Gpu, new NvidiaParts { AfterFields = [3, 0, 0, 0] }).Report, out _, out _));
        Assert.False(NvidiaReport.TryParse(Nvidia.Report(Nvidia.Gpu, new NvidiaParts { AfterFields = [90, 0, 1, 0] }).Report, out _, out _));
        Assert.True(NvidiaReport.TryParse(Nvidia.Report(Nvidia.Gpu, new NvidiaParts { AfterFields = [90, 0, 1, 0, 5] }).Report, out _, out _));
    }

    /// <summary>The canonical form is written by hand on the other side.</summary>
    [Fact]
    public void A_manifest_is_brought_into_canonical_form()
    {
        Assert.True(XmlSubset.TryParse(Encoding.ASCII.GetBytes(Manifest), out var root));
        string canonical = Encoding.ASCII.GetString(XmlCanonical.Write(root, root.Children()[^1]));
        Assert.Equal(NvidiaAuthority.CanonicalManifest(), canonical);
        Assert.True(XmlSubset.TryParse(Encoding.ASCII.GetBytes(canonical), out var again));
        Assert.Equal(canonical, Encoding.ASCII.GetString(XmlCanonical.Write(again)));
    }

    // Canonical XML 1.1, sections 2.2 and 2.3; the last two are about the apex of a part.
    [Theory]
    [InlineData("<a/>", "<a></a>")]
    [InlineData("<a  b = '1'/>", null)]
    [InlineData("<a b='1' a=\"2\"\n/>", "<a a=\"2\" b=\"1\"></a>")]
    [InlineData("<a xmlns:y=\"u:1\" xmlns:x='u:2' y:b=\"1\" x:b=\"2\" b=\"3\"/>", "<a xmlns:x=\"u:2\" xmlns:y=\"u:1\" b=\"3\" y:b=\"1\" x:b=\"2\"></a>")]
    [InlineData("<a xmlns=\"u:1\"><b xmlns=\"u:1\"/><c xmlns=\"u:2\"/></a>", "<a xmlns=\"u:1\"><b></b><c xmlns=\"u:2\"></c></a>")]
    [InlineData("<x:a xmlns:x=\"u:1\"><x:b xmlns:x=\"u:2\"><x:c xmlns:x=\"u:1\"/></x:b></x:a>", "<x:a xmlns:x=\"u:1\"><x:b xmlns:x=\"u:2\"><x:c xmlns:x=\"u:1\"></x:c></x:b></x:a>")]
    [InlineData("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a> t\n</a >\n ", "<a> t\n</a>")]
    [InlineData("<?xml version=\"1.1\"?><a/>", null)]
    [InlineData("<a b=\"1\" b=\"2\"/>", null)]
    [InlineData("<a xmlns:x=\"u:1\" xmlns:y=\"u:1\" x:b=\"1\" y:b=\"2\"/>", null)]
    [InlineData("<a xmlns:x=\"u:1\" xmlns:x=\"u:1\"/>", null)]
    [InlineData("<x:a/>", null)]
    [InlineData("<a x:b=\"1\"/>", null)]
    [InlineData("<a xml:space=\"preserve\"/>", null)]
    [InlineData("<a xmlns=\"\"/>", null)]
    [InlineData("<a xmlns:xml=\"u:1\"/>", null)]
    [InlineData("<a xmlns:x=\"http://www.w3.org/2000/xmlns/\"/>", null)]
    [InlineData("<a>&amp;</a>", null)]
    [InlineData("<a b=\"&#65;\"/>", null)]
    [InlineData("<a b=\"<\"/>", null)]
    [InlineData("<a b='\"'/>", null)]
    [InlineData("<a b=\"1\n2\"/>", null)]
    [InlineData("<a>></a>", null)]
    [InlineData("<a>\r\n</a>", null)]
    [InlineData("<a>ä</a>", null)]
    [InlineData("<a><!-- --></a>", null)]
    [InlineData("<a><![CDATA[]]></a>", null)]
    [InlineData("<a><?b?></a>", null)]
    [InlineData("<!DOCTYPE a><a/>", null)]
    [InlineData("<a/><b/>", null)]
    [InlineData("<a></b>", null)]
    [InlineData("<a>", null)]
    [InlineData("<a/>x", null)]
    [InlineData("<a b=1/>", null)]
    [InlineData("<a b=\"1\"c=\"2\"/>", null)]
    [InlineData("< a/>", null)]
    [InlineData("<1/>", null)]
    [InlineData("", null)]
    public void Only_what_has_one_meaning_is_read(string document, string? canonical)
    {
        Assert.Equal(canonical is not null, XmlSubset.TryParse(Encoding.UTF8.GetBytes(document), out var root));
        Assert.True(canonical is null || Encoding.ASCII.GetString(XmlCanonical.Write(root!)) == canonical);
    }

    [Fact]
    public void A_document_has_bounds()
    {
        static bool Reads(string document) => XmlSubset.TryParse(Encoding.ASCII.GetBytes(document), out _);
        Assert.True(Reads(string.Concat(Enumerable.Repeat("<a>", 12)) + string.Concat(Enumerable.Repeat("</a>", 12))));
        Assert.False(Reads(string.Concat(Enumerable.Repeat("<a>", 13)) + string.Concat(Enumerable.Repeat("</a>", 13))));
        Assert.False(Reads($"<a>{string.Concat(Enumerable.Repeat("<b/>", 2048))}</a>"));
        Assert.False(Reads($"<a {string.Join(' ', Enumerable.Range(0, 129).Select(i => $"b{i}=\"\""))}/>"));
        Assert.False(Reads($"<{new string('a', 65)}/>"));
        Assert.False(Reads($"<a>{new string(' ', XmlSubset.MaxSize)}</a>"));
    }

    [Theory]
    [InlineData("xml-c14n11\"/><ds:SignatureMethod", "xml-c14n11#x\"/><ds:SignatureMethod")]
    [InlineData("#ecdsa-sha384", "#ecdsa-sha256")]
    [InlineData("URI=\"\"", "URI=\"#a\"")]
    [InlineData("#enveloped-signature\"/>", "#enveloped-signature\">//a</ds:Transform>")]
    [InlineData("<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>", "")]
    [InlineData("</ds:Transforms>", "<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/></ds:Transforms>")]
    [InlineData("xmldsig-more#sha384", "xmlenc#sha256")]
    [InlineData("</ds:Reference>", "</ds:Reference><ds:Reference/>")]
    [InlineData("</ds:SignatureValue>", "=</ds:SignatureValue>")]
    [InlineData("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>a</ds:KeyName>")]
    [InlineData("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object>a</ds:Object>")]
    [InlineData("<ds:Signature xmlns", "<ds:Signature Id=\"a\" xmlns")]
    [InlineData("<ds:Signature xmlns", "<ns0:Link/><ds:Signature xmlns")]
    [InlineData("</ds:Signature>", "</ds:Signature><ns0:Payload/>")]
    [InlineData("</ds:Signature>", "</ds:Signature>x")]
    [InlineData("xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "xmlns:ds=\"u:other\"")]
    [InlineData("<ns0:Entity", "<ns0:Meta")]
    [InlineData("xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\"", "xmlns=\"http://standards.iso.org/iso/19770/-2/2008/schema.xsd\"")]
    [InlineData(" tagId=\"", " tagIdentity=\"")]
    [InlineData("product=\"GH100\"", "product=\"\"")]
    [InlineData("colloquialVersion=", "colloquial=")]
    [InlineData("type=\"Measurement\" index=\"0\"", "type=\"MinSvn\" index=\"0\"")]
    [InlineData("index=\"1\" active", "index=\"0\" active")]
    [InlineData("index=\"1\" active", "index=\"01\" active")]
    [InlineData("index=\"1\" active", "index=\"254\" active")]
    [InlineData("active=\"False\"", "active=\"false\"")]
    [InlineData("alternatives=\"1\"", "alternatives=\"2\"")]
    [InlineData("alternatives=\"1\"", "alternatives=\"0\"")]
    [InlineData("alternatives=\"12\"", "alternatives=\"11\"")]
    [InlineData("size=\"48\"", "size=\"32\"")]
    [InlineData("ns2:Hash0=\"0", "ns2:Hash0=\"")]
    [InlineData("ns2:Hash0=\"0", "ns2:Hash0=\"A")]
    [InlineData("ns2:Hash0=\"", "Hash0=\"")]
    public void A_manifest_in_another_form_is_refused(string old, string by)
    {
        Assert.True(ReferenceManifest.TryParse(Encoding.ASCII.GetBytes(Manifest), out _));
        Assert.False(ReferenceManifest.TryParse(Encoding.ASCII.GetBytes(NvidiaVerificationTests.Replace(Manifest, old, by)), out _));
    }

    [Fact]
    public void An_answer_is_read_to_its_last_byte()
    {
        Assert.True(OcspResponse.TryParse(Answer, out var response));
        Assert.Equal(Now - TimeSpan.FromHours(1), response.ProducedAt);
        Assert.Equal(OcspStatus.Good, Assert.Single(response.Answers).Status);
        Assert.False(OcspResponse.TryParse((byte[])[.. Answer, 0], out _));
        Assert.False(OcspResponse.TryParse(Answer.AsMemory(0, Answer.Length - 1), out _));
        Assert.False(OcspResponse.TryParse(new byte[OcspResponse.MaxSize + 1], out _));
        byte[] unsuccessful = [.. Answer];
        unsuccessful[6] = 3;
        Assert.False(OcspResponse.TryParse(unsuccessful, out _));
        Assert.False(OcspResponse.TryParse((byte[])[0x30, 3, 0x0a, 1, 6], out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void No_byte_of_an_answer_can_be_changed(byte bit)
    {
        var (policy, collateral, evidence) = (Nvidia.Policy() with { Revocation = NvidiaRevocation.Devices }, Nvidia.Collateral(), Nvidia.Evidence());
        for (int i = 0; i < Answer.Length; i += 9)
        {
            byte[] spoiled = [.. Answer];
            spoiled[i] ^= bit;
            var result = NvidiaVerification.Verify(evidence, collateral with { OcspResponses = collateral.OcspResponses.SetItem(1, spoiled) }, policy, NvidiaAuthority.Nonce, Now);
            Assert.Equal($"{i}: DeviceRevocationKnown", $"{i}: {NvidiaVerificationTests.Failed(result)}");
        }
    }

    [Theory]
    [InlineData("""[{"evidence":"AAAA","certificate":"QQ==","arch":"HOPPER","nonce":"00"}]""", true)]
    [InlineData("[]", true)]
    [InlineData("""[{"evidence":"AAA","certificate":"QQ=="}]""", false)]
    [InlineData("""[{"evidence":"AAAA"}]""", false)]
    [InlineData("""[{"evidence":"AAAA","certificate":null}]""", false)]
    [InlineData("""[{"evidence":"AAAA","evidence":"AAAA","certificate":"QQ=="}]""", false)]
    [InlineData("[null]", false)]
    [InlineData("null", false)]
    [InlineData("{}", false)]
    [InlineData("", false)]
    public void What_the_collector_writes_is_read(string json, bool reads) => Assert.Equal(reads, NvidiaDeviceEvidence.TryParseJson(Encoding.UTF8.GetBytes(json), out _));
}
