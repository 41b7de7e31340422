using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.Storage;

namespace Cloister.Operator.Accounts.Pairing;

/// <summary>A mailbox for two devices that have nothing in common yet. Docs/spec/accounts.md, section 5.</summary>
internal sealed class PairingEndpoints(AccountRoom room)
{
    private const int SlotSize = 5;
    private const int MaxMessage = 2 << 10;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    // Ours to choose: 80 MB of mailboxes at the most.
    private const long MaxSlots = 10_000;

    public void Map(AccountRoutes routes)
    {
        routes.Open(HttpMethods.Put, "/pairing/{slot}/{number}", PutAsync, MaxMessage);
        routes.Open(HttpMethods.Get, "/pairing/{slot}/{number}", GetAsync);
    }

    private async Task<Answer?> PutAsync(HttpContext context)
    {
        if (Slot(context) is not { } slot || Number(context) is not { } number)
        {
            return Answer.Unknown;
        }
        var (message, refusal) = await Bodies.OctetsAsync(context, MaxMessage);
        if (message is null)
        {
            return refusal;
        }
        if (message.Length == 0)
        {
            return Answer.Malformed("a message");
        }
        if (number == 1 && !room.NewPairings.TryCount(room.AddressOf(context), out var wait))
        {
            return Answer.TooMany(wait.Value);
        }
        return await room.Database.WriteAsync(statements => PutAsync(statements, slot, number, message), context.RequestAborted);
    }

    private async Task<Answer> PutAsync(Statements statements, byte[] slot, long number, byte[] message)
    {
        long now = room.Time.GetUtcNow().ToUnixTimeSeconds(), expires = now + (long)Lifetime.TotalSeconds;
        if (number == 1)
        {
            await statements.ExecuteAsync("DELETE FROM pairings WHERE slot = $1 AND expires <= $2", slot, now);
            if ((await statements.QueryAsync("SELECT count(*) FROM pairings WHERE number = 1", row => row.GetInt64(0)))[0] >= MaxSlots)
            {
                return Answer.TooMany(Lifetime);
            }
        }
        else if (await statements.QueryAsync("SELECT expires FROM pairings WHERE slot = $1 AND number = 1 AND expires > $2", row => row.GetInt64(0), slot, now) is [var end])
        {
            expires = end;
        }
        else
        {
            return Answer.Unknown;
        }
        return await statements.ExecuteAsync("INSERT INTO pairings (slot, number, message, expires) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", slot, number, message, expires) == 1 ? Answer.Done : Answer.Taken;
    }

    private async Task<Answer?> GetAsync(HttpContext context) =>
        Slot(context) is { } slot && Number(context) is { } number
        && await room.Database.ReadAsync(statements => statements.FirstAsync("SELECT message FROM pairings WHERE slot = $1 AND number = $2 AND expires > $3", row => Statements.Bytes(row, 0), slot, number, room.Time.GetUtcNow().ToUnixTimeSeconds()), context.RequestAborted) is { } message
            ? Answer.Octets(message)
            : Answer.Unknown;

    // As a person may have typed it.
    private static byte[]? Slot(HttpContext context)
    {
        byte[] slot = new byte[SlotSize];
        return context.GetRouteValue("slot") is string { Length: <= 16 } text && CrockfordBase32.TryDecode(text, slot) ? slot : null;
    }

    private static long? Number(HttpContext context) => context.GetRouteValue("number") is "1" or "2" or "3" or "4" ? ((string)context.GetRouteValue("number")!)[0] - '0' : null;
}
