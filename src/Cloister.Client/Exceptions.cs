using Cloister.Attestation;

namespace Cloister.Client;

/// <summary>The operator, or the enclave behind it, does not answer. Nothing was sent to it.</summary>
public sealed class EnclaveUnreachableException(string message, Exception? inner = null) : HttpRequestException(HttpRequestError.ConnectionError, message, inner);

/// <summary>No enclave of the deployment passed the policy. Nothing was sent.</summary>
public sealed class EnclaveRefusedException(IReadOnlyList<AttestationResult> results)
    : HttpRequestException(HttpRequestError.SecureConnectionError, results.Count == 0 ? "The operator lists no enclave. Nothing was sent." : "No enclave passed the policy. Nothing was sent.")
{
    /// <summary>The whole account of each appraisal, in the order in which the enclaves were tried.</summary>
    public IReadOnlyList<AttestationResult> Results { get; } = results;
}

/// <summary>The session ended in the middle of an answer, and the answer could not be resumed. What had arrived has been delivered.</summary>
public sealed class EnclaveLostException(Exception? inner = null) : IOException("The connection to the enclave was lost before the answer was complete.", inner);

/// <summary>The enclave let go of the answer, or sent something that is none. What had arrived has been delivered.</summary>
public sealed class AnswerBrokenOffException(string message, Exception? inner = null) : IOException(message, inner);
