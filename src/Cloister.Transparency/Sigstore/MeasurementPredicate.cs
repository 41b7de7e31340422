using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Wire;

namespace Cloister.Transparency;

/// <summary>Predicates that say what an enclave's hardware will measure, by their published types.</summary>
public static class MeasurementPredicate
{
    /// <summary><c>snp_measurement</c>, and <c>rtmr1</c> and <c>rtmr2</c> in <c>tdx_measurement</c>.</summary>
    public const string MultiPlatform = "https://tinfoil.sh/predicate/snp-tdx-multiplatform/v1";

    /// <summary><c>snp_measurement</c>.</summary>
    public const string SevSnp = "https://tinfoil.sh/predicate/sev-snp-guest/v2";

    // SHA-384.
    private const int RegisterSize = 48;

    /// <summary>The registers in lower-case hex, in the order of the summaries above. A type of another kind has none.</summary>
    /// <returns>False where the type promises registers and one is missing or malformed.</returns>
    public static bool TryRead(InTotoStatement statement, out ImmutableArray<string> registers)
    {
        var predicate = statement.Predicate;
        var found = statement.PredicateType switch
        {
            MultiPlatform => [Register(predicate, "snp_measurement"), Register(Member(predicate, "tdx_measurement"), "rtmr1"), Register(Member(predicate, "tdx_measurement"), "rtmr2")],
            SevSnp => [Register(predicate, "snp_measurement")],
            _ => ImmutableArray<string?>.Empty,
        };
        bool formed = !found.Contains(null);
        registers = formed ? [.. found.Select(register => register!)] : [];
        return formed;
    }

    private static string? Register(JsonElement element, string name)
    {
        var member = Member(element, name);
        try
        {
            return member.ValueKind is JsonValueKind.String && member.GetString() is { Length: 2 * RegisterSize } hex && Hex.TryDecode(hex.ToLowerInvariant(), out var bytes) ? Hex.Encode(bytes) : null;
        }
        catch (InvalidOperationException)
        {
            return null; // not text, whatever its escapes say
        }
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;
}
