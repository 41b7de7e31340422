using System.Globalization;
using Cloister.Channel.Exchanges;
using Cloister.Wire;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Cloister.Enclave.SealedServer;

/// <summary>One request and its answer (docs/spec/exchanges.md, sections 2 to 4).</summary>
internal sealed class SealedExchange<TContext>(Exchange exchange, ServedSession session, IHttpApplication<TContext> application, Door door) where TContext : notnull
{
    private static readonly TimeSpan HeadPatience = TimeSpan.FromSeconds(10);

    private readonly BinaryHttpReader _reader = new(exchange);

    public async Task RunAsync()
    {
        RequestHead head;
        using (var patience = new CancellationTokenSource(HeadPatience, door.Options.Channel.Time))
        {
            try
            {
                head = await _reader.ReadRequestHeadAsync(patience.Token);
            }
            catch (Exception e) when (e is BinaryHttpException or OperationCanceledException)
            {
                door.Counters.Count(DoorCounter.RequestsMalformed);
                throw;
            }
        }

        if (!TryReadName(ValueOf(head, Exchanges.RequestField), out var name) || head.Path[0] != '/')
        {
            await RefuseAsync(StatusCodes.Status400BadRequest, DoorCounter.RequestsMalformed);
        }
        else if (head.Path.StartsWith(Exchanges.AnswersPath, StringComparison.Ordinal))
        {
            await ResumeAsync(head);
        }
        else if (!door.Names.TryUse(name))
        {
            await RefuseAsync(StatusCodes.Status409Conflict, DoorCounter.RequestsRepeated);
        }
        else if (!door.TryEnter())
        {
            await RefuseAsync(StatusCodes.Status503ServiceUnavailable, DoorCounter.RequestsRefused);
        }
        else
        {
            try
            {
                await AnswerAsync(head, name);
            }
            finally
            {
                door.Leave();
            }
        }
    }

    private async Task AnswerAsync(RequestHead head, UInt128 name)
    {
        door.Counters.Count(DoorCounter.Requests);
        var aborted = new CancellationTokenSource();
        var kept = TryReadKey(head, out byte[] key) ? door.Answers.Begin(name, key, () => _ = aborted.CancelAsync()) : null;
        kept?.BeginLive(exchange);
        _ = FollowAsync(kept, aborted);

        var answer = new AnswerHead();
        var writer = new AnswerWriter(exchange, answer, kept, withoutContent: head.Method == "HEAD", aborted.Token);
        var context = application.CreateContext(Features(head, answer, writer, aborted));
        Exception? failure = null;
        try
        {
            await application.ProcessRequestAsync(context);
            await writer.CompleteAsync();
        }
        catch (Exception e)
        {
            failure = e;
            await FailAsync(e, answer, writer, kept, aborted.IsCancellationRequested);
        }
        await answer.RunCompletedAsync();
        application.DisposeContext(context, failure);
    }

    // Never with the exception's text: it is not the peer's.
    private async Task FailAsync(Exception failure, AnswerHead answer, AnswerWriter writer, KeptAnswer? kept, bool aborted)
    {
        if (!aborted && failure is not ExchangeException)
        {
            door.Counters.Count(DoorCounter.ApplicationFaults);
        }
        try
        {
            if (!answer.HasStarted && !aborted)
            {
                writer.Discard();
                answer.Reset(failure switch { BadHttpRequestException bad => bad.StatusCode, BinaryHttpException => StatusCodes.Status400BadRequest, _ => StatusCodes.Status500InternalServerError });
                await writer.CompleteAsync();
                return;
            }
        }
        catch (Exception e) when (e is ExchangeException or OperationCanceledException)
        {
            // The client is gone meanwhile.
        }
        if (kept is not null)
        {
            door.Answers.Forget(kept);
        }
        exchange.Abandon();
    }

    // A client that lets go of its exchange cancels. One that was cut off did not: a resumable answer then goes on for a while.
    private async Task FollowAsync(KeptAnswer? kept, CancellationTokenSource aborted)
    {
        var fault = await exchange.Completion;
        if (kept?.Orphan(exchange) is false)
        {
            return;
        }
        if (kept is not null && fault is not ExchangeFault.SessionLost)
        {
            // The client has everything, or wants nothing more. Forgetting stops what is still being made.
            door.Answers.Forget(kept);
        }
        if (kept is null && fault is not ExchangeFault.None)
        {
            await aborted.CancelAsync();
        }
    }

