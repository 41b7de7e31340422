using System.Collections.Immutable;
using Cloister.Transparency;

namespace Cloister.Log.Witnesses;

/// <summary>All witnesses of a policy, asked at once. One that is down or slow holds nobody up whom the policy does not need.</summary>
internal sealed partial class WitnessCircle : IDisposable
{
    private readonly LogPolicy _policy;
    private readonly ILogger _logger;
    private readonly HttpClient _http;
    private readonly Dictionary<WitnessClient, Task<(WitnessReply Reply, ImmutableArray<NoteSignature> Cosignatures)>> _underway = [];
    private readonly ImmutableArray<WitnessClient> _witnesses;

    public WitnessCircle(LogPolicy policy, TimeSpan patience, TimeProvider time, ILogger logger)
    {
        (_policy, _logger) = (policy, logger);
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { MaxResponseContentBufferSize = SignedNote.MaxSize, Timeout = Timeout.InfiniteTimeSpan };
        _witnesses = [.. policy.Witnesses.Where(witness => witness.Url is not null).Select(witness => new WitnessClient(witness, _http, patience, time))];
    }

    /// <summary>The checkpoint with enough cosignatures for the policy; null where there were not enough.</summary>
    public async Task<SignedNote?> CosignAsync(SignedNote checkpoint, long size, GrowthProver prove, CancellationToken cancellation)
    {
        var asked = new Dictionary<Task<(WitnessReply Reply, ImmutableArray<NoteSignature> Cosignatures)>, WitnessClient>();
        foreach (var witness in _witnesses)
        {
            if (_underway.TryGetValue(witness, out var last) && !last.IsCompleted)
            {
                LogBusy(witness.Name);
                continue;
            }
            _underway[witness] = witness.CosignAsync(checkpoint, size, prove, cancellation);
            asked[_underway[witness]] = witness;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var cosignatures = ImmutableArray.CreateBuilder<NoteSignature>();
        while (!_policy.IsSatisfiedBy(names) && asked.Count > 0)
        {
            var answered = await Task.WhenAny(asked.Keys);
            asked.Remove(answered, out var witness);
            var (reply, given) = await answered;
            if (reply is WitnessReply.Cosigned)
            {
                names.Add(witness!.Name);
                cosignatures.AddRange(given);
            }
            else
            {
                LogReply(witness!.Name, reply, size);
            }
        }
        return _policy.IsSatisfiedBy(names) ? names.Count == 0 ? checkpoint : checkpoint.With(cosignatures.ToImmutable()) : null;
    }

    public void Dispose() => _http.Dispose();

    [LoggerMessage(LogLevel.Warning, "The witness {Witness} did not cosign: {Reply}, at size {Size}.")]
    private partial void LogReply(string witness, WitnessReply reply, long size);

    [LoggerMessage(LogLevel.Warning, "The witness {Witness} has not answered the last request yet.")]
    private partial void LogBusy(string witness);
}
