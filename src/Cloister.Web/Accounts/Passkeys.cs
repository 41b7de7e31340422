using System.Runtime.InteropServices.JavaScript;
using System.Security.Cryptography;
using Cloister.Client.Accounts;
using Cloister.Ledger;
using Cloister.Vault.Unlockers;

namespace Cloister.Web.Accounts;

/// <summary>A passkey could not be asked, and why, as a sentence.</summary>
internal sealed class PasskeyFailedException(string message) : Exception(message);

/// <summary><c>passkeys.js</c>: the browser's passkeys, as account flows ask them.</summary>
internal static partial class Passkeys
{
    private const string Module = "passkeys";

    private static Task? _import;

    /// <summary>Whether the last answer came with the output of a PRF: without one a passkey signs in and unlocks nothing.</summary>
    public static bool LastUnlocks { get; private set; }

    public static Task ImportAsync() => _import ??= JSHost.ImportAsync(Module, "../passkeys.js");

    /// <summary>Makes a new passkey.</summary>
    public static PasskeyCeremony Creation(KeyCustody custody) => (question, cancellation) => AskAsync(CreateAsync, custody, question, cancellation);

    /// <summary>Asks for one that there is, whosever it is.</summary>
    public static PasskeyCeremony Request(KeyCustody custody) => (question, cancellation) => AskAsync(GetAsync, custody, question, cancellation);

    private static async Task<PasskeyAnswer?> AskAsync(Func<string, Task<JSObject>> ask, KeyCustody custody, PasskeyQuestion question, CancellationToken cancellationToken)
    {
        await ImportAsync();
        if (!IsPossible())
        {
            throw new PasskeyFailedException("This browser cannot use passkeys here. Use another way.");
        }
        if (cancellationToken.IsCancellationRequested)
        {
            // Said while the operator was asked: there is no question to end yet.
            return null;
        }
        await using var cancelling = cancellationToken.Register(Cancel);
        using var answer = await ask(question.OptionsJson);
        switch (answer.GetPropertyAsString("fault"))
        {
            case "":
                break;
            case "AbortError":
                return null;
            case "NotAllowedError":
                throw new PasskeyFailedException("No passkey was given: you said no, it took too long, or this device has none for Cloister.");
            case "InvalidStateError":
                throw new PasskeyFailedException("There is a passkey for this account already. One is enough in each place.");
            case "SecurityError":
                throw new PasskeyFailedException("Passkeys do not work at this address. Use another way.");
            case "NotSupportedError":
                throw new PasskeyFailedException("This device cannot make the kind of passkey that is needed. Use another way.");
            default:
                throw new PasskeyFailedException("The browser could not ask for a passkey. Use another way.");
        }

        byte[]? output = answer.GetPropertyAsByteArray("secret");
        LastUnlocks = output is { Length: 32 };
        if (!LastUnlocks)
        {
            return new(answer.GetPropertyAsString("json")!, null);
        }
        try
        {
            return new(answer.GetPropertyAsString("json")!, await custody.ImportAsync(UnlockerKind.Passkey, output));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(output);
        }
    }

    [JSImport("possible", Module)]
    private static partial bool IsPossible();

    [JSImport("cancel", Module)]
    private static partial void Cancel();

    [JSImport("create", Module)]
    private static partial Task<JSObject> CreateAsync(string options);

    [JSImport("get", Module)]
    private static partial Task<JSObject> GetAsync(string options);
}
