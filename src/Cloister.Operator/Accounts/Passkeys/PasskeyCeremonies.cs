using System.Runtime.ExceptionServices;
using System.Text.Json;
using Cloister.Operator.Accounts.Http;
using Cloister.Operator.Accounts.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cloister.Operator.Accounts.Passkeys;

/// <summary>WebAuthn by ASP.NET Core Identity's handler: no cookies, the state of a ceremony travels with the client, authenticated, and any process goes on with it.</summary>
internal sealed class PasskeyCeremonies
{
    private const string Creation = "passkey creation";
    private const string Request = "passkey request";

    private readonly AccountRoom _room;
    private readonly PasskeyHandler<PasskeyUser> _handler;

    public PasskeyCeremonies(AccountRoom room, IServiceProvider services)
    {
        _room = room;
        var users = new UserManager<PasskeyUser>(
            new PasskeyUsers(room.Database), Options.Create(new IdentityOptions()), new PasswordHasher<PasskeyUser>(), [], [], new UpperInvariantLookupNormalizer(), new IdentityErrorDescriber(), services,
            NullLogger<UserManager<PasskeyUser>>.Instance);
        _handler = new PasskeyHandler<PasskeyUser>(users, Options.Create(new IdentityPasskeyOptions
        {
            ServerDomain = room.Options.Domain,
            UserVerificationRequirement = "required",
            ResidentKeyRequirement = "required",
            AttestationConveyancePreference = "none",
            ValidateOrigin = origin => ValueTask.FromResult(!origin.CrossOrigin && IsOwn(origin.Origin, origin.HttpContext)),
        }));
    }

    public async Task<PasskeyOptionsBody> BeginCreationAsync(HttpContext context, PasskeyUser user, string label)
    {
        var options = await _handler.MakeCreationOptionsAsync(new PasskeyUserEntity { Id = user.Id, Name = label, DisplayName = label }, context);
        return Body(options.CreationOptionsJson, Creation, options.AttestationState);
    }

    public async Task<PasskeyOptionsBody> BeginRequestAsync(HttpContext context)
    {
        var options = await _handler.MakeRequestOptionsAsync(null, context);
        return Body(options.RequestOptionsJson, Request, options.AssertionState);
    }

    /// <summary>The new passkey, of that user; null where anything about it is wrong.</summary>
    public async Task<UserPasskeyInfo?> FinishCreationAsync(HttpContext context, PasskeyUser user, string credential, string state)
    {
        if (_room.Challenges.OpenState(Creation, state) is not { } opened)
        {
            return null;
        }
        var result = await _handler.PerformAttestationAsync(new PasskeyAttestationContext { HttpContext = context, CredentialJson = credential, AttestationState = opened });
        ThrowIfOurs(result.Failure);
        return result.Succeeded && result.UserEntity.Id == user.Id ? result.Passkey : null;
    }

    /// <summary>Whose passkey answered, with its new counter; null where none did.</summary>
    public async Task<(PasskeyUser User, UserPasskeyInfo Passkey)?> FinishRequestAsync(HttpContext context, string credential, string state)
    {
        if (_room.Challenges.OpenState(Request, state) is not { } opened)
        {
            return null;
        }
        var result = await _handler.PerformAssertionAsync(new PasskeyAssertionContext { HttpContext = context, CredentialJson = credential, AssertionState = opened });
        ThrowIfOurs(result.Failure);
        return result.Succeeded ? (result.User, result.Passkey) : null;
    }

    // The handler makes a failure of every fault; the database's says nothing about the passkey.
    private static void ThrowIfOurs(PasskeyException? failure)
    {
        if (failure?.InnerException is { } fault && (Database.IsFault(fault) || fault is OperationCanceledException))
        {
            ExceptionDispatchInfo.Throw(fault);
        }
    }

    private PasskeyOptionsBody Body(string options, string purpose, string? state)
    {
        using var document = JsonDocument.Parse(options);
        return new(document.RootElement.Clone(), _room.Challenges.SealState(purpose, state ?? ""));
    }

    // Not by the request's own host: that is whatever its sender writes.
    private bool IsOwn(string origin, HttpContext context) => _room.Options switch
    {
        { Origins: { IsDefault: false } origins } => origins.Contains(origin, StringComparer.Ordinal),
        { Domain: "localhost" }                   => origin == $"http://localhost:{context.Connection.LocalPort}",
        { Domain: var domain }                    => origin == $"https://{domain}",
    };
}
