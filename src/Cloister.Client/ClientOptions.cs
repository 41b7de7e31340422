using Cloister.Attestation;
using Cloister.Channel;
using Cloister.Primitives;

namespace Cloister.Client;

/// <summary>Which deployment to speak to, and what is demanded of it.</summary>
public sealed record ClientOptions
{
    // For each of the operator's answers on the way to a channel. The handshake has its own.
    internal static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>The operator's address, <c>http</c> or <c>https</c>. It is trusted with nothing.</summary>
    public required Uri Operator { get; init; }

    public required AppraisalPolicy Policy { get; init; }

    /// <summary>The device's own time.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ShapingProfile Shaping { get; init; } = ShapingProfile.Paced;

    /// <summary>How long a cut answer is asked for again before it is given up. The enclave keeps it for two minutes.</summary>
    public TimeSpan ResumePatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How the directory is fetched. Null: the platform's handler.</summary>
    public HttpMessageHandler? DirectoryHandler { get; init; }

    /// <summary>What the device remembers of the log. Left alone: only what this handler has seen.</summary>
    public CheckpointMemory Memory { get; init; } = CheckpointMemory.ForThisRun();

    /// <summary>Who checks the signatures of an enclave's evidence, and is believed. Null: this library.</summary>
    public SignatureChecker? Signatures { get; init; }

    /// <summary>Called with each appraisal, accepted or not, before anything is sent: for a proof panel.</summary>
    public Action<AttestationResult>? Appraised { get; init; }
}
