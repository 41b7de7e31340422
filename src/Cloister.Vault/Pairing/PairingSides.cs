using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Wire;

namespace Cloister.Vault.Pairing;

/// <summary>The new device's side of pairing: shows a code, sends messages 1 and 3, reads 2 and 4. Single use; a message that does not fit ends it.</summary>
public sealed class PairingNewSide
{
    private readonly byte[] _first;
    private readonly byte[] _answer;
    private byte[]? _promise;
    private bool _ended;

    public PairingNewSide(NewDevice device) => (_first, _answer) = (device.ToBytes(), [PairingMessages.Version, .. RandomNumberGenerator.GetBytes(PairingMessages.NonceSize)]);

    /// <summary>Message 1.</summary>
    public ReadOnlyMemory<byte> First => _first;

    /// <summary>SHA-256 of message 1, for a QR code: the old device compares it, so that nobody in between could show another.</summary>
    public byte[] Fingerprint() => SHA256.HashData(_first);

    /// <summary>Takes message 2 and gives message 3. False for bytes that are no message 2, and for a second one.</summary>
    public bool TryAnswer(ReadOnlySpan<byte> promise, out ReadOnlyMemory<byte> answer)
    {
        bool fits = !_ended && _promise is null && promise.Length == PairingMessages.PromiseSize && promise[0] == PairingMessages.Version;
        _ended = !fits;
        _promise = fits ? promise.ToArray() : _promise;
        answer = fits ? _answer : default;
        return fits;
    }

    /// <summary>Takes message 4, once. False where it is not what message 2 promised.</summary>
    public bool TryFinish(ReadOnlySpan<byte> reveal, [NotNullWhen(true)] out PairingResult? result)
    {
        result = null;
        bool ended = _ended;
        _ended = true;
        if (ended || _promise is null || reveal.Length != PairingMessages.RevealSize || reveal[0] != PairingMessages.Version || !PairingMessages.Promise(reveal, _first).AsSpan().SequenceEqual(_promise))
        {
            return false;
        }
        var account = reveal.Slice(1 + PairingMessages.NonceSize, AccountNumber.Size);
        uint epoch = BinaryPrimitives.ReadUInt32BigEndian(reveal[(1 + PairingMessages.NonceSize + AccountNumber.Size)..]);
        result = epoch == 0 ? null : new(PairingMessages.Digits(_first, _promise, _answer, reveal), AccountNumber.Read(account), epoch, reveal[^PairingMessages.CommitmentSize..].ToArray());
        return result is not null;
    }
}

/// <summary>What the new device knows once message 4 fits. It is to be believed only if the user says that the digits are equal.</summary>
/// <param name="Digits">Six, to be compared with the old device's.</param>
/// <param name="KeyCommitment">What the account key must have that the wrap opens to: 32 bytes.</param>
public sealed record PairingResult(string Digits, AccountNumber Account, uint Epoch, ReadOnlyMemory<byte> KeyCommitment);

/// <summary>The old device's side of pairing: reads messages 1 and 3, sends 2 and 4. It gives nothing away: the wrap comes after the user's word. Single use.</summary>
public sealed class PairingOldSide
{
    private readonly byte[] _first;
    private readonly byte[] _promise;
    private readonly byte[] _reveal;
    private bool _ended;

    private PairingOldSide(NewDevice device, byte[] first, EpochRecord newest)
    {
        byte[] tail = new byte[PairingMessages.RevealSize - 1 - PairingMessages.NonceSize];
        newest.Account.Write(tail);
        BinaryPrimitives.WriteUInt32BigEndian(tail.AsSpan(AccountNumber.Size), newest.Epoch);
        newest.KeyCommitment.Span.CopyTo(tail.AsSpan(AccountNumber.Size + sizeof(uint)));
        (Device, _first) = (device, first);
        _reveal = [PairingMessages.Version, .. RandomNumberGenerator.GetBytes(PairingMessages.NonceSize), .. tail];
        _promise = PairingMessages.Promise(_reveal, _first);
    }

    /// <summary>What asks to be added.</summary>
    public NewDevice Device { get; }

    /// <summary>Message 2.</summary>
    public ReadOnlyMemory<byte> Promise => _promise;

    /// <summary>Takes message 1.</summary>
    /// <param name="fingerprint">From a QR code: SHA-256 of message 1. Null where the code was typed, and then the digits alone tell.</param>
    /// <param name="newest">The account's newest epoch.</param>
    public static bool TryBegin(ReadOnlySpan<byte> first, byte[]? fingerprint, EpochRecord newest, [NotNullWhen(true)] out PairingOldSide? side, out WireError error)
    {
        side = NewDevice.TryParse(first, out var device, out error) && (fingerprint is null || CryptographicOperations.FixedTimeEquals(SHA256.HashData(first), fingerprint)) ? new(device, first.ToArray(), newest) : null;
        return side is not null;
    }

    // Once: somebody in the middle who knows message 4 could try messages 3 until the digits are those of the other device.
    /// <summary>Takes message 3 and gives message 4, and the digits to show once it is sent. False for bytes that are no message 3, and for a second one.</summary>
    public bool TryReveal(ReadOnlySpan<byte> answer, out ReadOnlyMemory<byte> reveal, out string digits)
    {
        bool fits = !_ended && answer.Length == PairingMessages.AnswerSize && answer[0] == PairingMessages.Version;
        _ended = true;
        reveal = fits ? _reveal : default;
        digits = fits ? PairingMessages.Digits(_first, _promise, answer, _reveal) : "";
        return fits;
    }
}
