using Cloister.Channel.Noise;
using Cloister.Channel.Records;
using CsCheck;
using Record = Cloister.Channel.Records.Record;

namespace Cloister.Channel.Tests.Records;

public class RecordTests
{
    private const int Size = 256;

    [Fact]
    public void Whatever_is_sealed_opens_in_order() =>
        Gen.Select(Gen.Byte.Array[0, 100], Gen.Int[0, 50]).Array[1, 20].Sample(records =>
        {
            using var sealer = new RecordSealer(Cipher());
            using var opener = new RecordOpener(Cipher());
            foreach (var (data, padding) in records)
            {
                byte[] record = new byte[Record.Overhead + data.Length + padding];
                sealer.Seal(RecordKind.Data, data, record);
                Assert.Equal(ChannelFault.None, opener.OpenInPlace(record, out var kind, out int length));
                Assert.Equal(RecordKind.Data, kind);
                Assert.Equal(data, record.AsSpan(Record.HeaderLength, length));
            }
        });

    [Fact]
    public void Every_flipped_bit_is_refused_and_nothing_is_delivered()
    {
        byte[] sealedRecord = Sealed(RecordKind.Data, "secret"u8);
        for (int bit = 0; bit < Size * 8; bit++)
        {
            using var opener = new RecordOpener(Cipher());
            byte[] record = [.. sealedRecord];
            record[bit / 8] ^= (byte)(1 << bit % 8);

            Assert.Equal(ChannelFault.Unauthentic, opener.OpenInPlace(record, out var kind, out int length));
            Assert.Equal((default(RecordKind), 0), (kind, length));
            Assert.Equal(new byte[Size], record);
            AssertDead(opener);
        }
    }

    [Fact]
    public void Replays_gaps_reordering_and_cut_records_are_refused()
    {
        byte[] first = Sealed(RecordKind.Data, "1"u8);
        byte[] second = Sealed(RecordKind.Data, "2"u8, before: 1);

        Assert.Equal([ChannelFault.None, ChannelFault.Unauthentic], Open(first, first));
        Assert.Equal([ChannelFault.Unauthentic, ChannelFault.Unauthentic], Open(second, first));
        Assert.Equal([ChannelFault.None, ChannelFault.Unauthentic], Open(first, second[..^1]));
        Assert.Equal([ChannelFault.None, ChannelFault.BadLength], Open(first, second[..18]));
        Assert.Equal([ChannelFault.None, ChannelFault.BadLength], Open(first, []));
        Assert.Equal([ChannelFault.None, ChannelFault.None], Open(first, second));
    }

    // Authentic, and still wrong: what only a broken peer sends.
    [Theory]
    [InlineData(0, 0, ChannelFault.BadKind)]
    [InlineData(0, 4, ChannelFault.BadKind)]
    [InlineData(0, 255, ChannelFault.BadKind)]
    [InlineData(0, 3, ChannelFault.BadLength)]         // a close with data
    [InlineData(1, 1, ChannelFault.BadLength)]         // longer than the record
    [InlineData(2, 238, ChannelFault.BadLength)]       // by one byte
    [InlineData(2, 5, ChannelFault.DirtyPadding)]      // shorter than the data
    [InlineData(20, 1, ChannelFault.DirtyPadding)]
    [InlineData(239, 1, ChannelFault.DirtyPadding)]
    public void A_spoiled_plaintext_is_refused(int place, byte value, ChannelFault expected)
    {
        byte[] plaintext = [1, 0, 6, .. "secret"u8, .. new byte[231]];
        Assert.Equal(ChannelFault.None, Record.Parse(plaintext, out _, out _));

        plaintext[place] = value;
        Assert.Equal(expected, Record.Parse(plaintext, out var kind, out int length));
        Assert.Equal((default(RecordKind), 0), (kind, length));

        byte[] record = new byte[Size];
        Cipher().Encrypt([], plaintext, record);
        Assert.Equal([expected], Open(record));
    }

    [Fact]
    public void Whatever_is_parsed_is_written_the_same_again() => Gen.Byte[0, 4].Array[0, 12].Sample(plaintext =>
    {
        if (Record.Parse(plaintext, out var kind, out int length) is ChannelFault.None)
        {
            byte[] again = [.. plaintext];
            Record.WriteAround(kind, length, again);
            Assert.Equal(plaintext, again);
        }
    });

