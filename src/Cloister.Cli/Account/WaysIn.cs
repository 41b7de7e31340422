using System.CommandLine;
using System.CommandLine.Parsing;
using Cloister.Client.Accounts;

namespace Cloister.Cli.Account;

/// <summary>The ways to an account that need no other device. What they need is asked for, never an argument.</summary>
internal sealed class WaysIn
{
    private readonly Option<bool> _words = new("--words") { Description = "With the twelve recovery words." };
    private readonly Option<bool> _passphrase = new("--passphrase") { Description = "With the account's number and its passphrase." };
    private readonly Option<bool> _shares = new("--shares") { Description = "With trustees' shares, as many as suffice." };

    public Option<string?> Operator { get; } = new("--operator") { Description = "The operator that keeps the account. Left out: where 'cloister up' runs on this machine.", HelpName = "URL" };

    public Option<string?> Name { get; } = new("--name") { Description = "What this machine is called among your devices. Left out: its name in the network. The operator does not learn it.", HelpName = "TEXT" };

    public Option<string?> Data { get; } = DestinationOptions.DataOption();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_words, _passphrase, _shares, Operator, Name, Data])
        {
            command.Add(option);
        }
        command.Validators.Add(result =>
        {
            if (Named(result) > 1)
            {
                result.AddError("One way is enough.");
            }
        });
    }

    public int Named(ParseResult parsed) => Named(parsed.CommandResult);

    public int Named(CommandResult result) => new[] { _words, _passphrase, _shares }.Count(result.GetValue);

    public Task<AccountDevice> EnterAsync(ParseResult parsed, AccountEntrance entrance, string name, CancellationToken cancellation)
    {
        if (parsed.GetValue(_words))
        {
            return entrance.EnterWithWordsAsync(SecretPrompts.Words(), name, cancellation);
        }
        return parsed.GetValue(_shares)
            ? entrance.EnterWithSharesAsync(SecretPrompts.Shares(), name, cancellation)
            : entrance.EnterWithPassphraseAsync(SecretPrompts.Number(), SecretPrompts.Passphrase(), name, cancellation);
    }
}
