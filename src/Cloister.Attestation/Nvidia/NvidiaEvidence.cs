using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Wire;

namespace Cloister.Attestation;

/// <summary>What the GPUs and switches of one machine said, all of it from the adversary's hands.</summary>
public sealed record NvidiaEvidence
{
    public required ImmutableArray<NvidiaDeviceEvidence> Gpus { get; init; }

    public ImmutableArray<NvidiaDeviceEvidence> Switches { get; init; } = [];
}

/// <summary>What one device said.</summary>
/// <param name="Report">The SPDM request and response, as NVML and NSCQ hand them out.</param>
/// <param name="Certificates">PEM, the device's own first, the root last.</param>
public sealed record NvidiaDeviceEvidence(ReadOnlyMemory<byte> Report, ReadOnlyMemory<byte> Certificates)
{
    /// <summary>In bytes of JSON.</summary>
    public const int MaxJsonSize = 1024 * 1024;

    /// <summary>Reads what NVIDIA's collector writes: an array of objects with <c>evidence</c> and <c>certificate</c> in base64.</summary>
    /// <remarks>Other members (architecture, nonce, versions) are passed over: nobody signed them, and the report says the same.</remarks>
    public static bool TryParseJson(ReadOnlySpan<byte> json, out ImmutableArray<NvidiaDeviceEvidence> devices)
    {
        devices = [];
        try
        {
            var read = json.Length <= MaxJsonSize ? JsonSerializer.Deserialize(json, NvidiaJson.Default.DeviceDocumentArray) : null;
            if (read is null)
            {
                return false;
            }
            var found = ImmutableArray.CreateBuilder<NvidiaDeviceEvidence>();
            foreach (var one in read)
            {
                if (one is null || !Base64.TryDecode(one.Evidence, out var report) || !Base64.TryDecode(one.Certificate, out var certificates))
                {
                    return false;
                }
                found.Add(new NvidiaDeviceEvidence(report, certificates));
            }
            devices = found.ToImmutable();
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    internal sealed record DeviceDocument
    {
        public required string Evidence { get; init; }
        public required string Certificate { get; init; }
    }
}

/// <summary>What is needed to verify the evidence offline, as NVIDIA's services hand it out.</summary>
public sealed record NvidiaCollateral
{
    /// <summary>Manifests in either form: for each driver, VBIOS and switch BIOS that is in use the one that fits. All of them are judged.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Manifests { get; init; } = [];

    /// <summary>In DER, in any order: one for each certificate that the policy asks about.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> OcspResponses { get; init; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowDuplicateProperties = false, RespectNullableAnnotations = true, MaxDepth = 4)]
[JsonSerializable(typeof(NvidiaDeviceEvidence.DeviceDocument[]))]
internal sealed partial class NvidiaJson : JsonSerializerContext;
