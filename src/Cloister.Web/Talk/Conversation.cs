using System.Net;
using Cloister.Client;
using Cloister.Web.Proof;

namespace Cloister.Web.Talk;

/// <summary>The turns so far, in this page's memory and nowhere else.</summary>
public sealed class Conversation(Door door) : IDisposable
{
    private readonly List<Turn> _turns = [];
    private CancellationTokenSource? _answering;

    public IReadOnlyList<Turn> Turns => _turns;

    public bool IsAnswering => _answering is not null;

    /// <summary>A turn came, went or ended.</summary>
    public event Action? Changed;

    /// <summary>A question that was not sent: it goes back to its writer.</summary>
    public event Action<string>? GivenBack;

    public async Task AskAsync(string question)
    {
        if (IsAnswering)
        {
            GivenBack?.Invoke(question);
            return;
        }

        var turn = new Turn(question);
        _turns.Add(turn);
        using var stopping = _answering = new CancellationTokenSource();
        Changed?.Invoke();
        try
        {
            await AnswerAsync(turn, stopping.Token);
        }
        finally
        {
            _answering = null;
            Changed?.Invoke();
        }
    }

    /// <summary>Stops the answer in progress, also in the enclave. What has arrived is kept.</summary>
    public void Stop() => _answering?.Cancel();

    /// <summary>Asks the last question once more, in place of its answer.</summary>
    public Task TryAgainAsync()
    {
        if (IsAnswering || _turns.Count == 0)
        {
            return Task.CompletedTask;
        }
        var last = _turns[^1];
        _turns.Remove(last);
        return AskAsync(last.Question);
    }

    public void Dispose() => _answering?.Dispose();

    private async Task AnswerAsync(Turn turn, CancellationToken stopping)
    {
        try
        {
            await foreach (string piece in Answers.StreamAsync(door, _turns, stopping))
            {
                turn.Add(piece);
            }
            turn.End(TurnState.Complete);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            turn.End(TurnState.Stopped, "You stopped this answer.");
        }
        catch (EnclaveRefusedException refusal)
        {
            TakeBack(turn);
            door.Refuse(refusal);
        }
        catch (EnclaveUnreachableException fault)
        {
            TakeBack(turn);
            _ = door.OpenAgainAsync(fault);
        }
        catch (AnswerRefusedException refusal)
        {
            turn.End(TurnState.Failed, refusal.Status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
                ? "The enclave is busy: all of its places are taken. Try again in a moment."
                : $"The enclave did not answer: {refusal.Message}");
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException or System.Text.Json.JsonException)
        {
            turn.End(TurnState.Lost, turn.Answer.Length > 0
                ? "The connection was lost. What had arrived is kept, but the answer is not whole."
                : "The connection was lost before an answer arrived.");
        }
    }

    // Nothing left the device, so the page looks as it did before.
    private void TakeBack(Turn turn)
    {
        _turns.Remove(turn);
        GivenBack?.Invoke(turn.Question);
    }
}
