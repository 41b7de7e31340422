using Cloister.Attestation;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>What a trust domain's machine sends: quote, collateral, and the extension of its processor's certificate.</summary>
internal static class TdxTargets
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Quote(ReadOnlySpan<byte> input)
    {
        bool read = TdxQuote.TryParse(input, out var quote, out var error);
        Targets.Require(read == error.Fault is WireFault.None);
        Targets.Require(!read || (TdxQuote.MeasureLength(input) <= input.Length && quote.QeReport.Signed.Length == QeReport.Size && quote.Report.RtMr(3).Length == 48));
        Targets.Require(!TdxVerification.Verify(input.ToArray(), new TdxCollateral(), TdxPolicy.Strict, Now).IsAccepted);
    }

    public static void Info(ReadOnlySpan<byte> input)
    {
        if (SignedDocument.TryParse(Outer("tcbInfo", input), "tcbInfo", out var document) && TcbInfo.TryParse(document, out var info))
        {
            Targets.Require(info.Fmspc.Length == 6 && info.Levels.All(level => level.Sgx.Length == 16 && level.Tdx.Length == 16));
        }
    }

    public static void Identity(ReadOnlySpan<byte> input)
    {
        if (SignedDocument.TryParse(Outer("enclaveIdentity", input), "enclaveIdentity", out var document) && QeIdentity.TryParse(document, out var identity))
        {
            Targets.Require(identity.MrSigner.Length == 32 && identity.Attributes.Length == 16 && identity.MiscSelect.Length == 4);
        }
    }

    public static void Document(ReadOnlySpan<byte> input) => _ = SignedDocument.TryParse(input.ToArray(), "tcbInfo", out _);

    public static void Extensions(ReadOnlySpan<byte> input)
    {
        if (PckExtensions.TryParse(input.ToArray(), out var platform))
        {
            Targets.Require(platform.Fmspc.Length == 6 && platform.TcbComponents.Length == 16 && platform.Ppid.Length == 16);
        }
    }

    // The search is for what is inside: the signature around it need only have its form.
    private static byte[] Outer(string member, ReadOnlySpan<byte> inner) => [.. System.Text.Encoding.ASCII.GetBytes($"{{\"{member}\":"), .. inner, .. System.Text.Encoding.ASCII.GetBytes($",\"signature\":\"{new string('0', 128)}\"}}")];
}
