using System.Globalization;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
using Cloister.Wire;

namespace Cloister.Cli.Collateral;

/// <summary>What AMD's key distribution service serves for a chip (AMD 57230, section 4).</summary>
internal sealed class AmdCollateral(Vendors vendors, SnpWant want)
{
    // Turin's chips have an identity of 8 bytes, with zeros behind it in the report.
    private const int TurinIdentity = 16;

    private string Branch => want.Key is SigningKey.Vlek ? "vlek" : "vcek";

    /// <summary>Everything, fetched or kept, and verified under its own root; which root counts is for the clients to say.</summary>
    /// <exception cref="VendorFault">Something lacks, or does not belong to the rest.</exception>
    public async Task<SnpSet> GatherAsync(Gathering gathering)
    {
        var chain = await gathering.GetAsync(Chain);
        var list = await gathering.GetAsync(List);
        byte[][] chip = want.Key is SigningKey.Vcek ? [(await gathering.GetAsync(Chip)).Content] : [];
        return Belong(chain.Content, list.Content, chip)
            ? new SnpSet { For = want, Certificates = [.. chip.Concat(PemText.Ders(chain.Content)).Select(der => Base64.Encode(der))], RevocationList = Base64.Encode(list.Content) }
            : throw gathering.Discord(vendors.Amd);
    }

    private static bool Belong(byte[] chain, byte[] list, byte[][] chip) =>
        PemCertificates.TryParse(chain, out var authorities) && authorities is [var intermediate, var root] && root.IsSignedBy(root) && intermediate.IsSignedBy(root)
        && RevocationList.TryParse(list, out var revoked) && revoked.IsSignedBy(root)
        && chip.All(der => Certificate.TryParse(der, out var certificate) && certificate.IsSignedBy(intermediate));

    private VendorItem Chip => new()
    {
        Title = "this chip's certificate",
        Address = new Uri(vendors.Amd, $"vcek/v1/{want.Product}/{(want.Product is SnpProduct.Turin ? want.ChipId![..TurinIdentity] : want.ChipId)}?{Versions(want.Tcb!)}"),
        MaxSize = Certificate.MaxSize,
        Changes = false,
        Expiry = answer => Certificate.TryParse(answer.Content, out var certificate) ? certificate.NotAfter : null,
    };

    private VendorItem Chain => new()
    {
        Title = $"{want.Product}'s authorities",
        Address = new Uri(vendors.Amd, $"{Branch}/v1/{want.Product}/cert_chain"),
        MaxSize = PemCertificates.MaxSize,
        Changes = false,
        Expiry = answer => PemCertificates.TryParse(answer.Content, out var certificates) && certificates.Length == 2 ? certificates.Min(certificate => certificate.NotAfter) : null,
    };

    private VendorItem List => new()
    {
        Title = $"{want.Product}'s list of revoked certificates",
        Address = new Uri(vendors.Amd, $"{Branch}/v1/{want.Product}/crl"),
        MaxSize = RevocationList.MaxSize,
        Changes = true,
        Expiry = answer => RevocationList.TryParse(answer.Content, out var list) ? list.NextUpdate : null,
    };

    private string Versions(SnpFirmware tcb) => string.Create(CultureInfo.InvariantCulture,
        $"{(want.Product is SnpProduct.Turin ? $"fmcSPL={tcb.Fmc:00}&" : "")}blSPL={tcb.BootLoader:00}&teeSPL={tcb.Tee:00}&snpSPL={tcb.Snp:00}&ucodeSPL={tcb.Microcode:00}");
}
