using System.Collections.Immutable;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary>Two releases side by side, in sentences. What is not mentioned is the same.</summary>
internal static class ReleaseDifference
{
    private const int Shown = 12; // characters of a digest: enough for people to compare

    public static IEnumerable<string> Of(LogStatement from, LogStatement to)
    {
        var (before, after) = (from.Release!, to.Release!);
        string[] sentences =
        [
            .. Changed("Namespace", from.Namespace, to.Namespace),
            .. Changed("Version", before.Version, after.Version),
            .. Changed("Code revision", before.SourceRevision, after.SourceRevision),
            .. Compared("File", before.Artifacts, after.Artifacts, artifact => artifact.Name, artifact => artifact.Sha256, IsConfiguration, "Configuration"),
            .. Compared("Measurement", Measured(before.Measurements), Measured(after.Measurements), one => one.Name, one => one.Value),
            .. Compared("Model", before.Models, after.Models, model => model.Name, ModelWords),
            .. Changed("Security version", $"{before.SecurityVersion}", $"{after.SecurityVersion}"),
            .. Floor(before, after),
            .. Changed("Valid from", from.NotBefore, to.NotBefore),
            .. Changed("Valid until", from.NotAfter, to.NotAfter),
        ];
        return sentences.Length == 0 ? ["Nothing changed."] : sentences;
    }

    private static IEnumerable<string> Changed(string what, string before, string after) => before == after ? [] : [$"{what}: {before} → {after}."];

    private static IEnumerable<string> Floor(ReleaseManifest before, ReleaseManifest after) => before.MinimumAcceptedVersion == after.MinimumAcceptedVersion ? []
        : [$"Floor: releases with a security version below {after.MinimumAcceptedVersion} are refused; it was {before.MinimumAcceptedVersion}.{(after.MinimumAcceptedVersion > before.SecurityVersion ? " The old release will be refused." : "")}"];

    private static IEnumerable<string> Compared<T>(string kind, ImmutableArray<T> before, ImmutableArray<T> after, Func<T, string> name, Func<T, string> value, Func<string, bool>? isSpecial = null, string special = "")
    {
        string Called(string one) => $"{(isSpecial?.Invoke(one) is true ? special : kind)} {one}";
        var old = before.ToDictionary(name, value);
        foreach (var one in after)
        {
            string called = Called(name(one));
            if (!old.Remove(name(one), out string? was))
            {
                yield return $"{called}: new, {Short(value(one))}.";
            }
            else if (was != value(one))
            {
                yield return $"{called}: {string.Join("; ", Parts(was, value(one)))}.";
            }
        }
        foreach (string gone in old.Keys)
        {
            yield return $"{Called(gone)}: no longer there.";
        }
    }

    // Of a value of several parts only those that differ.
    private static IEnumerable<string> Parts(string before, string after) =>
        before.Split(", ").Zip(after.Split(", ")).Where(pair => pair.First != pair.Second).Select(pair => $"{Short(pair.First)} → {Short(pair.Second)}");

    private static string Short(string value) => string.Join(", ", value.Split(", ").Select(part => part.Split(' ') is [.. var words, { Length: > Shown } digest] ? string.Join(' ', [.. words, digest[..Shown]]) : part));

    private static bool IsConfiguration(string name) => name.EndsWith(".json", StringComparison.Ordinal);

    private static string ModelWords(ReleasedModel model) => $"weights {model.Weights}, tokenizer {model.Tokenizer}, template {model.Template}";

    private static ImmutableArray<(string Name, string Value)> Measured(ReferenceMeasurements measurements) =>
    [
        .. Numbered(measurements.Snp.Select(one => ($"SEV-SNP of {one.Vcpus} {one.VcpuType}", one.LaunchDigest))),
        .. Numbered(measurements.Tdx.Select(one => ($"TDX of {one.Shape}", $"MRTD {one.Mrtd}, {string.Join(", ", one.Rtmrs.Select((register, index) => $"RTMR{index} {register}"))}"))),
        .. Numbered(measurements.Tpm.Select(one => ($"TPM of {one.Shape}", string.Join(", ", one.Pcrs.Select(pcr => $"PCR{pcr.Index} {pcr.Sha256}"))))),
        .. Numbered(measurements.GpuRims.Select(one => ($"GPU manifest {one}", "named"))),
    ];

    // A shape may be there several times.
    private static IEnumerable<(string Name, string Value)> Numbered(IEnumerable<(string Name, string Value)> measured) =>
        measured.GroupBy(one => one.Name).SelectMany(group => group.Select((one, index) => (index == 0 ? one.Name : $"{one.Name} ({index + 1})", one.Value)));
}
