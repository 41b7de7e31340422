using Cloister.Attestation;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>What AWS's hypervisor signs, and the encoding under it.</summary>
internal static class NitroTargets
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    // Made when first used: see Targets.
    private static readonly Lazy<NitroPolicy> Policy = new(() => new NitroPolicy { Roots = [NitroRoot.Aws], Builds = [], ImageSigners = [], MaximumAge = TimeSpan.FromHours(1), UserData = new byte[64] });

    public static void Document(ReadOnlySpan<byte> input)
    {
        bool read = NitroDocument.TryParse(input, out var document, out var error);
        Targets.Require(read == error.Fault is WireFault.None && read == document is not null);
        if (document is not null)
        {
            byte[] envelope = TestCbor.Array(TestCbor.Bytes([0xa1, 0x01, 0x38, 0x22]), TestCbor.Map(), TestCbor.Bytes(document.Payload.ToArray()), TestCbor.Bytes(document.Signature.ToArray()));
            Targets.Require(input.EndsWith(envelope) && input.Length - envelope.Length is 0 or 1 && input.Length <= NitroDocument.MaxSize);
            Targets.Require(document.Pcrs.Count is > 0 and <= 32 && document.CaBundle.Length is > 0 and <= NitroDocument.MaxCaBundle);
        }
        Targets.Require(!NitroVerification.Verify(input.ToArray(), Policy.Value, Now).IsAccepted);
    }

    // Whatever is read has one encoding: written again it is what was read.
    public static void Cbor(ReadOnlySpan<byte> input)
    {
        const int max = 1 << 16;
        var number = new CborReader(input);
        ulong value = number.ReadUnsigned("item");
        Same(number, TestCbor.Head(0, value), input);
        var negative = new CborReader(input);
        long below = negative.ReadNegative("item");
        Same(negative, negative.Failed ? [] : TestCbor.Negative(below), input);
        var bytes = new CborReader(input);
        byte[] content = bytes.ReadBytes("item", max).ToArray();
        Same(bytes, TestCbor.Bytes(content), input);
        var text = new CborReader(input);
        byte[] utf8 = text.ReadText("item", max).ToArray();
        Same(text, [.. TestCbor.Head(3, (ulong)utf8.Length), .. utf8], input);
        var array = new CborReader(input);
        int items = array.ReadArray("item", max);
        Same(array, TestCbor.Head(4, (ulong)items), input);
        var map = new CborReader(input);
        int pairs = map.ReadMap("item", max, mayBeIndefinite: true);
        Same(map, pairs == CborReader.Indefinite ? [0xbf] : TestCbor.Head(5, (ulong)pairs), input);
    }

    private static void Same(CborReader reader, byte[] written, ReadOnlySpan<byte> input) => Targets.Require(reader.Failed || input[..reader.Offset].SequenceEqual(written));
}