    [Fact]
    public void The_key_changes_by_itself_after_65536_records()
    {
        using var sealer = new RecordSealer(Cipher());
        using var opener = new RecordOpener(Cipher());
        byte[] record = new byte[20];
        for (int i = 1; i <= 2 * Record.PerKey + 1; i++)
        {
            sealer.Seal(RecordKind.Data, [7], record);
            Assert.Equal(ChannelFault.None, opener.OpenInPlace(record, out var kind, out int length));
            Assert.Equal(i % Record.PerKey == 0 ? RecordKind.DataThenRekey : RecordKind.Data, kind);
            Assert.Equal(1, length);
        }
    }

    [Fact]
    public void A_peer_that_goes_on_under_a_used_up_key_is_refused()
    {
        using var careless = Cipher();
        using var opener = new RecordOpener(Cipher());
        byte[] plaintext = [1, 0, 0];
        byte[] record = new byte[19];
        for (int i = 1; i < Record.PerKey; i++)
        {
            careless.Encrypt([], plaintext, record);
            Assert.Equal(ChannelFault.None, opener.OpenInPlace(record, out _, out _));
        }
        careless.Encrypt([], plaintext, record);
        Assert.Equal(ChannelFault.RekeyOverdue, opener.OpenInPlace(record, out _, out _));
    }

    [Fact]
    public void After_a_rekey_the_old_key_opens_nothing_more()
    {
        using var sealer = new RecordSealer(Cipher());
        using var stolen = Cipher();
        byte[] record = new byte[20];
        sealer.Seal(RecordKind.DataThenRekey, [1], record);
        Assert.True(stolen.TryDecrypt([], record, new byte[4]));
        sealer.Seal(RecordKind.Data, [2], record);
        Assert.False(stolen.TryDecrypt([], record, new byte[4]));
    }

    [Fact]
    public void Too_much_data_for_a_record_is_our_mistake()
    {
        using var sealer = new RecordSealer(Cipher());
        Assert.ThrowsAny<ArgumentException>(() => sealer.Seal(RecordKind.Data, new byte[2], new byte[20]));
        sealer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sealer.Seal(RecordKind.Data, [], new byte[20]));
    }

    // They are on the wire and in counters. Add numbers; never change one.
    [Fact]
    public void Numbers_are_frozen()
    {
        Assert.Equal("Data=1 DataThenRekey=2 Close=3", Numbers<RecordKind>());
        Assert.Equal("None=1 Padded=2 Paced=3", Numbers<ShapingProfile>());
        Assert.Equal(
            "None=0 Truncated=1 BadLength=2 LowOrderKey=3 BadKemKey=4 Unauthentic=5 BadPayload=6 NoCommonVersion=7 ShapingRefused=8 "
            + "BadKind=9 DirtyPadding=10 RekeyOverdue=11 HandshakeTimeout=12 Idle=13 Closed=14", Numbers<ChannelFault>());
    }

    private static string Numbers<T>() where T : struct, Enum =>
        string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToByte(value, null)}"));

    private static CipherState Cipher()
    {
        var cipher = new CipherState(NoiseCipher.ChaChaPoly);
        cipher.InitializeKey(new byte[32]);
        return cipher;
    }

    private static byte[] Sealed(RecordKind kind, ReadOnlySpan<byte> data, int before = 0)
    {
        using var sealer = new RecordSealer(Cipher());
        byte[] record = new byte[Size];
        for (int i = 0; i <= before; i++)
        {
            sealer.Seal(kind, data, record);
        }
        return record;
    }

    private static IEnumerable<ChannelFault> Open(params byte[][] records)
    {
        using var opener = new RecordOpener(Cipher());
        return [.. records.Select(record => opener.OpenInPlace([.. record], out _, out _))];
    }

    private static void AssertDead(RecordOpener opener) =>
        Assert.Equal(ChannelFault.Unauthentic, opener.OpenInPlace(Sealed(RecordKind.Data, "secret"u8), out _, out _));
}
