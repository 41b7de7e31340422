using System.Text;
using Cloister.Attestation;
using Cloister.Enclave.Evidence;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Fuzz;

/// <summary>What a machine of each kind wants, and what its host's helper puts down.</summary>
internal static class CollateralSeeds
{
    public static void Write(DateTimeOffset now, SnpEvidence evidence, Action<string, int, byte[]> save)
    {
        using var intel = new TdxAuthority(now);
        var snp = new SnpWant { Key = SigningKey.Vcek, Product = SnpProduct.Genoa, ChipId = new string('a', 128), Tcb = SnpFirmware.Of(new TcbVersion(0, 10, 0, 27, 27)) };
        var tdx = new TdxWant { Fmspc = TdxAuthority.Fmspc.ToLowerInvariant(), Authority = PckAuthority.Platform };
        var nvidia = new NvidiaWant { Manifests = ["NV_GPU_DRIVER_GH100_550.144.03"], Chains = ["-----BEGIN CERTIFICATE-----"] };
        save("wanted-collateral", 1, new WantedCollateral { Snp = snp, Nvidia = nvidia }.ToBytes());
        save("wanted-collateral", 2, new WantedCollateral { Snp = new SnpWant { Key = SigningKey.Vlek, Product = SnpProduct.Turin }, Tdx = tdx }.ToBytes());

        save("collateral-set", 1, new SnpSet { For = snp, Certificates = evidence.Certificates, RevocationList = evidence.RevocationList! }.ToBytes());
        var collateral = intel.Collateral();
        string issuers = Encoding.UTF8.GetString(collateral.TcbInfoIssuers.Span);
        save("collateral-set", 2, new TdxSet
        {
            For = tdx,
            TcbInfo = Encoding.UTF8.GetString(collateral.TcbInfo.Span),
            TcbInfoIssuers = issuers,
            QeIdentity = Encoding.UTF8.GetString(collateral.QeIdentity.Span),
            QeIdentityIssuers = issuers,
            PckRevocationList = Base64.Encode(collateral.PckRevocationList.Span),
            PckRevocationListIssuers = issuers,
            RootRevocationList = Base64.Encode(collateral.RootRevocationList.Span),
        }.ToBytes());
        save("collateral-set", 3, new NvidiaSet { For = nvidia, Manifests = [new NvidiaManifest(nvidia.Manifests[0], "PGEvPg==")], Revocation = [new Enclave.Evidence.OcspAnswer(new string('0', 64), "MAA=")] }.ToBytes());

        save("tpm-response", 1, Convert.FromHexString("8001" + "00000014" + "00000000" + "0002aabb" + "0001cc" + "0001dd"));
        save("tpm-response", 2, [.. Convert.FromHexString("8001" + "0000003e" + "00000000" + "00000001" + "00000001000b03010000" + "00000001" + "0020"), .. new byte[32]]);
        save("tpm-response", 3, Convert.FromHexString("8002" + "0000001b" + "00000000" + "00000008" + "0004ff544347" + "0018" + "000001" + "0000"));
    }
}
