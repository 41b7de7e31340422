using Cloister.Attestation;
using Cloister.Enclave.SealedServer;

namespace Cloister.Enclave.Api;

/// <summary>Evidence that the session of the request ends in this machine, now (docs/spec/statement.md, section 6).</summary>
internal sealed class SessionEvidenceEndpoint(Attester attester, TimeProvider time)
{
    public void Map(IEndpointRouteBuilder api) => api.MapPost(SessionBinding.Path, AnswerAsync);

    private async Task AnswerAsync(HttpContext context)
    {
        byte[] nonce = new byte[SessionBinding.NonceSize + 1];
        int length = await context.Request.Body.ReadAtLeastAsync(nonce, nonce.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (length != SessionBinding.NonceSize || context.Features.Get<ServedSession>() is not { } session)
        {
            await ApiError.Invalid("The content must be a nonce of 32 bytes.", null).WriteAsync(context);
            return;
        }

        var binding = new SessionBinding(session.Identity.StatementHash, session.HandshakeHash, nonce.AsMemory(0, length));
        var evidence = session.MayAsk(time) ? await attester.TryAttestAsync(binding.ReportData(), context.RequestAborted) : null;
        if (evidence is not { } answered || !EnclaveBundle.TryParse(session.Identity.Bundle.Span, out var bundle))
        {
            await ApiError.Busy.WriteAsync(context);
            return;
        }

        // Devices beside the machine answered the statement's nonce, and the statement stands: what they said goes along.
        var besides = bundle.Evidence.Where(one => !answered.Any(newer => newer.Platform == one.Platform));
        byte[] body = (bundle with { Evidence = [.. answered, .. besides] }).ToBytes();
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
