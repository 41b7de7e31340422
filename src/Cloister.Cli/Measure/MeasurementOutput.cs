using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Transparency;

namespace Cloister.Cli.Measure;

/// <summary>Reference values, for a person or for a release manifest.</summary>
internal static class MeasurementOutput
{
    public static int Write(SnpReference reference, bool json) =>
        Write(new([reference], [], [], []), json, ("launch digest", reference.LaunchDigest));

    public static int Write(TdxReference reference, bool json) =>
        Write(new([], [reference], [], []), json, [("MRTD", reference.Mrtd), .. reference.Rtmrs.Select((value, index) => ($"RTMR {index}", value))]);

    public static int Write(TpmReference reference, bool json) =>
        Write(new([], [], [reference], []), json, [.. reference.Pcrs.Select(pcr => ($"PCR {pcr.Index}", pcr.Sha256))]);

    private static int Write(ReferenceMeasurements measurements, bool json, params (string Name, string Value)[] lines)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(measurements, MeasurementJson.Default.ReferenceMeasurements));
        }
        else
        {
            foreach (var (name, value) in lines)
            {
                Console.Out.WriteLine($"{name,-14} {value}");
            }
        }
        return ExitCode.Done;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ReferenceMeasurements))]
internal sealed partial class MeasurementJson : JsonSerializerContext;
