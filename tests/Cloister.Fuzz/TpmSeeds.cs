using Cloister.Attestation;
using Cloister.Testing;

namespace Cloister.Fuzz;

/// <summary>What a made-up TPM says.</summary>
internal static class TpmSeeds
{
    public static void Write(DateTimeOffset now, Action<string, int, byte[]> save)
    {
        using var tpm = new TpmAuthority(now);
        var elliptic = new TpmParts { Scheme = TpmScheme.Ecdsa };
        save("tpm-quote", 1, TpmTargets.Join(tpm.Evidence()));
        save("tpm-quote", 2, TpmTargets.Join(tpm.Evidence(elliptic)));
        save("tpm-key", 1, tpm.Key(new TpmParts()));
        save("tpm-key", 2, tpm.Key(elliptic));
        save("event-log", 1, [0, .. new EventLogWriter().StartupLocality(3).Measure(0, EventType.CrtmVersion, [0, 0]).Measure(7, EventType.Separator, new byte[4]).ToArray()]);
        save("event-log", 2, [1, .. new EventLogWriter(EventLogKind.Tdx).Note([1]).Measure(0, EventType.EfiHandoffTables2, "td_hob"u8.ToArray()).Measure(3, EventType.Separator, new byte[4]).ToArray(), 0xff, 0xff]);
        save("hcl-report", 1, tpm.Hcl());
    }
}
