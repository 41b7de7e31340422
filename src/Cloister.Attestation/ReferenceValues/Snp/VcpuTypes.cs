using System.Collections.Frozen;

namespace Cloister.Attestation.ReferenceValues;

/// <summary>Types of virtual processors by QEMU's names, and the CPUID signature that each starts with (AMD 25481, CPUID Fn0000_0001 EAX).</summary>
public static class VcpuTypes
{
    private static readonly FrozenDictionary<string, uint> Signatures = Named(
        ("EPYC", 4, Signature(23, 1, 2)),
        ("EPYC-IBPB", 0, Signature(23, 1, 2)),
        ("EPYC-Rome", 4, Signature(23, 49, 0)),
        ("EPYC-Milan", 2, Signature(25, 1, 1)),
        ("EPYC-Genoa", 1, Signature(25, 17, 0)),
        ("EPYC-Turin", 1, Signature(26, 0, 0))).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every name that is known, in order.</summary>
    public static IEnumerable<string> Names => Signatures.Keys.Order(StringComparer.Ordinal);

    public static bool TryGetSignature(string name, out uint signature) => Signatures.TryGetValue(name, out signature);

    /// <summary>The number that a family, a model and a stepping make.</summary>
    public static uint Signature(int family, int model, int stepping)
    {
        int low = Math.Min(family, 0xF);
        return (uint)((family - low) << 20 | (model >> 4 & 0xF) << 16 | low << 8 | (model & 0xF) << 4 | (stepping & 0xF));
    }

    // Versions of a type differ in features, never in the signature.
    private static IEnumerable<KeyValuePair<string, uint>> Named(params (string Name, int Versions, uint Signature)[] types) =>
        from type in types
        from version in Enumerable.Range(0, type.Versions + 1)
        select KeyValuePair.Create(version == 0 ? type.Name : $"{type.Name}-v{version}", type.Signature);
}