    private async Task ResumeAsync(RequestHead head)
    {
        if (head.Method != "GET" || !TryReadName(head.Path[Exchanges.AnswersPath.Length..], out var name) || !TryReadKey(head, out byte[] key)
            || !long.TryParse(ValueOf(head, Exchanges.OffsetField), NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
        {
            await RefuseAsync(StatusCodes.Status400BadRequest, DoorCounter.RequestsMalformed);
        }
        else if (!door.Answers.TryFind(name, key, out var kept))
        {
            await RefuseAsync(StatusCodes.Status404NotFound);
        }
        else if (!kept.TryTakeOver(exchange, offset))
        {
            await RefuseAsync(StatusCodes.Status410Gone);
        }
        else
        {
            door.Counters.Count(DoorCounter.AnswersResumed);
            await DeliverAsync(kept, offset);
        }
    }

    private async Task DeliverAsync(KeptAnswer kept, long offset)
    {
        var ended = new CancellationTokenSource();
        _ = FollowAsync(kept, ended);
        _ = FollowAsync(null, ended);
        var output = new BinaryHttpWriter(exchange);
        var head = await kept.HeadAsync(ended.Token);
        if (head is not null)
        {
            output.WriteHead(head with { Fields = head.Fields.Add(new(Exchanges.OffsetField, offset.ToString(CultureInfo.InvariantCulture))) });
            while (await kept.CopyAsync(offset, output, ended.Token) is { } length)
            {
                if (length == 0)
                {
                    await output.EndAsync(kept.Trailers, ended.Token);
                    return;
                }
                await output.FlushAsync(ended.Token);
                offset += length;
            }
        }
        exchange.Abandon();
    }

    private async Task RefuseAsync(int status, DoorCounter? counter = null)
    {
        if (counter is { } counted)
        {
            door.Counters.Count(counted);
        }
        var output = new BinaryHttpWriter(exchange);
        output.WriteHead(new ResponseHead(status, []));
        await output.EndAsync([], CancellationToken.None);
    }

    private FeatureCollection Features(RequestHead head, AnswerHead answer, AnswerWriter writer, CancellationTokenSource aborted)
    {
        int query = head.Path.IndexOf('?', StringComparison.Ordinal);
        var request = new HttpRequestFeature
        {
            Protocol = "HTTP/1.1",
            Method = head.Method,
            Scheme = head.Scheme,
            RawTarget = head.Path,
            Path = PathString.FromUriComponent(query < 0 ? head.Path : head.Path[..query]).Value!,
            QueryString = query < 0 ? "" : head.Path[query..],
        };
        foreach (var (name, value) in head.Fields)
        {
            if (!name.StartsWith(Exchanges.FieldPrefix, StringComparison.Ordinal))
            {
                request.Headers.Append(name, value);
            }
        }
        request.Headers.Host = head.Authority;
        var body = new RequestBody(_reader, head, request.Headers.ContentLength, door.Options.MaxRequestBytes);
        request.Body = body;

        var features = new FeatureCollection(10);
        features.Set(session);
        features.Set<IHttpRequestFeature>(request);
        features.Set<IHttpRequestBodyDetectionFeature>(body);
        features.Set<IHttpResponseFeature>(answer);
        features.Set<IHttpResponseTrailersFeature>(answer);
        features.Set<IHttpResponseBodyFeature>(writer);
        features.Set<IHttpRequestLifetimeFeature>(new Lifetime(exchange, aborted));
        return features;
    }

    private static string ValueOf(RequestHead head, string name)
    {
        foreach (var field in head.Fields)
        {
            if (field.Name == name)
            {
                return field.Value;
            }
        }
        return "";
    }

    private static bool TryReadName(string text, out UInt128 name)
    {
        bool read = Base64.TryDecodeUrl(text, out var bytes) && bytes.Length == Exchanges.RequestNameSize;
        name = read ? System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes) : default;
        return read;
    }

    private static bool TryReadKey(RequestHead head, out byte[] key)
    {
        bool read = Base64.TryDecodeUrl(ValueOf(head, Exchanges.ResumeField), out var bytes) && bytes.Length == Exchanges.ResumeKeySize;
        key = read ? bytes! : [];
        return read;
    }

    private sealed class Lifetime(Exchange exchange, CancellationTokenSource aborted) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = aborted.Token;

        public void Abort() => exchange.Abandon();
    }
}
