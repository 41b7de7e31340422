using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>What a key signs and how (signed-note, Signature types). The numbers are the specification's.</summary>
public enum NoteKeyType : byte
{
    /// <summary>Ed25519 over the note's text.</summary>
    Ed25519 = 1,

    /// <summary>A timestamp, and Ed25519 over it and a checkpoint (tlog-cosignature, Ed25519 signed message).</summary>
    Ed25519Cosignature = 4,

    /// <summary>A timestamp, and ML-DSA-44 over it and a checkpoint's first three lines (tlog-cosignature, ML-DSA-44 signed message).</summary>
    MlDsa44Cosignature = 6,
}

/// <summary>A name and a public key: whose signatures one trusts. Its text is a vkey: <c>name+id in hex+base64(type ‖ key)</c>.</summary>
public sealed class VerifierKey : IEquatable<VerifierKey>
{
    private readonly Ed25519PublicKey? _ed25519;
    private readonly MlDsa44PublicKey? _mlDsa44;

    /// <exception cref="ArgumentException">The name is none, or the key has another length than the type's.</exception>
    public VerifierKey(string name, NoteKeyType type, ReadOnlySpan<byte> publicKey)
    {
        if (!NoteText.IsKeyName(name))
        {
            throw new ArgumentException("A key's name is not empty and has neither spaces nor plus.", nameof(name));
        }
        (Name, Type, PublicKey) = (name, type, [.. publicKey]);
        _mlDsa44 = type is NoteKeyType.MlDsa44Cosignature ? new MlDsa44PublicKey(publicKey) : null;
        _ed25519 = type is NoteKeyType.Ed25519 or NoteKeyType.Ed25519Cosignature ? new Ed25519PublicKey(publicKey) : null;
        if (_mlDsa44 is null && _ed25519 is null)
        {
            throw new ArgumentOutOfRangeException(nameof(type));
        }
        Id = BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData([.. NoteText.StrictUtf8.GetBytes(name), (byte)'\n', (byte)type, .. publicKey]));
    }

    public string Name { get; }

    /// <summary>SHA-256(name ‖ 0A ‖ type ‖ key), its first four bytes as a big-endian number. It identifies; it is no strong hash.</summary>
    public uint Id { get; }

    public NoteKeyType Type { get; }

    /// <summary>32 or 1,312 bytes, as the type has it.</summary>
    public ImmutableArray<byte> PublicKey { get; }

    /// <summary>Reads what <see cref="ToString"/> writes. False for another type, and where the id is not the key's.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out VerifierKey? key)
    {
        key = null;
        int first = text.IndexOf('+');
        if (first < 0 || text.Length < first + 11 || text[first + 9] != '+')
        {
            return false;
        }

        string name = text[..first].ToString();
        if (!NoteText.IsKeyName(name) || !Hex.TryDecode(text.Slice(first + 1, 8), out var id) || !Base64.TryDecode(text[(first + 10)..], out var encoded) || encoded.Length == 0
            || !HasLength((NoteKeyType)encoded[0], encoded.Length - 1))
        {
            return false;
        }
        var read = new VerifierKey(name, (NoteKeyType)encoded[0], encoded.AsSpan(1));
        key = BinaryPrimitives.ReadUInt32BigEndian(id) == read.Id ? read : null;
        return key is not null;
    }

    public override string ToString() => $"{Name}+{Id:x8}+{Base64.Encode([(byte)Type, .. PublicKey])}";

    /// <summary>Whether a signature line says that it is by this key: name and id both match.</summary>
    public bool IsNamedBy(NoteSignature signature) => signature.KeyId == Id && signature.KeyName == Name;

    /// <summary>Verifies a signature under a note's text. A cosignature is one of a checkpoint only.</summary>
    /// <param name="timestamp">Seconds since 1970 that a cosignature is of; 0 where it has none.</param>
    public bool Verify(string text, NoteSignature signature, out long timestamp)
    {
        timestamp = 0;
        var bytes = signature.Signature.AsSpan();
        if (!IsNamedBy(signature))
        {
            return false;
        }
        if (Type is NoteKeyType.Ed25519)
        {
            return _ed25519!.Verify(NoteText.StrictUtf8.GetBytes(text), bytes);
        }
        if (bytes.Length < sizeof(long) || (timestamp = BinaryPrimitives.ReadInt64BigEndian(bytes)) < 0 || !Checkpoint.TryParse(text, out var checkpoint))
        {
            timestamp = 0;
            return false;
        }

        bytes = bytes[sizeof(long)..];
        bool verified = _ed25519 is not null ? _ed25519.Verify(Cosignature.Message(text, timestamp), bytes)
            : Cosignature.CanBeSigned(Name, checkpoint.Origin) && _mlDsa44!.Verify(Cosignature.Message(Name, checkpoint, timestamp), bytes);
        timestamp = verified ? timestamp : 0;
        return verified;
    }

    /// <summary>The same name, type and key.</summary>
    public bool Equals(VerifierKey? other) => other is not null && Name == other.Name && Type == other.Type && HasSameKey(other);

    public override bool Equals(object? obj) => Equals(obj as VerifierKey);

    public override int GetHashCode() => HashCode.Combine(Name, Id);

    internal bool HasSameKey(VerifierKey other) => PublicKey.AsSpan().SequenceEqual(other.PublicKey.AsSpan());

    private static bool HasLength(NoteKeyType type, int length) => type switch
    {
        NoteKeyType.Ed25519 or NoteKeyType.Ed25519Cosignature => length == Ed25519PublicKey.Size,
        NoteKeyType.MlDsa44Cosignature => length == MlDsa44PublicKey.Size,
        _ => false,
    };
}
