using Cloister.Primitives;
using Cloister.Simulation;

namespace Cloister.Attestation.Tests;

/// <summary>One simulated machine for all tests: its root takes seconds to make.</summary>
internal static class Machine
{
    public static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly DevelopmentAuthority Authority = DevelopmentAuthority.Create(Now);

    public static readonly X25519PrivateKey ChannelKey = X25519PrivateKey.Generate();

    public static readonly AppraisalPolicy Policy = SimulatedEnclave.Policy(Authority);

    public static EnclaveStatement Statement { get; } = SimulatedEnclave.Statement(Authority, ChannelKey.PublicKey, Now);

    /// <summary>A bundle in which one thing of the statement or of the report is other than it should be.</summary>
    public static byte[] Bundle(EnclaveStatement? statement = null, Func<SimulatedReport, SimulatedReport>? spoil = null)
    {
        byte[] bytes = (statement ?? Statement).ToBytes();
        var report = new SimulatedReport { ReportData = EnclaveStatement.ReportData(bytes), Measurement = SimulatedEnclave.Measurement };
        return new EnclaveBundle(bytes, Authority.Attest(spoil?.Invoke(report) ?? report)).ToBytes();
    }

    public static CheckName[] Failures(AttestationResult result) => [.. result.Checks.Where(check => check.Verdict is Verdict.Failed).Select(check => check.Name)];
}
