using System.Text;
using Cloister.Testing;

namespace Cloister.Fuzz;

/// <summary>A made-up Intel's quote and collateral.</summary>
internal static class TdxSeeds
{
    public static void Write(DateTimeOffset now, Action<string, int, byte[]> save)
    {
        using var intel = new TdxAuthority(now);
        save("tdx-quote", 1, intel.Quote());
        save("tdx-quote", 2, intel.Quote(new TdxQuoteParts { Version = 5, Report15 = true }));
        save("tcb-info", 1, Encoding.UTF8.GetBytes(intel.TcbInfo()));
        save("qe-identity", 1, Encoding.UTF8.GetBytes(intel.QeIdentity()));
        save("signed-document", 1, intel.Signed("tcbInfo", """{"id":"TDX","version":3}"""));
        save("pck-extension", 1, TdxAuthority.PckExtension());
    }
}
