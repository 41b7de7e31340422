using System.Net;
using System.Net.Sockets;
using System.Text;
using Cloister.Transparency;

namespace Cloister.Log.Client;

/// <summary>What became of handing an entry to a log. Zero is none.</summary>
public enum SubmissionFault : byte { None, Refused, Busy, MalformedProof, UnverifiedProof }

/// <summary>The log's answer, judged.</summary>
/// <param name="Fault">Zero is none.</param>
/// <param name="Proof">The receipt's exact bytes, verified; null where there is a fault.</param>
/// <param name="Reason">The log's word for a refusal, or what is wrong with its proof.</param>
public sealed record SubmissionResult(SubmissionFault Fault, ReadOnlyMemory<byte>? Proof, string Reason);

/// <summary>Hands entries to a log, and takes no receipt that the policy does not accept.</summary>
public static class LogSubmission
{
    private const int MaxReason = 256;

    /// <summary>Adds an entry. A log that is busy is asked again until <paramref name="patience"/> ends: the same entry keeps its index.</summary>
    /// <exception cref="HttpRequestException">Nobody answers.</exception>
    public static async Task<SubmissionResult> AddAsync(HttpClient http, Uri prefix, ReadOnlyMemory<byte> entry, LogPolicy policy, TimeProvider time, TimeSpan patience, CancellationToken cancellation)
    {
        long began = time.GetTimestamp();
        while (true)
        {
            var (status, retry, answer) = await PostAsync(http, prefix, entry, cancellation);
            if (status is HttpStatusCode.OK)
            {
                return Judge(answer, entry.Span, policy, time.GetUtcNow());
            }

            string reason = answer is null ? "" : Encoding.ASCII.GetString(answer.AsSpan(0, Math.Min(answer.Length, MaxReason))).Trim();
            var pause = retry ?? TimeSpan.FromSeconds(1);
            if (status is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests))
            {
                return new(SubmissionFault.Refused, null, $"{(int)status} {reason}".TrimEnd());
            }
            if (time.GetElapsedTime(began) + pause > patience)
            {
                return new(SubmissionFault.Busy, null, reason);
            }
            await Task.Delay(pause, time, cancellation);
        }
    }

    private static async Task<(HttpStatusCode Status, TimeSpan? Retry, byte[]? Body)> PostAsync(HttpClient http, Uri prefix, ReadOnlyMemory<byte> entry, CancellationToken cancellation)
    {
        try
        {
            using var body = new ReadOnlyMemoryContent(entry);
            using var response = await http.PostAsync(new Uri($"{prefix.AbsoluteUri.TrimEnd('/')}/add"), body, cancellation);
            return (response.StatusCode, response.Headers.RetryAfter?.Delta, await Bounded.ReadAsync(response.Content, LogProof.MaxSize, cancellation));
        }
        catch (Exception cut) when (cut is IOException or SocketException || (cut is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new HttpRequestException($"{prefix} broke off.", cut);
        }
    }

    private static SubmissionResult Judge(byte[]? answer, ReadOnlySpan<byte> entry, LogPolicy policy, DateTimeOffset now)
    {
        if (!LogProof.TryParse(answer, out var proof))
        {
            return new(SubmissionFault.MalformedProof, null, "");
        }
        var verified = proof.Verify(entry, policy, now, null);
        return verified.Fault is LogProofFault.None ? new(SubmissionFault.None, answer, "") : new(SubmissionFault.UnverifiedProof, null, $"{verified.Fault}");
    }
}
