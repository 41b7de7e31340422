using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Cloister.Vault.Heads;

/// <summary>Thirty-two bytes held in place: a tree of a million leaves is no million arrays.</summary>
[InlineArray(SHA256.HashSizeInBytes)]
internal struct NodeHash : IEquatable<NodeHash>
{
    private byte _first;

    public static NodeHash Read(ReadOnlySpan<byte> bytes)
    {
        var hash = default(NodeHash);
        bytes[..SHA256.HashSizeInBytes].CopyTo(hash);
        return hash;
    }

    public readonly void Write(Span<byte> destination) => ((ReadOnlySpan<byte>)this).CopyTo(destination);

    public readonly byte[] ToArray() => ((ReadOnlySpan<byte>)this).ToArray();

    public static NodeHash Of(ReadOnlySpan<byte> bytes)
    {
        var hash = default(NodeHash);
        SHA256.HashData(bytes, hash);
        return hash;
    }

    /// <summary><c>SHA-256(01 ‖ left ‖ right)</c>.</summary>
    public static NodeHash Of(NodeHash left, NodeHash right)
    {
        Span<byte> bytes = stackalloc byte[1 + (2 * SHA256.HashSizeInBytes)];
        bytes[0] = 1;
        left.Write(bytes[1..]);
        right.Write(bytes[33..]);
        return Of(bytes);
    }

    public readonly bool Equals(NodeHash other) => ((ReadOnlySpan<byte>)this).SequenceEqual(other);

    public override readonly bool Equals(object? obj) => obj is NodeHash other && Equals(other);

    public override readonly int GetHashCode() => BitConverter.ToInt32((ReadOnlySpan<byte>)this);

    public static bool operator ==(NodeHash left, NodeHash right) => left.Equals(right);

    public static bool operator !=(NodeHash left, NodeHash right) => !left.Equals(right);
}
