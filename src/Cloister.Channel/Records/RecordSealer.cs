using Cloister.Channel.Noise;
using Cloister.Primitives;

namespace Cloister.Channel.Records;

/// <summary>Seals the records of one direction, in order, each of the length that the caller chooses. Docs/spec/channel.md, section 5.</summary>
/// <remarks>Not safe for use from two threads at once. Disposing it wipes the key.</remarks>
internal sealed class RecordSealer(CipherState cipher) : IDisposable
{
    private int _underKey;

    /// <summary>The current key has sealed something.</summary>
    public bool KeyIsUsed => _underKey > 0;

    /// <summary>Copies the data into the record and seals it there.</summary>
    /// <param name="record">Its length, which the network sees, is at least that of the data and <see cref="Record.Overhead"/>.</param>
    public void Seal(RecordKind kind, ReadOnlySpan<byte> data, Span<byte> record)
    {
        data.CopyTo(record[Record.HeaderLength..]);
        SealInPlace(kind, data.Length, record);
    }

    /// <summary>Seals a record whose data is already in its place, behind <see cref="Record.HeaderLength"/> bytes.</summary>
    public void SealInPlace(RecordKind kind, int length, Span<byte> record)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, record.Length - Record.Overhead);

        // The last record that a key may seal says so, whether or not the caller thought of it.
        bool last = ++_underKey == Record.PerKey;
        kind = last && kind is RecordKind.Data ? RecordKind.DataThenRekey : kind;

        var plaintext = record[..^AeadKey.TagSize];
        Record.WriteAround(kind, length, plaintext);
        cipher.Encrypt([], plaintext, record);

        if (kind is RecordKind.DataThenRekey)
        {
            cipher.Rekey();
            _underKey = 0;
        }
    }

    public void Dispose() => cipher.Dispose();
}
