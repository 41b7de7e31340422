using Cloister.Testing;

namespace Cloister.Enclave.Tests.Program;

/// <summary>Configuration files as operators write them.</summary>
internal static class Configurations
{
    public static string DemonstrationModel { get; } = Path.Combine(Repository.Root, "models", "demonstration");

    public static string Upstream(Uri address, string listen = "127.0.0.1:0") => $$"""
        {
          "config": {
            "engine": { "kind": "Upstream", "upstream": "{{address}}" },
            "limits": { "sessions": 7, "answers": 3, "request_bytes": 1000, "answer_tokens": 11 },
            "shaping_floor": "Paced",
            "egress": [],
            "counters": []
          },
          "models": [ { "name": "m" } ],
          "listen": "{{listen}}",
          "reports": "REPORTS"
        }
        """;

    public static string Embedded(string? folder = null) => $$"""
        {
          "config": {
            "engine": { "kind": "Embedded" },
            "limits": { "sessions": 10, "answers": 2, "request_bytes": 1000, "answer_tokens": 64 },
            "shaping_floor": "Padded",
            "egress": [],
            "counters": []
          },
          "models": [ { "name": "demonstration", "folder": "{{folder ?? DemonstrationModel}}" } ],
          "listen": "127.0.0.1:0",
          "reports": "REPORTS"
        }
        """;
}
