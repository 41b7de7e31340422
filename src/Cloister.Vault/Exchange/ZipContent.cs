namespace Cloister.Vault.Exchange;

/// <summary>Content as it is unpacked. It ends where the directory says, at the latest, and where it is not what the directory says.</summary>
internal sealed class ZipContent(Stream unpacked, long length, uint checksum) : ForwardStream
{
    private const int Piece = 64 << 10;

    private readonly Crc32 _sum = new();
    private long _read;

    /// <summary>It was cut, changed, or is longer than it says. Known when it has ended.</summary>
    public bool IsDamaged { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (IsDamaged || buffer.IsEmpty)
        {
            return 0;
        }
        try
        {
            // At its end one byte more is asked for, and must not be there.
            bool ends = _read == length;
            int read = await unpacked.ReadAsync(ends ? new byte[1] : buffer[..(int)Math.Min(buffer.Length, length - _read)], cancellationToken).ConfigureAwait(false);
            IsDamaged = read == 0 ? !ends || _sum.Value != checksum : ends;
            read = ends ? 0 : read;
            _sum.Add(buffer.Span[..read]);
            _read += read;
            return read;
        }
        catch (InvalidDataException)
        {
            IsDamaged = true;
            return 0;
        }
    }

    /// <summary>Reads what is left, so that <see cref="IsDamaged"/> is known.</summary>
    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        byte[] piece = new byte[Piece];
        while (await ReadAsync(piece, cancellationToken).ConfigureAwait(false) > 0)
        {
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            unpacked.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <summary>The checksum of .zip files (ISO 3309). It finds accidents and no attack.</summary>
internal sealed class Crc32
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(first => Enumerable.Range(0, 8).Aggregate((uint)first, (sum, _) => (sum >> 1) ^ (0xedb88320 * (sum & 1))))];

    private uint _sum = uint.MaxValue;

    public uint Value => ~_sum;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        uint sum = _sum;
        foreach (byte next in bytes)
        {
            sum = (sum >> 8) ^ Table[(sum ^ next) & 0xff];
        }
        _sum = sum;
    }
}
