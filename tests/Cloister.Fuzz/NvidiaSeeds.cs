using System.Text;
using Cloister.Attestation;
using Cloister.Testing;

namespace Cloister.Fuzz;

/// <summary>What a made-up NVIDIA and its devices sign.</summary>
internal static class NvidiaSeeds
{
    public static void Write(DateTimeOffset now, Action<string, int, byte[]> save)
    {
        using var nvidia = new NvidiaAuthority(now);
        var gpu = nvidia.Report(nvidia.Gpu);
        save("nvidia-report", 1, gpu.Report.ToArray());
        save("nvidia-report", 2, nvidia.FabricEvidence().Switches[0].Report.ToArray());
        save("nvidia-chain", 1, gpu.Certificates.ToArray());
        save("nvidia-evidence", 1, Encoding.ASCII.GetBytes($$"""[{"arch":"HOPPER","certificate":"{{Convert.ToBase64String(gpu.Certificates.Span[..90])}}","evidence":"{{Convert.ToBase64String(gpu.Report.Span[..90])}}"}]"""));
        save("manifest", 1, nvidia.Manifest());
        save("manifest", 2, nvidia.Manifest(new NvidiaManifestParts { IsVbios = true, Indexes = [] }));
        save("corim", 1, nvidia.Corim());
        save("corim", 2, nvidia.Corim(new NvidiaManifestParts { IsVbios = true, Chain = [[1], [2]] }, new NvidiaCorimParts { Item = (name, item) => name == "document" ? TestCbor.Tag(500, TestCbor.Tag(502, item)) : item }));
        save("xml", 1, """<a xmlns="u:1" xmlns:x='u:2' x:b="1" b='2'> t <x:c/><d xmlns="u:1"/></a>"""u8.ToArray());
        save("xml", 2, nvidia.Manifest(new NvidiaManifestParts { Chain = [[1, 2, 3]] }));
        save("ocsp", 1, nvidia.Answer(nvidia.Provisioner));
        save("ocsp", 2, nvidia.Answer(nvidia.Gpu.BootRom, new NvidiaAnswer { Signer = nvidia.Responder(nvidia.Provisioner), Status = OcspStatus.Revoked }));
    }
}
