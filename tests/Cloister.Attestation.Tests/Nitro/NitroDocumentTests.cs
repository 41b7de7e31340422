using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Attestation.Tests;

/// <summary>The envelope and the document within: what is read comes out as it went in, and nothing else is read.</summary>
public class NitroDocumentTests
{
    private static readonly NitroAuthority Aws = new(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void A_document_is_written_as_it_was_read(bool tagged, bool definite)
    {
        byte[] bytes = Aws.Document(new() { Tagged = tagged, Definite = definite, Nonce = [1, 2], PublicKey = new byte[1024] });
        Assert.True(NitroDocument.TryParse(bytes, out var document, out var error), $"{error}");
        (byte[], byte[])[] members =
        [
            (TestCbor.Text("module_id"), TestCbor.Text(document.ModuleId)),
            (TestCbor.Text("digest"), TestCbor.Text("SHA384")),
            (TestCbor.Text("timestamp"), TestCbor.Head(0, (ulong)document.Timestamp.ToUnixTimeMilliseconds())),
            (TestCbor.Text("pcrs"), TestCbor.Map([.. document.Pcrs.Select(one => (TestCbor.Head(0, (ulong)one.Key), TestCbor.Bytes(one.Value.ToArray())))])),
            (TestCbor.Text("certificate"), TestCbor.Bytes(document.Certificate.ToArray())),
            (TestCbor.Text("cabundle"), TestCbor.Array([.. document.CaBundle.Select(der => TestCbor.Bytes(der.ToArray()))])),
            (TestCbor.Text("public_key"), TestCbor.BytesOrNull(document.PublicKey?.ToArray())),
            (TestCbor.Text("user_data"), TestCbor.BytesOrNull(document.UserData?.ToArray())),
            (TestCbor.Text("nonce"), TestCbor.BytesOrNull(document.Nonce?.ToArray())),
        ];
        byte[] payload = definite ? TestCbor.Map(members) : TestCbor.IndefiniteMap(members);
        Assert.Equal(payload, document.Payload.ToArray());
        Assert.Equal(bytes[(tagged ? 1 : 0)..], TestCbor.Array(TestCbor.Bytes([0xa1, 0x01, 0x38, 0x22]), TestCbor.Map(), TestCbor.Bytes(payload), TestCbor.Bytes(document.Signature.ToArray())));
    }

    [Fact]
    public void Members_may_come_in_another_order_and_the_optional_ones_not_at_all()
    {
        byte[] bytes = Aws.Document(new() { Members = members => { members.RemoveRange(6, 3); members.Reverse(); } });
        Assert.True(NitroDocument.TryParse(bytes, out var document, out _));
        Assert.Null(document.UserData);
        Assert.Null(document.Nonce);
        Assert.Null(document.PublicKey);
    }

    public static TheoryData<string, Action<List<(string Name, byte[] Value)>>> SpoiledMembers => new()
    {
        { "twice", members => members.Add(members[0]) },
        { "an optional one twice", members => members.Add(members[8]) },
        { "unknown", members => members.Add(("extra", [0xf6])) },
        { "unknown in the place of a known one", members => members[8] = ("Nonce", [0xf6]) },
        { "no digest", members => members.RemoveAt(1) },
        { "no timestamp", members => members.RemoveAt(2) },
        { "no registers", members => members.RemoveAt(3) },
        { "no certificate", members => members.RemoveAt(4) },
        { "no bundle", members => members.RemoveAt(5) },
        { "null where something must be", members => Set(members, "digest", [0xf6]) },
        { "a name too long", members => Set(members, "module_id", TestCbor.Text(new string('i', 65))) },
        { "a name that is no text", members => Set(members, "module_id", [0x62, 0xc3, 0x28]) },
        { "a name as bytes", members => Set(members, "module_id", TestCbor.Bytes([1])) },
        { "another digest", members => Set(members, "digest", TestCbor.Text("SHA256")) },
        { "time zero", members => Set(members, "timestamp", [0]) },
        { "time before the epoch", members => Set(members, "timestamp", [0x20]) },
        { "time beyond all dates", members => Set(members, "timestamp", TestCbor.Head(0, 253402300800000)) },
        { "time as a fraction", members => Set(members, "timestamp", [0xfb, 0x42, 0x70, 0, 0, 0, 0, 0, 0]) },
        { "no register", members => Set(members, "pcrs", TestCbor.Map()) },
        { "a register of 32 bytes", members => Set(members, "pcrs", Pcrs((0, 32))) },
        { "a register of 64 bytes", members => Set(members, "pcrs", Pcrs((0, 64))) },
        { "register 32", members => Set(members, "pcrs", Pcrs((32, 48))) },
        { "a register twice", members => Set(members, "pcrs", Pcrs((3, 48), (3, 48))) },
        { "33 registers", members => Set(members, "pcrs", Pcrs([.. Enumerable.Range(0, 33).Select(index => ((ulong)index, 48))])) },
        { "registers without a length", members => Set(members, "pcrs", [0xbf, .. Pcrs((0, 48))[1..], 0xff]) },
        { "an empty certificate", members => Set(members, "certificate", [0x40]) },
        { "a certificate too long", members => Set(members, "certificate", TestCbor.Bytes(new byte[1025])) },
        { "an empty bundle", members => Set(members, "cabundle", [0x80]) },
        { "a bundle too long", members => Set(members, "cabundle", TestCbor.Array([.. Enumerable.Repeat(TestCbor.Bytes([1]), 9)])) },
        { "a bundle without a length", members => Set(members, "cabundle", [0x9f, 0x41, 1, 0xff]) },
        { "a bundle of text", members => Set(members, "cabundle", TestCbor.Array(TestCbor.Text("1"))) },
        { "user data too long", members => Set(members, "user_data", TestCbor.Bytes(new byte[1025])) },
        { "user data in pieces", members => Set(members, "user_data", [0x5f, 0x41, 1, 0xff]) },
        { "user data undefined", members => Set(members, "user_data", [0xf7]) },
        { "a tag", members => Set(members, "nonce", [0xc1, 0x41, 1]) },
    };

    [Theory, MemberData(nameof(SpoiledMembers))]
    public void A_member_that_is_not_within_the_specification_is_refused(string what, Action<List<(string Name, byte[] Value)>> spoil)
    {
        foreach (bool definite in (bool[])[false, true])
        {
            Assert.False(NitroDocument.TryParse(Aws.Document(new() { Definite = definite, Members = spoil }), out _, out var error), what);
            Assert.False(error.Fault is WireFault.None || NitroDocument.IsOfEnvelope(error.Field), what);
        }
    }

    public static TheoryData<string, Func<byte[], byte[]>> SpoiledPayloads => new()
    {
        { "nothing", _ => [] },
        { "no map", _ => [0x80] },
        { "no break", payload => payload[..^1] },
        { "something behind it", payload => [.. payload, 0] },
        { "a second break", payload => [.. payload, 0xff] },
        { "a break in the place of a value", payload => [.. payload[..^2], 0xff] },
    };

    [Theory, MemberData(nameof(SpoiledPayloads))]
    public void A_document_that_does_not_end_where_it_should_is_refused(string what, Func<byte[], byte[]> spoil) =>
        Assert.False(NitroDocument.TryParse(Aws.Document(new() { Payload = spoil }), out _, out _), what);

    [Fact]
    public void An_envelope_that_is_otherwise_is_refused()
    {
        byte[] good = Aws.Document();
        byte[] header = TestCbor.Bytes([0xa1, 0x01, 0x38, 0x22]), payload = TestCbor.Bytes([1]), signature = TestCbor.Bytes(new byte[96]);
        byte[][] bad =
        [
            [0xd2, 0xd2, .. good],
            [0xd1, .. good],
            [0xd8, 18, .. good],
            [0x9f, .. good[1..], 0xff],
            [0x98, 4, .. good[1..]],
            TestCbor.Array(header, TestCbor.Map(), payload),
            TestCbor.Array(header, TestCbor.Map(), payload, signature, signature),
            TestCbor.Array(header, TestCbor.Map((header, header)), payload, signature),
            TestCbor.Array(header, [0xbf, 0xff], payload, signature),
            TestCbor.Array(header, TestCbor.Map(), [0xf6], signature),
            TestCbor.Array(header, TestCbor.Map(), payload, TestCbor.Bytes(new byte[64])),
            TestCbor.Array(header, TestCbor.Map(), payload, TestCbor.Bytes(new byte[97])),
            TestCbor.Array(header, TestCbor.Map(), TestCbor.Bytes(new byte[16385]), signature),
        ];
        Assert.All(bad, bytes =>
        {
            Assert.False(NitroDocument.TryParse(bytes, out _, out var error));
            Assert.True(NitroDocument.IsOfEnvelope(error.Field), $"{error}");
        });
    }

    [Fact]
    public void It_is_cut_off_nowhere_without_notice()
    {
        byte[] good = Aws.Document();
        for (int length = 0; length < good.Length; length++)
        {
            Assert.False(NitroDocument.TryParse(good.AsSpan(0, length), out _, out var error));
            Assert.NotEqual(WireFault.None, error.Fault);
        }
    }

    [Fact]
    public void The_longest_document_fits()
    {
        byte[] longest = Aws.Document(new() { Payload = payload => new byte[16384], Tagged = true });
        Assert.True(longest.Length <= NitroDocument.MaxSize);
    }

    private static byte[] Pcrs(params (ulong Index, int Size)[] registers) => TestCbor.Map([.. registers.Select(one => (TestCbor.Head(0, one.Index), TestCbor.Bytes(new byte[one.Size])))]);

    private static void Set(List<(string Name, byte[] Value)> members, string name, byte[] value) => members[members.FindIndex(member => member.Name == name)] = (name, value);
}
