using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cloister.Operator.Accounts.Storage;
using Cloister.Wire;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>What a process gives out and any process takes back: authenticated under the database's key, with an end, and good once.</summary>
internal sealed class Challenges(Database database, TimeProvider time)
{
    // Docs/spec/accounts.md, section 1.
    private const int RandomSize = 32;
    private static readonly TimeSpan SignInLifetime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan CeremonyLifetime = TimeSpan.FromMinutes(5);

    private const int EndSize = sizeof(long);
    private const int TagSize = HMACSHA256.HashSizeInBytes;
    private const int MaxState = 4096;

    /// <summary>Random bytes, when they end, and the tag of both.</summary>
    public byte[] Make() => Seal("sign-in", RandomNumberGenerator.GetBytes(RandomSize), SignInLifetime);

    public bool IsGood(ReadOnlySpan<byte> challenge) => challenge.Length == RandomSize + EndSize + TagSize && Open("sign-in", challenge) is not null;

    /// <summary>What a ceremony of passkeys goes on with. It travels in the open.</summary>
    /// <param name="purpose">Nothing sealed for one purpose opens for another.</param>
    public string SealState(string purpose, string state) => Base64.EncodeUrl(Seal(purpose, Encoding.UTF8.GetBytes(state), CeremonyLifetime));

    /// <summary>Null for what this operator did not seal for the purpose, and for what is over.</summary>
    public string? OpenState(string purpose, string text) =>
        text.Length <= MaxState && Base64.TryDecodeUrl(text, out byte[]? bytes) && Open(purpose, bytes) is { } state ? Encoding.UTF8.GetString(state) : null;

    /// <summary>False for one that was taken before: the second time, whoever brings it only saw it.</summary>
    public async Task<bool> TrySpendAsync(Statements statements, ReadOnlyMemory<byte> challenge)
    {
        long expires = (time.GetUtcNow() + CeremonyLifetime).ToUnixTimeSeconds() + 1;
        return await statements.ExecuteAsync("INSERT INTO spent (challenge, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING", SHA256.HashData(challenge.Span), expires) == 1;
    }

    private byte[] Seal(string purpose, byte[] content, TimeSpan lifetime)
    {
        byte[] end = new byte[EndSize];
        BinaryPrimitives.WriteInt64BigEndian(end, (time.GetUtcNow() + lifetime).ToUnixTimeMilliseconds());
        byte[] said = [.. content, .. end];
        return [.. said, .. Tag(purpose, said)];
    }

    private byte[]? Open(string purpose, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < EndSize + TagSize)
        {
            return null;
        }
        var said = bytes[..^TagSize];
        return CryptographicOperations.FixedTimeEquals(Tag(purpose, said), bytes[^TagSize..]) && BinaryPrimitives.ReadInt64BigEndian(said[^EndSize..]) > time.GetUtcNow().ToUnixTimeMilliseconds() ? said[..^EndSize].ToArray() : null;
    }

    private byte[] Tag(string purpose, ReadOnlySpan<byte> said) => HMACSHA256.HashData(database.Key, (byte[])[.. Encoding.ASCII.GetBytes($"cloister operator {purpose}\0"), .. said]);
}
