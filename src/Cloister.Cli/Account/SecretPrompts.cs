using System.Security.Cryptography;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Cli.Account;

/// <summary>Asks for what opens an account.</summary>
internal static class SecretPrompts
{
    private const int MostShares = 16;

    public static RecoveryWords Words() =>
        RecoveryWords.TryParse(Prompts.AskSecretly("The twelve recovery words:"), out var words, out var fault) ? words : throw new CommandFault(ExitCode.Usage, Explain(fault));

    public static AccountNumber Number() =>
        AccountNumber.TryParse(Prompts.Ask("The account's number:"), out var account) ? account : throw new CommandFault(ExitCode.Usage, "That is no account number: 16 letters and digits, such as 7KQ2-M9XA-0000-0000.");

    public static string Passphrase() => Prompts.AskSecretly("The passphrase:");

    /// <summary>A new one, typed twice.</summary>
    public static string NewPassphrase()
    {
        string passphrase = Prompts.AskSecretly("A new passphrase, of at least twelve characters:");
        if (Cloister.Vault.Unlockers.Passphrase.Check(passphrase) is not PassphraseFault.None and var fault)
        {
            throw new CommandFault(ExitCode.Usage, Explain(fault));
        }
        return Prompts.AskSecretly("The same again:") == passphrase ? passphrase : throw new CommandFault(ExitCode.Usage, "These are two different passphrases, and nothing was changed.");
    }

    /// <summary>Share after share, until they suffice.</summary>
    public static List<string> Shares()
    {
        var shares = new List<string>();
        while (shares.Count < MostShares)
        {
            string share = Prompts.AskSecretly($"Share {shares.Count + 1} (nothing to stop):").Trim();
            if (share.Length == 0)
            {
                break;
            }
            shares.Add(share);
            if (Trustees.TryJoin(shares, out _, out byte[] secret, out var fault))
            {
                CryptographicOperations.ZeroMemory(secret);
                return shares;
            }
            if (fault.Kind is not SharesFaultKind.TooFew)
            {
                throw new CommandFault(ExitCode.Usage, Explain(fault));
            }
        }
        throw new CommandFault(ExitCode.Usage, "These shares are too few.");
    }

    private static string Explain(WordsFault fault) => fault.Kind switch
    {
        WordsFaultKind.WrongCount  => $"There are {fault.Position} words, and not twelve.",
        WordsFaultKind.UnknownWord => $"Word {fault.Position} is not in the list: it is mistyped.",
        _                          => "These words do not belong together: one is another, or two changed places.",
    };

    private static string Explain(PassphraseFault fault) => fault switch
    {
        PassphraseFault.TooShort   => "It has fewer than twelve characters.",
        PassphraseFault.TooLong    => "It is longer than 1,024 bytes.",
        PassphraseFault.TooUniform => "It is nearly the same character over and over.",
        _                          => "It is not text.",
    };

    private static string Explain(SharesFault fault) => fault.Kind switch
    {
        SharesFaultKind.Mixed    => $"Share {fault.Position} belongs to another set.",
        SharesFaultKind.Repeated => $"Share {fault.Position} was there already.",
        _                        => $"Share {fault.Position} is mistyped.",
    };
}
