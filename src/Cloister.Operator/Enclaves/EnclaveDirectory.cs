using System.Collections.Immutable;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Wire;

namespace Cloister.Operator;

/// <summary>The enclaves that answer now, each with its bundle. Docs/spec/operator.md, section 2.</summary>
/// <remarks>It is made at most once every few seconds, however many ask. What does not answer in time is absent.</remarks>
internal sealed class EnclaveDirectory(ImmutableArray<Enclave> enclaves, TimeProvider time)
{
    // Ours to choose: short against a statement's hour, long against a crowd that asks.
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private const int MaxBundle = 4 * 1024 * 1024;

    private readonly Lock _lock = new();
    private Task<byte[]>? _latest;
    private long _madeAt;

    /// <summary>The directory as JSON.</summary>
    public Task<byte[]> GetAsync()
    {
        lock (_lock)
        {
            bool usable = _latest is { IsCompleted: false } or { IsCompletedSuccessfully: true } && time.GetElapsedTime(_madeAt) < Lifetime;
            if (!usable)
            {
                (_latest, _madeAt) = (Task.Run(MakeAsync), time.GetTimestamp());
            }
            return _latest!;
        }
    }

    private async Task<byte[]> MakeAsync()
    {
        var entries = await Task.WhenAll(enclaves.Select(AskAsync));
        return JsonSerializer.SerializeToUtf8Bytes(new DirectoryDocument([.. entries.OfType<DirectoryEntry>()]), DirectoryJson.Default.DirectoryDocument);
    }

    private async Task<DirectoryEntry?> AskAsync(Enclave enclave)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var socket = await enclave.ConnectAsync(LinkKind.Bundle, patience.Token);
        if (socket is null)
        {
            return null;
        }
        try
        {
            byte[]? bundle = await ReadToEndAsync(socket, patience.Token);
            return bundle is null ? null : new DirectoryEntry(enclave.Name, Base64.Encode(bundle));
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException)
        {
            return null;
        }
    }

    // Null for nothing, and for more than a bundle may be.
    private static async Task<byte[]?> ReadToEndAsync(Socket socket, CancellationToken cancellationToken)
    {
        using var bundle = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer, cancellationToken) is > 0 and int read)
        {
            bundle.Write(buffer, 0, read);
            if (bundle.Length > MaxBundle)
            {
                return null;
            }
        }
        return bundle.Length > 0 ? bundle.ToArray() : null;
    }
}

internal sealed record DirectoryDocument(ImmutableArray<DirectoryEntry> Enclaves);

/// <param name="Bundle">Base64 of the bytes that the enclave gave. The operator does not look into them.</param>
internal sealed record DirectoryEntry(string Name, string Bundle);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DirectoryDocument))]
internal sealed partial class DirectoryJson : JsonSerializerContext;
