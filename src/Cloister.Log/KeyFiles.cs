using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Transparency;
using Cloister.Wire;

namespace Cloister.Log;

/// <summary>Private keys in files of their own: one line, as Go's note package writes it, for one user's eyes.</summary>
public static class KeyFiles
{
    private const int SeedSize = 32;

    /// <summary>Makes a key and writes it. The public part is for everybody.</summary>
    /// <exception cref="IOException">The file is there already: a key is never overwritten.</exception>
    public static VerifierKey Create(string file, string name, NoteKeyType type)
    {
        Span<byte> encoded = stackalloc byte[1 + SeedSize];
        encoded[0] = (byte)type;
        RandomNumberGenerator.Fill(encoded[1..]);
        using var key = SignerKey.ImportSeed(name, type, encoded[1..]);
        var forThisUser = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            forThisUser.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using var stream = new StreamWriter(file, forThisUser);
        stream.WriteLine($"PRIVATE+KEY+{name}+{key.Verifier.Id:x8}+{Base64.Encode(encoded)}");
        CryptographicOperations.ZeroMemory(encoded);
        return key.Verifier;
    }

    /// <summary>Reads a key's file. False where there is none, or it holds something else.</summary>
    public static bool TryRead(string? file, [NotNullWhen(true)] out SignerKey? key)
    {
        key = null;
        return File.Exists(file) && SignerKey.TryParse(File.ReadAllText(file).Trim(), out key);
    }

    internal static ImmutableArray<string> Faults(string name, string? file, params NoteKeyType[] types)
    {
        bool read = TryRead(file, out var key);
        bool fits = read && types.Contains(key!.Verifier.Type);
        key?.Dispose();
        return !read ? [$"{name}: there is no private key in '{file}'."]
            : !fits ? [$"{name}: the key in '{file}' is not of type {string.Join(" or ", types.Select(type => (int)type))}."] : [];
    }
}

/// <summary>Policies in files.</summary>
internal static class PolicyFiles
{
    public static bool TryRead(string? file, [NotNullWhen(true)] out LogPolicy? policy, out string fault)
    {
        policy = null;
        if (!File.Exists(file))
        {
            fault = $"there is no file '{file}'.";
            return false;
        }
        bool read = LogPolicy.TryParse(File.ReadAllBytes(file), out policy, out var wrong);
        fault = read ? "" : $"'{file}' is no policy: {wrong}.";
        return read;
    }
}
