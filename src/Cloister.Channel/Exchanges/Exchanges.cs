namespace Cloister.Channel.Exchanges;

/// <summary>What client and enclave agree on about exchanges (docs/spec/exchanges.md).</summary>
public static class Exchanges
{
    /// <summary>Exchanges in progress on one session (section 1).</summary>
    public const int MaxConcurrent = 64;

    /// <summary>Bytes that an exchange's receiver lets its sender be ahead (section 1).</summary>
    public const int Window = 256 * 1024;

    /// <summary>Names a request; the enclave answers a name once (section 3).</summary>
    public const string RequestField = "cloister-request";

    /// <summary>Makes an answer resumable, and is needed to resume it (section 4).</summary>
    public const string ResumeField = "cloister-resume";

    /// <summary>How many bytes of an answer's content the client has (section 4).</summary>
    public const string OffsetField = "cloister-offset";

    /// <summary>Where a cut answer goes on: this and the request's name.</summary>
    public const string AnswersPath = "/cloister/v1/answers/";

    /// <summary>Field names with this prefix belong to this protocol and do not reach an application.</summary>
    public const string FieldPrefix = "cloister-";

    /// <summary>The size of a request's name, in bytes, before base64url.</summary>
    public const int RequestNameSize = 16;

    /// <summary>The size of a resumption key, in bytes, before base64url.</summary>
    public const int ResumeKeySize = 32;

    /// <summary>How long an answer is kept for a client that was cut off.</summary>
    public static readonly TimeSpan ResumeWindow = TimeSpan.FromMinutes(2);

    /// <summary>How long a request's name is remembered.</summary>
    public static readonly TimeSpan NameWindow = TimeSpan.FromMinutes(10);
}
