using System.Net;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Enclave.Engines;
using Cloister.Enclave.Tests.Api;
using Cloister.Simulation;

namespace Cloister.Enclave.Tests.Host;

/// <summary>Proof that a session ends in the machine, asked through the session (docs/spec/statement.md, section 6).</summary>
public class SessionEvidenceTests
{
    private static CancellationToken Patience => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_machine_signs_that_this_session_ends_in_it()
    {
        await using var enclave = await RunningEnclave.StartAsync(Setup());
        using var handler = Handler(enclave);
        var result = await handler.AppraiseSessionAsync(Patience);
        Assert.True(result.IsAccepted);
        Assert.Equal(Verdict.Passed, result.Checks.Single(check => check.Name == nameof(BundleCheck.Session)).Verdict);
        Assert.True(result.IsSimulated);
    }

    [Fact]
    public async Task A_session_that_asks_again_at_once_waits()
    {
        await using var enclave = await RunningEnclave.StartAsync(Setup());
        using var handler = Handler(enclave);
        await handler.AppraiseSessionAsync(Patience);
        var soon = await Assert.ThrowsAsync<HttpRequestException>(() => handler.AppraiseSessionAsync(Patience));
        Assert.Equal(HttpStatusCode.TooManyRequests, soon.StatusCode);

        // Another session has its own turn.
        using var other = Handler(enclave);
        Assert.True((await other.AppraiseSessionAsync(Patience)).IsAccepted);
    }

    [Fact]
    public async Task Evidence_for_something_else_proves_no_session_and_closes_it()
    {
        // The machine of an enclave that hands its sessions on: it signs statements, and for a session whatever it was asked before.
        int asked = 0;
        var elsewhere = new EvidenceSource(RunningEnclave.Evidence.Node, (reportData, cancellation) =>
            RunningEnclave.Evidence.AttestAsync(Interlocked.Increment(ref asked) == 1 ? reportData : new byte[64], cancellation));
        await using var enclave = await RunningEnclave.StartAsync(Setup() with { Evidence = elsewhere });
        using var handler = Handler(enclave);
        var first = await handler.ConnectAsync(Patience);
        var result = await handler.AppraiseSessionAsync(Patience);
        Assert.False(result.IsAccepted);
        Assert.Equal(["Snp.ReportData"], result.Checks.Where(check => check.Verdict is Verdict.Failed).Select(check => check.Name));
        Assert.NotSame(first, await handler.ConnectAsync(Patience));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public async Task A_nonce_has_one_length(int length)
    {
        await using var enclave = await RunningEnclave.StartAsync(Setup());
        using var client = enclave.Client();
        using var answer = await client.PostAsync(new Uri(SessionBinding.Path, UriKind.Relative), new ByteArrayContent(new byte[length]), Patience);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private static EnclaveSetup Setup() => RunningEnclave.Setup(new EmbeddedEngine([], ApiOnKestrel.Limits, TimeProvider.System));

    private static SealedHttpHandler Handler(RunningEnclave enclave) => new(new ClientOptions { Operator = enclave.Address, Policy = SimulatedEnclave.Policy(RunningEnclave.Authority) });
}
