using Cloister.Channel.Exchanges;
using Cloister.Wire;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Nerdbank.Streams;

namespace Cloister.Enclave.SealedServer;

/// <summary>One request and its answer (docs/spec/exchanges.md, sections 2 to 4).</summary>
internal sealed class SealedExchange<TContext>(
    MultiplexingStream.Channel channel, IHttpApplication<TContext> application, SealedServerOptions options, AnswerMemory answers, ReplayWindow replays, Func<bool> isLost) where TContext : notnull
{
    private const int RequestIdSize = 16;
    private static readonly TimeSpan HeadPatience = TimeSpan.FromSeconds(30);

    public async Task RunAsync()
    {
        var reader = new BinaryHttpReader(channel.Input);
        RequestHead head;
        using (var patience = new CancellationTokenSource(HeadPatience, options.Channel.Time))
        {
            head = await reader.ReadRequestHeadAsync(patience.Token);
        }

        if (!Base64.TryDecodeUrl(ValueOf(head, Exchanges.RequestField), out var id) || id.Length != RequestIdSize)
        {
            await RefuseAsync(StatusCodes.Status400BadRequest);
        }
        else if (head.Path.StartsWith(Exchanges.AnswersPath, StringComparison.Ordinal))
        {
            await ResumeAsync(head);
        }
        else if (!replays.TryAdd(ValueOf(head, Exchanges.RequestField)))
        {
            await RefuseAsync(StatusCodes.Status409Conflict);
        }
        else
        {
            await AnswerAsync(head, reader);
        }
    }

    private async Task AnswerAsync(RequestHead head, BinaryHttpReader reader)
    {
        using var aborted = new CancellationTokenSource();
        string resume = ValueOf(head, Exchanges.ResumeField);
        var memory = resume.Length > 0 ? answers.Begin(ValueOf(head, Exchanges.RequestField), resume, () => Cancel(aborted)) : null;
        var answer = new AnswerStream(channel.Output, memory, isLost);

        // A client that cancels closes the exchange; one that was cut off did not, and a resumable answer then goes on.
        _ = channel.Completion.ContinueWith(_ => Ended(memory, aborted), TaskScheduler.Default);

        var features = Describe(head, new RequestStream(reader, options.MaxRequestBytes), answer, aborted);
        var context = application.CreateContext(features);
        Exception? failure = null;
        bool ended = true;
        try
        {
            await application.ProcessRequestAsync(context);
            await features.GetRequiredFeature<IHttpResponseBodyFeature>().CompleteAsync();
            await answer.EndAsync();
        }
        catch (Exception e)
        {
            failure = e;
            ended = await FailAsync(answer, e);
        }
        finally
        {
            await answer.Response.RunCompletedAsync();
            application.DisposeContext(context, failure);
            memory?.Close(complete: failure is null);
        }

        // An answer without its end is cut off at once: the client must not wait for more of it.
        if (ended)
        {
            await LingerAsync();
        }
        if (memory is not null && !isLost())
        {
            answers.Forget(memory);
        }
    }

    // Never with the exception's text: it is not the peer's. False where the head has left, or nobody is there to read one.
    private static async Task<bool> FailAsync(AnswerStream answer, Exception failure)
    {
        if (answer.HasStarted || failure is OperationCanceledException)
        {
            return false;
        }
        answer.Response.StatusCode = failure is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError;
        answer.Response.Headers.Clear();
        await answer.EndAsync();
        return true;
    }

    private void Ended(Answer? memory, CancellationTokenSource aborted)
    {
        if (memory is not null && isLost())
        {
            memory.Orphan();
        }
        else
        {
            Cancel(aborted);
        }
    }

    private static void Cancel(CancellationTokenSource aborted)
    {
        try
        {
            _ = aborted.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The answer was complete before.
        }
    }

    private async Task ResumeAsync(RequestHead head)
    {
        string id = head.Path[Exchanges.AnswersPath.Length..];
        if (head.Method != "GET" || !long.TryParse(ValueOf(head, Exchanges.OffsetField), out long offset) || offset < 0
            || !answers.TryFind(id, ValueOf(head, Exchanges.ResumeField), out var memory))
        {
            await RefuseAsync(StatusCodes.Status404NotFound);
            return;
        }

        using var kept = memory.Resume();
        using var gone = new CancellationTokenSource();
        _ = channel.Completion.ContinueWith(_ => Cancel(gone), TaskScheduler.Default);
        try
        {
            await SendAsync(memory, offset, gone.Token);
        }
        finally
        {
            // Read to its end, or cancelled: nobody comes back for it. What was cut again, somebody may.
            if (!isLost())
            {
                answers.Forget(memory);
            }
        }
    }

    private async Task SendAsync(Answer memory, long offset, CancellationToken gone)
    {
        BinaryHttpCodec.WriteResponseHead(channel.Output, await memory.WaitForHeadAsync(gone));
        while (await memory.ReadAsync(offset, gone) is { IsEmpty: false } more)
        {
            BinaryHttpCodec.WriteChunk(channel.Output, more.Span);
            await channel.Output.FlushAsync(gone);
            offset += more.Length;
        }
        await EndAsync();
    }

    private async Task RefuseAsync(int status)
    {
        BinaryHttpCodec.WriteResponseHead(channel.Output, new ResponseHead(status, []));
        await EndAsync();
    }

    private async Task EndAsync()
    {
        BinaryHttpCodec.WriteEnd(channel.Output, []);
        await channel.Output.CompleteAsync();
        await LingerAsync();
    }

    // Closing an exchange drops what has not left yet, so it stays until the client has read to the end and let go, or is gone.
    private Task LingerAsync() => channel.Completion.WaitAsync(Exchanges.ResumeWindow, options.Channel.Time).ContinueWith(_ => { }, TaskScheduler.Default);

    private static FeatureCollection Describe(RequestHead head, RequestStream body, AnswerStream answer, CancellationTokenSource aborted)
    {
        int query = head.Path.IndexOf('?');
        var request = new HttpRequestFeature
        {
            Protocol = "HTTP/1.1",
            Method = head.Method,
            Scheme = head.Scheme,
            RawTarget = head.Path,
            Path = Unescape(query < 0 ? head.Path : head.Path[..query]),
            QueryString = query < 0 ? "" : head.Path[query..],
            Body = body,
        };
        foreach (var field in head.Fields.Where(field => !field.Name.StartsWith("cloister-", StringComparison.Ordinal)))
        {
            request.Headers.Append(field.Name, field.Value);
        }
        request.Headers.Host = head.Authority;

        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(request);
        features.Set<IHttpRequestBodyDetectionFeature>(body);
        features.Set<IHttpResponseFeature>(answer.Response);
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature { RequestAborted = aborted.Token });
        return features;
    }

    // As Kestrel does: an escaped slash stays escaped, because it is not one that divides the path.
    private static string Unescape(string path) => Uri.UnescapeDataString(path.Replace("%2F", "%252F", StringComparison.OrdinalIgnoreCase));

    private static string ValueOf(RequestHead head, string name) => head.Fields.FirstOrDefault(field => field.Name == name).Value ?? "";
}
