using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Inference;
using Cloister.Transparency;

namespace Cloister.Cli.Release;

/// <summary><c>release new</c>: what was built from what, and what machines that run it measure.</summary>
internal static class NewCommand
{
    public static Command Make()
    {
        var artifacts = new Argument<string[]>("file") { Description = "The build's files, each FILE or NAME=FILE.", Arity = ArgumentArity.OneOrMore };
        var revision = new Option<string>("--revision") { Description = "The sources' git commit, in full.", HelpName = "COMMIT", Required = true };
        var version = new Option<string>("--version") { Description = "For people, such as 1.4.0.", HelpName = "TEXT", Required = true };
        var security = new Option<int>("--security-version") { Description = "A number that grows with each release that closes a hole.", HelpName = "N", Required = true };
        var minimum = new Option<int?>("--minimum-version") { Description = "From now on releases with a smaller security version are refused. Left out: 0.", HelpName = "N" };
        var measurements = new Option<string[]>("--measurements") { Description = "What machines measure that run it, as JSON: the members snp, tdx, tpm and gpu_rims of docs/spec/transparency.md, section 5. Several are put together.", HelpName = "FILE", Required = true };
        var models = new Option<string[]>("--model") { Description = "A model that it serves, FOLDER or NAME=FOLDER.", HelpName = "FOLDER" };
        var statement = new StatementOptions();

        var command = new Command("new", "Write the entry of a new release. It prints the entry's digest.") { artifacts, revision, version, security, minimum, measurements, models };
        statement.AddTo(command);
        command.SetAction(parsed => statement.Write(parsed, empty => empty with
        {
            Release = new ReleaseManifest
            {
                Version = parsed.GetRequiredValue(version),
                SourceRevision = parsed.GetRequiredValue(revision),
                Artifacts = [.. parsed.GetRequiredValue(artifacts).Select(StatementOptions.ArtifactOf)],
                Measurements = Together(parsed.GetRequiredValue(measurements).Select(ReadMeasurements)),
                Models = [.. (parsed.GetValue(models) ?? []).Select(ModelOf)],
                SecurityVersion = parsed.GetRequiredValue(security),
                MinimumAcceptedVersion = parsed.GetValue(minimum) ?? 0,
            },
        }));
        return command;
    }

    private static ReleasedModel ModelOf(string argument)
    {
        string[] parts = Directory.Exists(argument) ? [Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(argument))), argument] : argument.Split('=', 2);
        if (parts is not [var name, var folder] || !Directory.Exists(folder))
        {
            throw new CommandFault(ExitCode.Usage, $"There is no folder '{argument}'.");
        }
        var digest = ModelFolder.Open(folder).Digest();
        return new ReleasedModel(name, digest.Weights, digest.Tokenizer, digest.Template);
    }

    private static ReferenceMeasurements ReadMeasurements(string file)
    {
        try
        {
            var parts = JsonSerializer.Deserialize(EntryFile.ReadBytes(file), ReleaseJson.Default.MeasurementParts) ?? throw new JsonException();
            return new(parts.Snp ?? [], parts.Tdx ?? [], parts.Tpm ?? [], parts.GpuRims ?? []);
        }
        catch (JsonException fault)
        {
            throw new CommandFault(ExitCode.Usage, $"{file}, line {fault.LineNumber + 1}: at {fault.Path ?? "$"} a member is unknown, missing, given twice, or not what belongs there.", fault);
        }
    }

    private static ReferenceMeasurements Together(IEnumerable<ReferenceMeasurements> parts) => parts.Aggregate((one, other) =>
        new([.. one.Snp, .. other.Snp], [.. one.Tdx, .. other.Tdx], [.. one.Tpm, .. other.Tpm], [.. one.GpuRims, .. other.GpuRims]));
}

/// <summary>A file of measurements: a platform that is not there measures nothing.</summary>
internal sealed record MeasurementParts
{
    public ImmutableArray<SnpReference>? Snp { get; init; }

    public ImmutableArray<TdxReference>? Tdx { get; init; }

    public ImmutableArray<TpmReference>? Tpm { get; init; }

    public ImmutableArray<string>? GpuRims { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(MeasurementParts))]
internal sealed partial class ReleaseJson : JsonSerializerContext;
