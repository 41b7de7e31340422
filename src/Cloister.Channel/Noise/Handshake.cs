using System.Diagnostics;
using System.Security.Cryptography;
using Cloister.Primitives;
using static Cloister.Channel.Noise.HandshakeToken;

namespace Cloister.Channel.Noise;

/// <summary>One side of a handshake of any pattern. Noise rev 34, section 5.3.</summary>
/// <remarks>
/// A handshake moves forward or dies: any fault wipes the keys, so there is no half-advanced state to resume.
/// Faults are the peer's doing and are returned. Exceptions are ours: out of turn, a key not given, or a buffer too small.
/// </remarks>
internal sealed class Handshake : IDisposable
{
    public const int MaxMessageLength = 65535;

    private const int KeySize = X25519PublicKey.Size;

    private readonly Role _role;
    private readonly HandshakePattern _pattern;
    private readonly SymmetricState _symmetric;
    private readonly HandshakeKeys _keys;
    private readonly byte[] _remoteEphemeral = new byte[KeySize];

    private X25519PrivateKey? _ephemeral;
    private X25519PublicKey? _remoteStatic;
    private MlKem768PrivateKey? _kem;
    private MlKem768PublicKey? _remoteKem;
    private int _next;
    private int _nextPsk;
    private bool _dead;

    public Handshake(NoiseProtocol protocol, Role role, ReadOnlySpan<byte> prologue, HandshakeKeys keys)
    {
        (_role, _pattern, _keys) = (role, protocol.Pattern, keys);
        (_remoteStatic, _ephemeral, _kem) = (keys.RemoteStatic, keys.Ephemeral, keys.KemEphemeral);
        _symmetric = new SymmetricState(protocol);
        _symmetric.MixHash(prologue);

        // Pre-messages: the initiator's static key is hashed first, where both are known.
        if (_pattern.InitiatorIsKnown)
        {
            _symmetric.MixHash(StaticOf(Role.Initiator));
        }
        if (_pattern.ResponderIsKnown)
        {
            _symmetric.MixHash(StaticOf(Role.Responder));
        }
    }

    public bool IsComplete => _next == _pattern.Messages.Count;

    /// <summary>The transcript: once the handshake is complete, both sides have the same one and no other session has it.</summary>
    public ReadOnlySpan<byte> Hash => _symmetric.Hash;

    /// <summary>How much longer the next message is than its payload.</summary>
    public int Overhead
    {
        get
        {
            int length = 0;
            bool keyed = _symmetric.HasKey;
            foreach (var token in Tokens)
            {
                length += token switch
                {
                    E     => KeySize,
                    S     => KeySize + Tag(keyed),
                    E1    => MlKem768PublicKey.Size + Tag(keyed),
                    Ekem1 => MlKem768PrivateKey.CiphertextSize + Tag(keyed),
                    _     => 0,
                };
                keyed |= token is not (S or E1 or E) || (token is E && _pattern.HasPsk);
            }
            return length + Tag(keyed);

            static int Tag(bool keyed) => keyed ? AeadKey.TagSize : 0;
        }
    }

    private HandshakeToken[] Tokens =>
        IsComplete ? throw new InvalidOperationException("The handshake is complete.") : _pattern.Messages[_next];

