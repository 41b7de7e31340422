using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Client;

namespace Cloister.Web.Proof;

/// <summary>Checking is the state in which nothing is known yet; only in Open can anything be sent.</summary>
public enum DoorState { Checking, Open, Refused, Away, NoPolicy }

/// <summary>The way to the enclave: appraises it, opens the channel, and keeps the whole account for the page to show.</summary>
/// <param name="page">The page's own address: the operator's.</param>
public sealed class Door(Uri page) : IDisposable
{
    // Ours to choose: between two attempts at an operator that does not answer.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private SealedHttpHandler? _handler;
    private TaskCompletionSource _now = new();

    public DoorState State { get; private set; }

    /// <summary>The appraisal of the enclave that is spoken with; where all were refused, of each.</summary>
    public ImmutableArray<AttestationResult> Results { get; private set; } = [];

    /// <summary>The evidence was made for development: nothing is protected by hardware.</summary>
    public bool IsSimulated => Results.Any(result => result.IsSimulated);

    public AppraisedEnclave? Enclave { get; private set; }

    /// <summary>What is wrong, as a sentence. Null where nothing is.</summary>
    public string? Fault { get; private set; }

    /// <summary>Goes to the enclave and nowhere else. Null until a policy is there.</summary>
    public HttpClient? Api { get; private set; }

    public event Action? Changed;

    /// <summary>Tries until the door is open, or until the enclave is refused.</summary>
    public async Task OpenAsync()
    {
        if (await ReadPolicyAsync() is not { } policy)
        {
            return;
        }

        _handler = new SealedHttpHandler(new ClientOptions { Operator = page, Policy = policy, Memory = PageMemory.For(policy), Signatures = new WebCryptoSignatures(), Appraised = Keep });
        Api = new HttpClient(_handler) { BaseAddress = SealedHttpHandler.EnclaveAddress, Timeout = Timeout.InfiniteTimeSpan };
        await TryUntilSettledAsync();
    }

    /// <summary>The enclave was found to be out of reach after the door had been open: tries again, until it is. In every other state it is being tried already, or there is nothing to try.</summary>
    public Task OpenAgainAsync(EnclaveUnreachableException fault)
    {
        if (State is not DoorState.Open)
        {
            return Task.CompletedTask;
        }
        Settle(DoorState.Away, fault.Message);
        return TryUntilSettledAsync();
    }

    /// <summary>When this very session was last proved to end in the machine; null where that was not asked.</summary>
    public DateTimeOffset? SessionProved { get; private set; }

    /// <summary>Asks for proof that this very session ends in the machine, now. What is found takes the place of what was shown.</summary>
    public async Task ProveSessionAsync()
    {
        try
        {
            var result = await _handler!.AppraiseSessionAsync(CancellationToken.None);
            (Results, SessionProved) = ([result], result.IsAccepted ? DateTimeOffset.UtcNow : null);
            if (result.IsAccepted)
            {
                Settle(DoorState.Open, null);
            }
            else
            {
                Settle(DoorState.Refused, null);
            }
        }
        catch (EnclaveRefusedException refusal)
        {
            Refuse(refusal);
        }
        catch (HttpRequestException fault)
        {
            Fault = fault.StatusCode is System.Net.HttpStatusCode.TooManyRequests ? "The enclave answers this question every five seconds. Ask again in a moment." : "The enclave did not answer. Nothing more is known than before.";
            Changed?.Invoke();
        }
    }

    /// <summary>Does not wait any longer for the next attempt.</summary>
    public void TryNow() => _now.TrySetResult();

    /// <summary>An enclave was refused when the channel was opened again.</summary>
    public void Refuse(EnclaveRefusedException refusal)
    {
        Results = [.. refusal.Results];
        Settle(DoorState.Refused, refusal.Results.Count == 0 ? "The operator lists no enclave." : null);
    }

    private async Task TryUntilSettledAsync()
    {
        for (var pause = FirstPause; !await TryOpenAsync(_handler!); pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            _now = new TaskCompletionSource();
            await Task.WhenAny(Task.Delay(pause), _now.Task);
        }
    }

    public void Dispose() => Api?.Dispose();

    // True when there is nothing more to try.
    private async Task<bool> TryOpenAsync(SealedHttpHandler handler)
    {
        try
        {
            Enclave = await handler.ConnectAsync(CancellationToken.None);
            Settle(DoorState.Open, null);
            return true;
        }
        catch (EnclaveRefusedException refusal)
        {
            Refuse(refusal);
            return true;
        }
        catch (EnclaveUnreachableException fault)
        {
            Settle(DoorState.Away, fault.Message);
            return false;
        }
    }

    // Also called when the channel is opened again: what is shown is what was last proved.
    private void Keep(AttestationResult result)
    {
        (Results, SessionProved) = ([result], null);
        if (result.TryAccept(out var enclave))
        {
            Enclave = enclave;
        }
        Changed?.Invoke();
    }

    private async Task<AppraisalPolicy?> ReadPolicyAsync()
    {
        try
        {
            using var http = new HttpClient { BaseAddress = page };
            byte[] json = await http.GetByteArrayAsync(new Uri("policy.json", UriKind.Relative));
            if (AppraisalPolicy.TryParse(json, out var policy, out string? fault))
            {
                return policy;
            }
            Settle(DoorState.NoPolicy, fault);
        }
        catch (HttpRequestException)
        {
            Settle(DoorState.NoPolicy, "The policy, which says what to demand of an enclave, could not be loaded.");
        }
        return null;
    }

    private void Settle(DoorState state, string? fault)
    {
        (State, Fault) = (state, fault);
        Changed?.Invoke();
    }
}
