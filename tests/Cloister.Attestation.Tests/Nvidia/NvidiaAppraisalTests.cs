using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Testing;

namespace Cloister.Attestation.Tests;

/// <summary>A whole bundle whose machine has GPUs: hardware signs the statement, the statement names their evidence, they answer the statement's nonce.</summary>
public class NvidiaAppraisalTests
{
    private static readonly NvidiaAuthority Nvidia = new(Machine.Now);

    private static readonly AppraisalPolicy Policy = Machine.Policy with
    {
        NvidiaGpu = NvidiaGpus.Strict(1, Ids) with { DeviceRoots = [Nvidia.Root.Fingerprint], ManifestRoots = [Nvidia.ManifestRoot.Fingerprint] },
    };

    // As NVIDIA would call the manifests of this device.
    private static ImmutableArray<string> Ids =>
        [.. NvidiaVerification.Verify(Nvidia.Evidence(), new NvidiaCollateral(), Nvidia.Policy(), NvidiaAuthority.Nonce, Machine.Now).Devices.SelectMany(device => device.ManifestIds)];

    private static byte[] Bundle(Func<byte[], byte[]>? nonce = null, Func<NvidiaGpuEvidence, NvidiaGpuEvidence>? afterwards = null, Func<EnclaveStatement, EnclaveStatement>? change = null, bool inCbor = false)
    {
        // The nonce covers the statement without its last member, so any digest gives the same one.
        byte[] asked = EnclaveStatement.GpuNonce((Machine.Statement with { GpuEvidence = new string('0', 64) }).ToBytes());
        Assert.Equal(32, asked.Length);
        NvidiaAuthority.Holder[] answered = [Nvidia.Identity, Nvidia.Provisioner, Nvidia.ManifestAuthority, Nvidia.ManifestIssuer, Nvidia.ManifestSigner, Nvidia.Gpu.BootRom];
        var evidence = NvidiaGpuEvidence.Of(
            Nvidia.Evidence(new NvidiaParts { Nonce = nonce?.Invoke(asked) ?? asked }),
            new NvidiaCollateral
            {
                Manifests = inCbor ? [Nvidia.Corim(), Nvidia.Corim(new NvidiaManifestParts { IsVbios = true })] : [Nvidia.Manifest(), Nvidia.Manifest(new NvidiaManifestParts { IsVbios = true })],
                OcspResponses = [.. answered.Select(subject => (ReadOnlyMemory<byte>)Nvidia.Answer(subject, new NvidiaAnswer { Age = TimeSpan.FromHours(3) }))],
            });

        var statement = Machine.Statement with { GpuEvidence = Convert.ToHexStringLower(SHA256.HashData(evidence.ToBytes())) };
        var parts = Machine.Parts(change?.Invoke(statement) ?? statement);
        return (parts with { Evidence = [.. parts.Evidence, (afterwards?.Invoke(evidence) ?? evidence).ToPlatformEvidence()] }).ToBytes();
    }

    private static string[] Failed(byte[] bundle, AppraisalPolicy? policy = null) => Machine.Failures(Appraisal.Appraise(bundle, policy ?? Policy, Machine.Now));

    private static AppraisalPolicy With(Func<NvidiaGpus, NvidiaGpus> change) => Policy with { NvidiaGpu = change(Policy.NvidiaGpu!) };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_machine_with_its_GPU_is_accepted(bool inCbor)
    {
        var result = Appraisal.Appraise(Bundle(inCbor: inCbor), Policy, Machine.Now);
        Assert.Empty(Machine.Failures(result));
        Assert.True(result.TryAccept(out _));
        Assert.Equal("AMD SEV-SNP", result.Machine);
        Assert.All(Enum.GetNames<NvidiaCheck>(), name => Assert.Contains(result.Checks, check => check.Name == $"NvidiaGpu.{name}"));
    }

    [Fact]
    public void GPUs_are_there_exactly_where_the_policy_asks_for_them()
    {
        Assert.Equal([nameof(BundleCheck.Companions)], Failed(Bundle(), Policy with { NvidiaGpu = null }));
        string[] without = Failed(Machine.Bundle());
        Assert.Contains(nameof(BundleCheck.Companions), without);
        Assert.Contains("NvidiaGpu.ReportSignature", without);
    }

