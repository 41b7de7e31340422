using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Cloister.Client.History;
using Cloister.Ledger;
using Cloister.Primitives;

namespace Cloister.Client.Accounts;

/// <summary>The operator over HTTP, for one signed-in account (docs/spec/accounts.md, sections 3 and 4). What comes is well-formed and bounded; nothing of it is verified here.</summary>
/// <param name="session">Is not disposed.</param>
public sealed class HttpAccountLink(AccountSession session) : AccountLink
{
    /// <summary>Of an attachment's part, in bytes: the header and 64 sealed chunks.</summary>
    public const int MaxPart = ChunkedEncryption.HeaderSize + (64 * ChunkedEncryption.SealedChunkSize);

    private const int MaxParts = 4 << 20;

    private readonly OperatorRequests _requests = session.Accounts.Requests;

    public override async Task<PushOutcome> PushAsync(ChangeBatch batch, CancellationToken cancellationToken)
    {
        byte[] bytes = batch.ToBytes();
        try
        {
            var answer = await AskAsync(HttpMethod.Post, "account/changes", () => OperatorRequests.Octets(bytes), cancellationToken).ConfigureAwait(false);
            return new PushOutcome.Taken(Read(answer, AccountJson.Default.SequenceJson).Sequence);
        }
        catch (AccountFaultException fault) when (fault.Refused is { } refused)
        {
            return refused is { Status: HttpStatusCode.Conflict, Code: "stale" } ? new PushOutcome.Stale(refused.Sequence ?? 0) : new PushOutcome.Refused(NameOf(refused), fault.Message);
        }
    }

    public override async Task<ChangePage?> FetchAsync(ulong after, CancellationToken cancellationToken)
    {
        var answer = await ReadingAsync(token => _requests.SendAsync(HttpMethod.Get, $"account/changes?after={after}", null, token, cancellationToken, ChangePage.MaxSize), cancellationToken).ConfigureAwait(false);
        return answer.Status is HttpStatusCode.NoContent ? null
            : ChangePage.TryParse(answer.Bytes, out var page, out _) ? page
            : throw new OperatorUnreachableException("The operator answered something that is no page of changes.");
    }

    public override async Task<ImmutableArray<EpochRecord>> EpochsAsync(CancellationToken cancellationToken) =>
        (await ReadingAsync(token => session.Accounts.ReadAsync(token, cancellationToken), cancellationToken).ConfigureAwait(false)).Epochs;

    /// <summary>Ends when the connection does, and when nothing comes for a minute: whoever listens begins again, and is told the newest head at once.</summary>
    public override async IAsyncEnumerable<ulong> ListenAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await ReadingAsync(token => _requests.OpenAsync(HttpMethod.Get, "account/feed", null, token, cancellationToken), cancellationToken).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var feed = new HeadFeed(body);
        while (await feed.NextAsync(cancellationToken).ConfigureAwait(false) is { } sequence)
        {
            yield return sequence;
        }
    }

    public override async Task PutPartAsync(Identity attachment, int part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(HttpMethod.Put, $"account/attachments/{attachment}/{part}", () => OperatorRequests.Octets(bytes), cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Refused is { } refused)
        {
            throw new AttachmentRefusedException(refused.Status is HttpStatusCode.Conflict ? "conflict" : NameOf(refused), fault.Message);
        }
    }

    public override async Task<byte[]?> GetPartAsync(Identity attachment, int part, CancellationToken cancellationToken)
    {
        try
        {
            return (await AskAsync(HttpMethod.Get, $"account/attachments/{attachment}/{part}", null, cancellationToken, MaxPart).ConfigureAwait(false)).Bytes;
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.NotThere)
        {
            return null;
        }
    }

    public override async Task<ImmutableArray<int>> PartsAsync(Identity attachment, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await AskAsync(HttpMethod.Get, $"account/attachments/{attachment}", null, cancellationToken, MaxParts).ConfigureAwait(false);
            int[] parts = Read(answer, AccountJson.Default.PartsJson).Parts;
            return parts.Any(part => part < 0) ? throw new OperatorUnreachableException("The operator answered something that is no list of parts.") : [.. parts.Distinct().Order()];
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.NotThere)
        {
            return [];
        }
    }

    public override async Task DeleteAttachmentAsync(Identity attachment, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(HttpMethod.Delete, $"account/attachments/{attachment}", null, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Fault is AccountFault.NotThere)
        {
            // Removed already.
        }
    }

    private Task<OperatorAnswer> AskAsync(HttpMethod method, string path, Func<HttpContent>? content, CancellationToken cancellationToken, int most = OperatorRequests.MaxUsual) =>
        UseAsync(token => _requests.SendAsync(method, path, content?.Invoke(), token, cancellationToken, most), cancellationToken);

    // Too many requests, a session that does not last and nonsense are weather: what is to be sent waits. Refusals that mean something are the caller's.
    private async Task<T> UseAsync<T>(Func<AccountToken, Task<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await session.UseAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault) when (fault.Refused is null || fault.Fault is AccountFault.TooManyAttempts or AccountFault.SessionEnded)
        {
            throw new OperatorUnreachableException(fault.Message, fault);
        }
        catch (Exception fault) when (OperatorRequests.IsUnreachable(fault, cancellationToken))
        {
            throw new OperatorUnreachableException("The operator does not answer.", fault);
        }
    }

    // For what is only read no refusal means anything.
    private async Task<T> ReadingAsync<T>(Func<AccountToken, Task<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await UseAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (AccountFaultException fault)
        {
            throw new OperatorUnreachableException(fault.Message, fault);
        }
    }

    private static T Read<T>(OperatorAnswer answer, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return answer.Read(type);
        }
        catch (AccountFaultException fault)
        {
            throw new OperatorUnreachableException(fault.Message, fault);
        }
    }

    // The operator's word only where it is one of ours: it is shown to people and written down.
    private static string NameOf(RefusedRequest refused) => refused.Code is "malformed" or "signature" or "quota" ? refused.Code : $"{(int)refused.Status}";
}