    /// <param name="payload">At least as long as the message without its overhead.</param>
    public ChannelFault Read(ReadOnlySpan<byte> message, Span<byte> payload, out int written)
    {
        TakeTurn(sender: _role is Role.Initiator ? Role.Responder : Role.Initiator);
        written = 0;

        int length = message.Length - Overhead;
        if (length < 0 || message.Length > MaxMessageLength)
        {
            return Settle(ChannelFault.BadLength);
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(payload.Length, length);

        foreach (var token in Tokens)
        {
            var fault = token switch
            {
                E     => ReadEphemeral(ref message),
                S     => ReadStatic(ref message),
                E1    => ReadKemKey(ref message),
                Ekem1 => ReadKemCiphertext(ref message),
                Psk   => MixPsk(),
                _     => MixDh(token),
            };
            if (fault is not ChannelFault.None)
            {
                return Settle(fault);
            }
        }

        if (!_symmetric.TryDecryptAndHash(message, payload[..length]))
        {
            return Settle(ChannelFault.Unauthentic);
        }
        written = length;
        return Settle(ChannelFault.None);
    }

    /// <param name="message">At least as long as the payload and the overhead.</param>
    public ChannelFault Write(ReadOnlySpan<byte> payload, Span<byte> message, out int written)
    {
        TakeTurn(sender: _role);
        written = 0;

        int length = payload.Length + Overhead;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxMessageLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(message.Length, length);

        var rest = message[..length];
        foreach (var token in Tokens)
        {
            var fault = token switch
            {
                E     => WriteEphemeral(ref rest),
                S     => WriteSealed(Static.PublicKey.Bytes, ref rest),
                E1    => WriteSealed((_kem ??= MlKem768PrivateKey.Generate()).PublicKey.Bytes, ref rest),
                Ekem1 => WriteKemCiphertext(ref rest),
                Psk   => MixPsk(),
                _     => MixDh(token),
            };
            if (fault is not ChannelFault.None)
            {
                return Settle(fault);
            }
        }

        _symmetric.EncryptAndHash(payload, rest);
        written = length;
        return Settle(ChannelFault.None);
    }

    /// <summary>Ends the handshake: the keys of what we send and of what we receive.</summary>
    public (CipherState Sending, CipherState Receiving) Split()
    {
        ObjectDisposedException.ThrowIf(_dead, this);
        if (!IsComplete)
        {
            throw new InvalidOperationException($"The handshake is at message {_next} of {_pattern.Messages.Count}.");
        }

        var (initiator, responder) = _symmetric.Split();
        Dispose();
        return _role is Role.Initiator ? (initiator, responder) : (responder, initiator);
    }

    public void Dispose()
    {
        _dead = true;
        _ephemeral?.Dispose();
        _kem?.Dispose();
        _symmetric.Dispose();
        foreach (byte[] psk in _keys.Psks)
        {
            CryptographicOperations.ZeroMemory(psk);
        }
    }

    private X25519PrivateKey Static => _keys.Static ?? throw new InvalidOperationException("The pattern needs a static key of ours.");

    private X25519PrivateKey Ephemeral => _ephemeral ?? throw new UnreachableException();

    private ReadOnlySpan<byte> RemoteStatic =>
        (_remoteStatic ?? throw new InvalidOperationException("The pattern needs a static key of the peer's.")).Bytes;

    private ReadOnlySpan<byte> StaticOf(Role role) => role == _role ? Static.PublicKey.Bytes : RemoteStatic;

    private void TakeTurn(Role sender)
    {
        ObjectDisposedException.ThrowIf(_dead, this);
        if (IsComplete || sender != (Role)(_next % 2))
        {
            throw new InvalidOperationException($"Message {_next} is not the {sender}'s to send.");
        }
    }

    private ChannelFault Settle(ChannelFault fault)
    {
        if (fault is ChannelFault.None)
        {
            _next++;
        }
        else
        {
            Dispose();
        }
        return fault;
    }

    private ChannelFault WriteEphemeral(ref Span<byte> rest)
    {
        _ephemeral ??= X25519PrivateKey.Generate();
        var place = Take(ref rest, KeySize);
        Ephemeral.PublicKey.Bytes.CopyTo(place);
        return MixEphemeral(place);
    }

    private ChannelFault ReadEphemeral(ref ReadOnlySpan<byte> rest)
    {
        Take(ref rest, KeySize).CopyTo(_remoteEphemeral);
        return MixEphemeral(_remoteEphemeral);
    }

    // Noise rev 34, section 9.2: with pre-shared keys an ephemeral key is mixed into the key too, so that no nonce repeats.
    private ChannelFault MixEphemeral(ReadOnlySpan<byte> publicKey)
    {
        _symmetric.MixHash(publicKey);
        if (_pattern.HasPsk)
        {
            _symmetric.MixKey(publicKey);
        }
        return ChannelFault.None;
    }

    private ChannelFault WriteSealed(ReadOnlySpan<byte> key, ref Span<byte> rest)
    {
        _symmetric.EncryptAndHash(key, TakeSealed(ref rest, key.Length));
        return ChannelFault.None;
    }

    private ChannelFault ReadStatic(ref ReadOnlySpan<byte> rest)
    {
        Span<byte> key = stackalloc byte[KeySize];
        bool opened = _symmetric.TryDecryptAndHash(TakeSealed(ref rest, KeySize), key);
        _remoteStatic = opened ? new X25519PublicKey(key) : null;
        return opened ? ChannelFault.None : ChannelFault.Unauthentic;
    }

    // noise_hfs rev 1, section 4: a KEM key and a KEM ciphertext travel as static keys do.
    private ChannelFault ReadKemKey(ref ReadOnlySpan<byte> rest)
    {
        Span<byte> key = stackalloc byte[MlKem768PublicKey.Size];
        return !_symmetric.TryDecryptAndHash(TakeSealed(ref rest, MlKem768PublicKey.Size), key) ? ChannelFault.Unauthentic
             : !MlKem768PublicKey.TryImport(key, out _remoteKem)                               ? ChannelFault.BadKemKey
             :                                                                                    ChannelFault.None;
    }

    private ChannelFault WriteKemCiphertext(ref Span<byte> rest)
    {
        var key = _remoteKem ?? throw new UnreachableException();
        var place = TakeSealed(ref rest, MlKem768PrivateKey.CiphertextSize);
        var ciphertext = place[..MlKem768PrivateKey.CiphertextSize];

        Span<byte> secret = stackalloc byte[MlKem768PrivateKey.SecretSize];
        _keys.Encapsulate(key, ciphertext, secret);
        _symmetric.EncryptAndHash(ciphertext, place);
        return MixSecret(secret);
    }

    private ChannelFault ReadKemCiphertext(ref ReadOnlySpan<byte> rest)
    {
        var kem = _kem ?? throw new UnreachableException();
        Span<byte> ciphertext = stackalloc byte[MlKem768PrivateKey.CiphertextSize];
        if (!_symmetric.TryDecryptAndHash(TakeSealed(ref rest, ciphertext.Length), ciphertext))
        {
            return ChannelFault.Unauthentic;
        }

        Span<byte> secret = stackalloc byte[MlKem768PrivateKey.SecretSize];
        kem.Decapsulate(ciphertext, secret);
        return MixSecret(secret);
    }

    private ChannelFault MixPsk()
    {
        _symmetric.MixKeyAndHash(_keys.Psks[_nextPsk++]);
        return ChannelFault.None;
    }

    // Noise rev 34, section 5.3: the first letter is the initiator's key, the second the responder's.
    private ChannelFault MixDh(HandshakeToken token)
    {
        bool initiator = _role is Role.Initiator;
        var ours = token is Ss || token == (initiator ? Se : Es) ? Static : Ephemeral;
        var theirs = token is Ss || token == (initiator ? Es : Se) ? RemoteStatic : _remoteEphemeral;

        Span<byte> secret = stackalloc byte[X25519PrivateKey.SecretSize];
        return ours.TryAgree(theirs, secret) ? MixSecret(secret) : ChannelFault.LowOrderKey;
    }

    private ChannelFault MixSecret(Span<byte> secret)
    {
        _symmetric.MixKey(secret);
        CryptographicOperations.ZeroMemory(secret);
        return ChannelFault.None;
    }

    private Span<byte> TakeSealed(ref Span<byte> rest, int length) => Take(ref rest, SealedLength(length));

    private ReadOnlySpan<byte> TakeSealed(ref ReadOnlySpan<byte> rest, int length) => Take(ref rest, SealedLength(length));

    private int SealedLength(int length) => length + (_symmetric.HasKey ? AeadKey.TagSize : 0);

    private static Span<byte> Take(ref Span<byte> rest, int length)
    {
        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int length)
    {
        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }
}