    [Fact]
    public void Evidence_that_was_exchanged_is_refused()
    {
        // Somebody else's GPU, genuine, that answered another statement.
        Assert.Contains("NvidiaGpu.Nonce", Failed(Bundle(nonce: asked => [.. asked.Reverse()])));

        // Evidence that is exchanged after the hardware has signed.
        Assert.Equal([nameof(BundleCheck.GpuBinding)], Failed(Bundle(afterwards: evidence => evidence with { OcspResponses = [.. evidence.OcspResponses.Reverse()] })));

        // A statement that names none: then there is no nonce either.
        string[] unnamed = Failed(Bundle(change: statement => statement with { GpuEvidence = null }));
        Assert.Contains(nameof(BundleCheck.GpuBinding), unnamed);
        Assert.Contains("NvidiaGpu.Nonce", unnamed);
        Assert.Contains(nameof(BundleCheck.GpuBinding), Failed(Machine.Bundle(Machine.Statement with { GpuEvidence = new string('0', 64) })));
    }

    [Fact]
    public void A_nonce_is_made_of_the_statement_in_its_one_form()
    {
        byte[] statement = (Machine.Statement with { GpuEvidence = new string('0', 64) }).ToBytes();
        Assert.Equal(EnclaveStatement.GpuNonce(statement), SHA256.HashData([.. "cloister gpu evidence v1\0"u8, .. Machine.Statement.ToBytes()]));
        Assert.Empty(EnclaveStatement.GpuNonce(Machine.Statement.ToBytes()));
        Assert.Empty(EnclaveStatement.GpuNonce(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(statement).Replace("\"gpu_evidence\":", "\"gpu_evidence\": ", StringComparison.Ordinal))));
        Assert.Empty(EnclaveStatement.GpuNonce([]));
    }

    public static TheoryData<string, Func<NvidiaGpus, NvidiaGpus>> Demands => new()
    {
        { "NvidiaGpu.GpuCount", devices => devices with { GpuCount = 2 } },
        { "NvidiaGpu.SwitchCount", devices => devices with { SwitchCount = 1 } },
        { "NvidiaGpu.DeviceRoot", devices => devices with { DeviceRoots = [NvidiaRoot.Device] } },
        { "NvidiaGpu.ManifestRoot", devices => devices with { ManifestRoots = [NvidiaRoot.Manifest] } },
        { "NvidiaGpu.Mode", devices => devices with { Modes = [] } },
        { "NvidiaGpu.DriverFloor", devices => devices with { MinimumDriver = "999" } },
        { "NvidiaGpu.VbiosFloor", devices => devices with { MinimumVbios = "FF" } },
        { "NvidiaGpu.ExpectedManifests", devices => devices with { ManifestIds = [] } },
        { "NvidiaGpu.DeviceRevocationAge", devices => devices with { MaximumOcspHours = 1 } },
    };

    [Theory, MemberData(nameof(Demands))]
    public void Each_demand_changes_a_verdict(string name, Func<NvidiaGpus, NvidiaGpus> change)
    {
        string[] failed = Failed(Bundle(), With(change));
        Assert.Contains(Enum.GetNames<NvidiaCheck>(), check => $"NvidiaGpu.{check}" == name);
        Assert.Contains(name, failed);
    }

    [Fact]
    public void A_policy_for_GPUs_survives_being_written_and_read()
    {
        Assert.True(AppraisalPolicy.TryParse(Policy.ToBytes(), out var read, out string? fault), fault);
        Assert.Equal(Policy.ToBytes(), read.ToBytes());
        Func<NvidiaGpus, NvidiaGpus>[] wrong =
        [
            devices => devices with { GpuCount = 0 }, devices => devices with { SwitchCount = -1 }, devices => devices with { DeviceRoots = [] }, devices => devices with { ManifestRoots = ["00"] },
            devices => devices with { Modes = [NvidiaMode.Unknown] }, devices => devices with { ManifestIds = [null!] }, devices => devices with { MaximumOcspHours = 0 },
        ];
        Assert.All(wrong, change => Assert.False(AppraisalPolicy.TryParse(With(change).ToBytes(), out _, out _)));
    }

    [Fact]
    public void Evidence_that_cannot_be_read_is_named()
    {
        Assert.Contains(nameof(BundleCheck.EvidenceForm), Failed(Bundle(afterwards: evidence => evidence with { Manifests = ["?"] })));
        Assert.Contains(nameof(BundleCheck.EvidenceForm), Failed(Bundle(afterwards: evidence => evidence with { Gpus = [.. Enumerable.Repeat(evidence.Gpus[0], 65)] })));
    }
}
