using Cloister.Channel.Noise;
using Cloister.Primitives;

namespace Cloister.Channel.Records;

/// <summary>Opens the records of one direction, in order. Docs/spec/channel.md, section 5.</summary>
/// <remarks>The first fault wipes the key and stays. Not safe for use from two threads at once.</remarks>
internal sealed class RecordOpener(CipherState cipher) : IDisposable
{
    private int _underKey;
    private ChannelFault _fault;

    /// <summary>Opens a record where it lies.</summary>
    /// <param name="length">The data's, which starts behind <see cref="Record.HeaderLength"/> bytes of the record.</param>
    public ChannelFault OpenInPlace(Span<byte> record, out RecordKind kind, out int length)
    {
        (kind, length) = (default, 0);
        if (_fault is ChannelFault.None)
        {
            _fault = Open(record, out kind, out length);
        }
        if (_fault is not ChannelFault.None)
        {
            (kind, length) = (default, 0);
            record.Clear();
            Dispose();
        }
        return _fault;
    }

    public void Dispose() => cipher.Dispose();

    private ChannelFault Open(Span<byte> record, out RecordKind kind, out int length)
    {
        (kind, length) = (default, 0);
        if (record.Length < Record.Overhead)
        {
            return ChannelFault.BadLength;
        }

        var plaintext = record[..^AeadKey.TagSize];
        if (!cipher.TryDecrypt([], record, plaintext))
        {
            return ChannelFault.Unauthentic;
        }
        if (Record.Parse(plaintext, out kind, out length) is var fault and not ChannelFault.None)
        {
            return fault;
        }

        bool last = ++_underKey == Record.PerKey;
        if (last && kind is RecordKind.Data)
        {
            return ChannelFault.RekeyOverdue;
        }
        if (kind is RecordKind.DataThenRekey)
        {
            cipher.Rekey();
            _underKey = 0;
        }
        return ChannelFault.None;
    }
}
