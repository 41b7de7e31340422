using System.Collections.Immutable;
using System.Data.Common;
using Cloister.Ledger;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.Storage;
using Cloister.Operator.Accounts.Unlockers;
using Cloister.Primitives;

namespace Cloister.Operator.Accounts.SignIn;

/// <summary>That somebody has an unlocker's secret: its signature under a fresh challenge.</summary>
internal sealed class Proof(AccountRoom room)
{
    // Ours to choose. Accounts in which an unlocker of that identity is looked for, those that had it first: a random identity is nobody else's before its owner has it, and one that is made from
    // an account's number comes with that number.
    private const int MaxAccounts = 64;

    // For the time that it takes. It is the curve's base point, under which anybody can sign: what it verifies counts for nothing.
    private static readonly Ed25519PublicKey Nobody = new([0x58, .. Enumerable.Repeat((byte)0x66, 31)]);

    /// <summary>Begins before a proof is judged: not too many from one address may be wrong, for the same unlocker or for any. By address as well, so whoever makes attempts in an unlocker's name uses up nobody else's.</summary>
    public Attempt Begin(HttpContext context, Identity unlocker) => new(room.AddressOf(context), (room.WrongByUnlocker, $"{unlocker}"), (room.WrongByAddress, ""));

    /// <summary>The account whose unlocker made the signature, of several the first that had it; null where none did. An unknown unlocker takes as long as a wrong signature.</summary>
    /// <param name="only">An unlocker of this account, and of no other. Null: of any.</param>
    public async Task<AccountNumber?> VerifyAsync(ProofBody proof, Message message, AccountNumber? only, CancellationToken cancellation)
    {
        if (proof.Challenge.Length > SignInMessage.MaxChallenge)
        {
            return null;
        }
        var found = await FindAsync(proof.Unlocker, only, cancellation);
        byte[] signed = message(proof.Unlocker, proof.Challenge);
        AccountNumber? signer = null;
        foreach (var (account, key) in found.IsEmpty ? [(default, Nobody)] : found)
        {
            if (key.Verify(signed, proof.Signature) && !ReferenceEquals(key, Nobody))
            {
                signer ??= account;
            }
        }
        return room.Challenges.IsGood(proof.Challenge) ? signer : null;
    }

    /// <summary>Takes a proof that was verified, within a transaction that has the account: the unlocker may have ended meanwhile, and a challenge is good once.</summary>
    /// <returns>The unlocker; null where it proves nothing any more.</returns>
    public async Task<Identity?> SpendAsync(Statements statements, AccountNumber account, ProofBody proof) =>
        await UnlockerRows.FindAsync(statements, account, proof.Unlocker) is { SignInKey: not null } && await room.Challenges.TrySpendAsync(statements, proof.Challenge) ? proof.Unlocker : null;

    /// <summary>What is signed: one of <see cref="SignInMessage"/>.</summary>
    public delegate byte[] Message(Identity unlocker, ReadOnlySpan<byte> challenge);

    private async Task<ImmutableArray<(AccountNumber Account, Ed25519PublicKey Key)>> FindAsync(Identity unlocker, AccountNumber? only, CancellationToken cancellation) => [.. await room.Database.ReadAsync(statements => only is { } account
        ? statements.QueryAsync("SELECT account, sign_in_key FROM unlockers WHERE unlocker = $1 AND account = $2 AND sign_in_key IS NOT NULL", Read, unlocker.ToArray(), account.ToArray())
        : statements.QueryAsync($"SELECT account, sign_in_key FROM unlockers WHERE unlocker = $1 AND sign_in_key IS NOT NULL ORDER BY place LIMIT {MaxAccounts}", Read, unlocker.ToArray()), cancellation)];

    private static (AccountNumber Account, Ed25519PublicKey Key) Read(DbDataReader row) => (AccountNumber.Read(Statements.Bytes(row, 0)), new Ed25519PublicKey(Statements.Bytes(row, 1)));
}
