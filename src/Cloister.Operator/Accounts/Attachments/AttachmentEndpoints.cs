using System.Globalization;
using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Changes;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.SignIn;
using Cloister.Operator.Accounts.Storage;
using Cloister.Primitives;

namespace Cloister.Operator.Accounts.Attachments;

/// <summary>Sealed parts of attachments. Docs/spec/accounts.md, section 4.</summary>
internal sealed class AttachmentEndpoints(AccountRoom room)
{
    // Docs/spec/vault.md, section 5: the first part has the header as well.
    private const int ChunksPerPart = 64;
    private const int MaxPart = ChunkedEncryption.HeaderSize + (ChunksPerPart * ChunkedEncryption.SealedChunkSize);

    // Ours to choose: 64 GiB. The quota ends earlier.
    private const int MaxParts = 65_536;

    // Deleted in steps, so that nobody else waits long for the one writer.
    private const int PartsAtOnce = 16;

    public void Map(AccountRoutes routes)
    {
        routes.SignedIn(HttpMethods.Put, "/account/attachments/{id}/{part}", PutAsync, MaxPart);
        routes.SignedIn(HttpMethods.Get, "/account/attachments/{id}/{part}", GetAsync);
        routes.SignedIn(HttpMethods.Get, "/account/attachments/{id}", ShowAsync);
        routes.SignedIn(HttpMethods.Delete, "/account/attachments/{id}", DeleteAsync);
    }

    private async Task<Answer?> PutAsync(HttpContext context, SignedIn session)
    {
        if (Attachment(context) is not { } attachment || Part(context) is not { } part)
        {
            return Answer.Unknown;
        }
        var (bytes, refusal) = await Bodies.OctetsAsync(context, MaxPart);
        if (bytes is null)
        {
            return refusal;
        }
        if (bytes.Length == 0)
        {
            return Answer.Malformed("a part of an attachment");
        }
        byte[] digest = SHA256.HashData(bytes);
        return await room.Database.WriteAsync(session.Account, statements => PutAsync(statements, session, attachment, part, bytes, digest), context.RequestAborted);
    }

    private async Task<Answer> PutAsync(Statements statements, SignedIn session, byte[] attachment, long part, byte[] bytes, byte[] digest)
    {
        if (await room.Sessions.LockAsync(statements, session) is not { } locked)
        {
            return Answer.NoSession;
        }
        byte[] number = session.Account.ToArray();
        if (await statements.FirstAsync("SELECT digest FROM parts WHERE account = $1 AND attachment = $2 AND part = $3", row => Statements.Bytes(row, 0), number, attachment, part) is { } known)
        {
            return known.AsSpan().SequenceEqual(digest) ? Answer.Done : Answer.Taken;
        }
        long used = locked.Used + bytes.Length + Usage.PerItem;
        if (used > room.Quota)
        {
            return Answer.Full;
        }
        await statements.ExecuteAsync("INSERT INTO parts (account, attachment, part, size, digest, sealed) VALUES ($1, $2, $3, $4, $5, $6)", number, attachment, part, (long)bytes.Length, digest, bytes);
        await statements.ExecuteAsync("UPDATE accounts SET used = $2 WHERE account = $1", number, used);
        return Answer.Done;
    }

    private async Task<Answer?> GetAsync(HttpContext context, SignedIn session) =>
        Attachment(context) is { } attachment && Part(context) is { } part
        && await room.Database.ReadAsync(statements => statements.FirstAsync("SELECT sealed FROM parts WHERE account = $1 AND attachment = $2 AND part = $3", row => Statements.Bytes(row, 0), session.Account.ToArray(), attachment, part), context.RequestAborted) is { } bytes
            ? Answer.Octets(bytes)
            : Answer.Unknown;

    private async Task<Answer?> ShowAsync(HttpContext context, SignedIn session)
    {
        var parts = Attachment(context) is not { } attachment ? []
            : await room.Database.ReadAsync(statements => statements.QueryAsync("SELECT part, size FROM parts WHERE account = $1 AND attachment = $2 ORDER BY part", row => (Part: row.GetInt64(0), Size: row.GetInt64(1)), session.Account.ToArray(), attachment), context.RequestAborted);
        return parts.Count == 0 ? Answer.Unknown : Answer.Json(StatusCodes.Status200OK, new PartsBody([.. parts.Select(part => part.Part)], parts.Sum(part => part.Size)), AccountsJson.Default.PartsBody);
    }

    private async Task<Answer?> DeleteAsync(HttpContext context, SignedIn session)
    {
        if (Attachment(context) is not { } attachment)
        {
            return Answer.Unknown;
        }
        Answer? answer;
        do
        {
            answer = await room.Database.WriteAsync(session.Account, statements => DeleteAsync(statements, session, attachment), context.RequestAborted);
        }
        while (answer is null);
        return answer;
    }

    // Null while there may be more.
    private async Task<Answer?> DeleteAsync(Statements statements, SignedIn session, byte[] attachment)
    {
        if (await room.Sessions.LockAsync(statements, session) is not { } locked)
        {
            return Answer.NoSession;
        }
        byte[] number = session.Account.ToArray();
        var parts = await statements.QueryAsync($"SELECT part, size FROM parts WHERE account = $1 AND attachment = $2 ORDER BY part LIMIT {PartsAtOnce}", row => (Part: row.GetInt64(0), Size: row.GetInt64(1)), number, attachment);
        foreach (var (part, _) in parts)
        {
            await statements.ExecuteAsync("DELETE FROM parts WHERE account = $1 AND attachment = $2 AND part = $3", number, attachment, part);
        }
        await statements.ExecuteAsync("UPDATE accounts SET used = $2 WHERE account = $1", number, locked.Used - parts.Sum(part => part.Size + Usage.PerItem));
        return parts.Count == PartsAtOnce ? null : Answer.Gone;
    }

    private static byte[]? Attachment(HttpContext context) => Identity.TryParse((string?)context.GetRouteValue("id"), out var id) ? id.ToArray() : null;

    private static long? Part(HttpContext context) =>
        context.GetRouteValue("part") is string text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int part) && part < MaxParts && part.ToString(CultureInfo.InvariantCulture) == text ? part : null;
}
