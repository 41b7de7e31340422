using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Cloister.Primitives;

/// <summary>Who does the arithmetic: libsodium and the platform, or managed code where neither is there (the browser).</summary>
internal enum Backend : byte { Native, Managed }

internal static class Backends
{
    public static Backend Default => OperatingSystem.IsBrowser() ? Backend.Managed : Backend.Native;

    /// <summary>True where managed code must do it. Folded to <c>true</c> by the trimmer in the browser, so that native code falls away there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsManaged(this Backend backend) => OperatingSystem.IsBrowser() || backend is Backend.Managed;
}

/// <summary>Bytes of a secret in one place that the collector does not move, wiped when their owner is disposed.</summary>
internal sealed class Secret(int length)
{
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);
    private bool _wiped;

    public static Secret Of(ReadOnlySpan<byte> bytes)
    {
        var secret = new Secret(bytes.Length);
        bytes.CopyTo(secret._bytes);
        return secret;
    }

    public static Secret Random(int length)
    {
        var secret = new Secret(length);
        RandomNumberGenerator.Fill(secret._bytes);
        return secret;
    }

    /// <summary>The bytes, for as long as the owner lives.</summary>
    public Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_wiped, this);
            return _bytes;
        }
    }

    /// <summary>The same, for managed code that wants an array. It must not keep it.</summary>
    public byte[] Array => Bytes.IsEmpty ? [] : _bytes;

    public void Wipe()
    {
        CryptographicOperations.ZeroMemory(_bytes);
        _wiped = true;
    }
}

internal static class Sizes
{
    /// <summary>Lengths of keys and signatures are the caller's to get right: another one is misuse, not an attack.</summary>
    public static void Require(int actual, int expected, string parameter)
    {
        if (actual != expected)
        {
            throw new ArgumentException($"Must be {expected} bytes, not {actual}.", parameter);
        }
    }
}
