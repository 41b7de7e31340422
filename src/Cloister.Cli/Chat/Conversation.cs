using System.Text;
using Cloister.Cli.History;
using Cloister.Vault.History;

namespace Cloister.Cli.Chat;

/// <summary>Talks to the enclave, and keeps what is said where the account is to keep it.</summary>
/// <param name="talk">With the enclave.</param>
/// <param name="kept">Null: nothing is written anywhere.</param>
internal sealed class Conversation(EnclaveChat talk, KeptConversation? kept)
{
    public string Model => talk.Model;

    public KeptConversation? Kept => kept;

    /// <summary>Writes the answer to the terminal as it comes.</summary>
    public async Task AnswerAsync(string question, CancellationToken cancellation)
    {
        if (kept is null)
        {
            await AnswerWriter.WriteAsync(talk.SayAsync(question, cancellation));
            return;
        }

        await kept.AskedAsync(question, cancellation);
        var answer = new StringBuilder();
        var state = MessageState.Failed;
        try
        {
            await AnswerWriter.WriteAsync(CopyAsync(talk.SayAsync(question, cancellation), answer));
            state = MessageState.Complete;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            state = MessageState.Stopped;
            throw;
        }
        finally
        {
            await kept.AnsweredAsync(answer.ToString(), talk.Model, state);
        }
    }

    public void BeginAnew()
    {
        talk.Forget();
        kept?.Begin();
    }

    /// <summary>Goes on with a conversation of the account.</summary>
    /// <param name="beginning">Of its ID; null: the newest.</param>
    /// <returns>What was said in it.</returns>
    public async Task<IReadOnlyList<Turn>> ContinueAsync(string? beginning, CancellationToken cancellation)
    {
        if (kept is null)
        {
            throw new CommandFault(ExitCode.Usage, "Only an account keeps conversations: 'cloister login' first.");
        }
        var turns = await kept.ContinueAsync(beginning, cancellation);
        talk.Resume(turns);
        return turns;
    }

    private static async IAsyncEnumerable<string> CopyAsync(IAsyncEnumerable<string> pieces, StringBuilder copy)
    {
        await foreach (string piece in pieces)
        {
            copy.Append(piece);
            yield return piece;
        }
    }
}
