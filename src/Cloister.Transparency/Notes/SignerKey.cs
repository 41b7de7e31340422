using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>A name and a private key that signs notes. Wiped by <see cref="Dispose"/>.</summary>
/// <remarks>Its text is <c>PRIVATE+KEY+name+id in hex+base64(type ‖ seed)</c>, as Go's note package writes it.</remarks>
public sealed class SignerKey : IDisposable
{
    private const string Start = "PRIVATE+KEY+";
    private const int SeedSize = 32;

    private readonly Ed25519PrivateKey? _ed25519;
    private readonly MlDsa44PrivateKey? _mlDsa44;

    private SignerKey(string name, NoteKeyType type, Ed25519PrivateKey? ed25519, MlDsa44PrivateKey? mlDsa44)
    {
        (_ed25519, _mlDsa44) = (ed25519, mlDsa44);
        Verifier = new VerifierKey(name, type, ed25519 is not null ? ed25519.PublicKey.Bytes : mlDsa44!.PublicKey.Bytes);
    }

    /// <summary>What others verify this key's signatures with.</summary>
    public VerifierKey Verifier { get; }

    /// <summary>The key that a seed of 32 bytes stands for.</summary>
    /// <exception cref="ArgumentException">The name is none, or the seed has another length.</exception>
    public static SignerKey ImportSeed(string name, NoteKeyType type, ReadOnlySpan<byte> seed) => type is NoteKeyType.MlDsa44Cosignature
        ? new(name, type, null, MlDsa44PrivateKey.ImportSeed(seed))
        : new(name, type, Ed25519PrivateKey.ImportSeed(seed), null);

    public static SignerKey Generate(string name, NoteKeyType type)
    {
        Span<byte> seed = stackalloc byte[SeedSize];
        RandomNumberGenerator.Fill(seed);
        var key = ImportSeed(name, type, seed);
        CryptographicOperations.ZeroMemory(seed);
        return key;
    }

    /// <summary>Reads a private key's text. False for another type, and where the id is not the key's.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out SignerKey? key)
    {
        key = null;
        if (!text.StartsWith(Start, StringComparison.Ordinal))
        {
            return false;
        }

        text = text[Start.Length..];
        int first = text.IndexOf('+');
        if (first < 0 || text.Length < first + 11 || text[first + 9] != '+' || !Base64.TryDecode(text[(first + 10)..], out var encoded)
            || encoded.Length != 1 + SeedSize || encoded[0] is not (1 or 4 or 6) || !NoteText.IsKeyName(text[..first].ToString()))
        {
            return false;
        }

        var read = ImportSeed(text[..first].ToString(), (NoteKeyType)encoded[0], encoded.AsSpan(1));
        CryptographicOperations.ZeroMemory(encoded);
        bool same = text.Slice(first + 1, 8).SequenceEqual($"{read.Verifier.Id:x8}");
        key = same ? read : null;
        if (!same)
        {
            read.Dispose();
        }
        return same;
    }

    /// <summary>Signs a note's text, as a publisher or a log does (type 1).</summary>
    /// <param name="text">Ends in a newline.</param>
    /// <exception cref="InvalidOperationException">The key cosigns.</exception>
    public NoteSignature Sign(string text)
    {
        if (Verifier.Type is not NoteKeyType.Ed25519)
        {
            throw new InvalidOperationException("A cosigner's key signs checkpoints at a time.");
        }
        var signature = new byte[Ed25519PrivateKey.SignatureSize];
        _ed25519!.Sign(NoteText.StrictUtf8.GetBytes(text), signature);
        return new(Verifier.Name, Verifier.Id, [.. signature]);
    }

    /// <summary>Cosigns a checkpoint (types 4 and 6). The caller has checked that it is consistent with all before it.</summary>
    /// <param name="timestamp">Seconds since 1970.</param>
    /// <exception cref="InvalidOperationException">The key does not cosign, or a name is too long for its message.</exception>
    public NoteSignature Cosign(Checkpoint checkpoint, long timestamp)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(timestamp);
        if (Verifier.Type is NoteKeyType.Ed25519 || (_mlDsa44 is not null && !Cosignature.CanBeSigned(Verifier.Name, checkpoint.Origin)))
        {
            throw new InvalidOperationException("This key cannot cosign this checkpoint.");
        }

        var signature = new byte[sizeof(long) + (_mlDsa44 is null ? Ed25519PrivateKey.SignatureSize : MlDsa44PrivateKey.SignatureSize)];
        var writer = new WireWriter(signature);
        writer.UInt64BigEndian((ulong)timestamp);
        var room = writer.Take(signature.Length - sizeof(long));
        _ed25519?.Sign(Cosignature.Message(checkpoint.ToString(), timestamp), room);
        _mlDsa44?.Sign(Cosignature.Message(Verifier.Name, checkpoint, timestamp), room);
        return new(Verifier.Name, Verifier.Id, [.. signature]);
    }

    public void Dispose()
    {
        _ed25519?.Dispose();
        _mlDsa44?.Dispose();
    }
}
