using System.Security.Cryptography;
using Cloister.Primitives;
using Cloister.Simulation;

namespace Cloister.Attestation.Tests;

/// <summary>One simulated machine for all tests: its root takes seconds to make.</summary>
internal static class Machine
{
    public static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>What the authority forgets: its root's key.</summary>
    public static readonly RSA RootKey = RSA.Create(4096);

    public static readonly DevelopmentAuthority Authority = DevelopmentAuthority.Create(Now, RootKey);

    public static readonly X25519PrivateKey ChannelKey = X25519PrivateKey.Generate();

    public static readonly AppraisalPolicy Policy = SimulatedEnclave.Policy(Authority);

    public static EnclaveStatement Statement { get; } = SimulatedEnclave.Statement(Authority, ChannelKey.PublicKey, Now);

    public static SessionBinding Session { get; } = new(EnclaveStatement.Hash(Statement.ToBytes()), Enumerable.Repeat((byte)7, 32).ToArray(), Enumerable.Repeat((byte)9, 32).ToArray());

    /// <summary>A bundle in which one thing of the statement or of the report is other than it should be.</summary>
    public static byte[] Bundle(EnclaveStatement? statement = null, Func<SimulatedReport, SimulatedReport>? spoil = null) => Parts(statement, spoil).ToBytes();

    /// <summary>The same, to be spoiled further.</summary>
    public static EnclaveBundle Parts(EnclaveStatement? statement = null, Func<SimulatedReport, SimulatedReport>? spoil = null)
    {
        byte[] bytes = (statement ?? Statement).ToBytes();
        var report = new SimulatedReport { ReportData = EnclaveStatement.ReportData(bytes), Measurement = SimulatedEnclave.Measurement };
        return new EnclaveBundle(bytes, [Authority.Attest(spoil?.Invoke(report) ?? report).ToPlatformEvidence()]);
    }

    /// <summary>The SEV-SNP evidence of a bundle.</summary>
    public static SnpEvidence Snp(EnclaveBundle bundle)
    {
        Assert.True(SnpEvidence.TryParse(bundle.Evidence.Single(evidence => evidence.Platform == SnpEvidence.Platform).Content.Span, out var evidence));
        return evidence;
    }

    /// <summary>The bundle with other SEV-SNP evidence.</summary>
    public static byte[] With(EnclaveBundle bundle, Func<SnpEvidence, SnpEvidence> change) => (bundle with { Evidence = [change(Snp(bundle)).ToPlatformEvidence()] }).ToBytes();

    public static string[] Failures(AttestationResult result) => [.. result.Checks.Where(check => check.Verdict is Verdict.Failed).Select(check => check.Name)];
}
