using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>A SHA-256 hash of a leaf, a node or a whole tree (RFC 6962, section 2.1).</summary>
/// <remarks>Leaves and nodes are hashed behind different first bytes, so that no entry can pass for a node.</remarks>
public readonly struct TreeHash : IEquatable<TreeHash>
{
    /// <summary>In bytes.</summary>
    public const int Size = 32;

    private const int TextLength = 44;
    private const byte LeafPrefix = 0;
    private const byte NodePrefix = 1;

    private readonly UInt128 _first;
    private readonly UInt128 _last;

    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public TreeHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"Must be {Size} bytes, not {bytes.Length}.", nameof(bytes));
        }
        (_first, _last) = (BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]));
    }

    /// <summary>The root of a tree without leaves: the hash of nothing.</summary>
    public static TreeHash Empty { get; } = new(SHA256.HashData([]));

    /// <summary>SHA-256(00 ‖ entry).</summary>
    public static TreeHash OfLeaf(ReadOnlySpan<byte> entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([LeafPrefix]);
        hash.AppendData(entry);
        Span<byte> digest = stackalloc byte[Size];
        hash.GetHashAndReset(digest);
        return new(digest);
    }

    /// <summary>SHA-256(01 ‖ left ‖ right).</summary>
    public static TreeHash OfNode(TreeHash left, TreeHash right)
    {
        Span<byte> node = stackalloc byte[1 + 2 * Size];
        node[0] = NodePrefix;
        left.CopyTo(node[1..]);
        right.CopyTo(node[(1 + Size)..]);
        Span<byte> digest = stackalloc byte[Size];
        SHA256.HashData(node, digest);
        return new(digest);
    }

    /// <summary>Writes 32 bytes to the start of <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, _first);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], _last);
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Reads what <see cref="ToString"/> writes and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TreeHash hash)
    {
        // A proof has up to 63 of them: so nothing is made on the way. What has another encoding is refused as everywhere.
        Span<byte> bytes = stackalloc byte[Size + 1];
        Span<char> again = stackalloc char[TextLength];
        bool parsed = text.Length == TextLength && Convert.TryFromBase64Chars(text, bytes, out int length) && length == Size
            && Convert.TryToBase64Chars(bytes[..Size], again, out _) && text.SequenceEqual(again);
        hash = parsed ? new(bytes[..Size]) : default;
        return parsed;
    }

    /// <summary>Base64, as in checkpoints and proofs.</summary>
    public override string ToString() => Base64.Encode(ToBytes());

    public bool Equals(TreeHash other) => _first == other._first && _last == other._last;

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is TreeHash other && Equals(other);

    public override int GetHashCode() => _first.GetHashCode();

    public static bool operator ==(TreeHash left, TreeHash right) => left.Equals(right);

    public static bool operator !=(TreeHash left, TreeHash right) => !left.Equals(right);
}
