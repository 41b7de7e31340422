using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.Conformance;

/// <summary>The verification contract: a subcommand, one JSON object in, one JSON object out, and an exit code (docs/spec/appraisal.md, section 4).</summary>
internal static class Contract
{
    public const string SchemaVersion = "1";

    private const int Accepted = 0, OurError = 1, Rejected = 10, NotSupported = 20, Malformed = 30;

    // Ours to choose: evidence with all that belongs to it is some tens of kilobytes.
    private const int MaxInput = 16 * 1024 * 1024;

    // Every stage that is there. `capabilities` prints this and nothing else.
    private static readonly Dictionary<string, Func<byte[], Judgement>> Stages = new()
    {
        ["verify-attestation-sev"] = SevStage.Run,
        ["verify-attestation-tdx"] = TdxStage.Run,
        ["verify-sigstore"] = SigstoreStage.Run,
    };

    public static int Run(string[] arguments, Stream input, Stream output)
    {
        if (arguments is ["capabilities"])
        {
            Write(output, new JsonObject { ["schema_version"] = SchemaVersion, ["stages"] = new JsonArray([.. Stages.Keys.Select(name => (JsonNode)name)]), ["commands"] = new JsonArray(BundleCommand.Name) });
            return Accepted;
        }
        if (arguments is [BundleCommand.Name, .. var rest])
        {
            return RunBundle(rest);
        }
        if (arguments is not [var stage] || !Stages.TryGetValue(stage, out var run))
        {
            return NotSupported;
        }

        try
        {
            var judgement = run(ReadAll(input));
            var answer = new JsonObject { ["stage"] = stage, ["accepted"] = judgement.Rejection is null };
            if (judgement.Rejection is null)
            {
                answer["outputs"] = judgement.Outputs;
            }
            else
            {
                answer["rejection"] = new JsonObject { ["code"] = judgement.Rejection };
            }
            Write(output, answer);
            return judgement.Rejection is null ? Accepted : Rejected;
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            return Malformed;
        }
        catch (Exception)
        {
            // Nothing of the input goes into a message.
            return OurError;
        }
    }

    private static int RunBundle(string[] arguments)
    {
        try
        {
            string? reason = BundleCommand.Run(arguments, DateTimeOffset.UtcNow);
            Console.Error.WriteLine(reason is null ? "accepted" : $"rejected: {reason}");
            return reason is null ? Accepted : Rejected;
        }
        catch (Exception fault) when (fault is FormatException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{BundleCommand.Name} --bundle FILE (--certificate-identity ID --certificate-oidc-issuer URL | --key FILE) [--trusted-root FILE] (ARTIFACT | sha256:HEX)");
            return Malformed;
        }
        catch (Exception)
        {
            return OurError;
        }
    }

    private static byte[] ReadAll(Stream input)
    {
        var bytes = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (input.Read(buffer) is var length and > 0)
        {
            bytes.Write(buffer, 0, length);
            if (bytes.Length > MaxInput)
            {
                throw new FormatException("The input is too long.");
            }
        }
        return bytes.ToArray();
    }

    private static void Write(Stream output, JsonObject answer)
    {
        using (var writer = new Utf8JsonWriter(output))
        {
            answer.WriteTo(writer);
        }
        output.WriteByte((byte)'\n');
    }
}

/// <summary>A stage's result: the code of the first check that failed, or what was read.</summary>
internal sealed record Judgement(string? Rejection, JsonObject? Outputs)
{
    public static Judgement Rejected(string code) => new(code, null);

    public static Judgement Accepted(JsonObject outputs) => new(null, outputs);
}
