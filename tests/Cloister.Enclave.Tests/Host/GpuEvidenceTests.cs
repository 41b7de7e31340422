using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Client;
using Cloister.Enclave.Engines;
using Cloister.Enclave.Evidence;
using Cloister.Enclave.Tests.Api;
using Cloister.Simulation;
using Cloister.Testing;
using Cloister.Wire;

namespace Cloister.Enclave.Tests.Host;

/// <summary>A machine with a GPU of a made-up NVIDIA: what it answers and what the host's helper keeps go into the bundle, and a client that demands it accepts.</summary>
public sealed class GpuEvidenceTests : IDisposable
{
    private static readonly NvidiaAuthority Nvidia = new(DateTimeOffset.UtcNow);
    private static CancellationToken Patience => TestContext.Current.CancellationToken;

    private readonly string _endorsements = Directory.CreateTempSubdirectory("cloister-gpu-").FullName;
    private readonly string _wanted = Directory.CreateTempSubdirectory("cloister-gpu-").FullName;
    private NvidiaWant? _seen;

    private EvidenceSource Source(Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? hear = null)
    {
        ImmutableArray<Evidence.NvidiaAnswer> Attest(ReadOnlyMemory<byte> nonce)
        {
            var device = Nvidia.Report(Nvidia.Gpu, new NvidiaParts { Nonce = (hear?.Invoke(nonce) ?? nonce).ToArray() });
            return [new Evidence.NvidiaAnswer(device.Report.ToArray(), device.Certificates.ToArray())];
        }
        var host = new HostCollateral(new SharedFolder(_endorsements), new SharedFolder(_wanted));
        return RunningEnclave.Evidence with { Gpus = new NvidiaEvidenceSource(Attest, host).Attest };
    }

    // Plays the host's helper: reads what is wanted, and puts it down.
    private void Help()
    {
        Assert.True(WantedCollateral.TryParse(File.ReadAllBytes(Path.Combine(_wanted, WantedCollateral.FileName)), out var wanted));
        _seen = wanted.Nvidia!;
        NvidiaAuthority.Holder[] answered = [Nvidia.Identity, Nvidia.Provisioner, Nvidia.ManifestAuthority, Nvidia.ManifestIssuer, Nvidia.ManifestSigner, Nvidia.Gpu.BootRom];
        var set = new NvidiaSet
        {
            For = _seen,
            Manifests = [.. _seen.Manifests.Select(id => new NvidiaManifest(id, Base64.Encode(Nvidia.Manifest(new NvidiaManifestParts { IsVbios = id.Contains("VBIOS", StringComparison.Ordinal) }))))],
            Revocation = [.. answered.Select((holder, index) => new Evidence.OcspAnswer($"{index:x64}", Base64.Encode(Nvidia.Answer(holder))))],
        };
        File.WriteAllBytes(Path.Combine(_endorsements, NvidiaSet.FileName), set.ToBytes());
    }

    private static EnclaveSetup Setup(EvidenceSource source) => RunningEnclave.Setup(new EmbeddedEngine([], ApiOnKestrel.Limits, TimeProvider.System)) with { Evidence = source };

    private AppraisalPolicy Policy => SimulatedEnclave.Policy(RunningEnclave.Authority) with
    {
        NvidiaGpu = NvidiaGpus.Strict(1, _seen!.Manifests) with { DeviceRoots = [Nvidia.Root.Fingerprint], ManifestRoots = [Nvidia.ManifestRoot.Fingerprint] },
    };

    private async Task<AttestationResult> ConnectAsync(RunningEnclave enclave, bool session = false)
    {
        AttestationResult? result = null;
        using var handler = new SealedHttpHandler(new ClientOptions { Operator = enclave.Address, Policy = Policy, Appraised = one => result = one });
        try
        {
            await handler.ConnectAsync(Patience);
            return session ? await handler.AppraiseSessionAsync(Patience) : result!;
        }
        catch (EnclaveRefusedException refusal)
        {
            return refusal.Results.Single();
        }
    }

    [Fact]
    public async Task A_GPU_goes_into_the_bundle_and_into_the_proof_of_a_session()
    {
        var missing = await Assert.ThrowsAsync<IOException>(() => EnclaveHost.StartAsync(Setup(Source()), Patience));
        Assert.Contains("nvidia.json", missing.Message);
        Help();

        await using var enclave = await RunningEnclave.StartAsync(Setup(Source()));
        var result = await ConnectAsync(enclave);
        Assert.Equal([], result.Checks.Where(check => check.Verdict is Verdict.Failed).Select(check => check.Name));
        Assert.Contains(result.Checks, check => check.Name == "NvidiaGpu.ReportSignature");
        Assert.True((await ConnectAsync(enclave, session: true)).IsAccepted);
    }

    [Fact]
    public async Task A_GPU_that_answers_something_else_is_refused_by_the_client()
    {
        await Assert.ThrowsAsync<IOException>(() => EnclaveHost.StartAsync(Setup(Source()), Patience));
        Help();
        await using var enclave = await RunningEnclave.StartAsync(Setup(Source(hear: nonce => nonce.ToArray().Reverse().ToArray())));
        var result = await ConnectAsync(enclave);
        Assert.Equal(["NvidiaGpu.Nonce"], result.Checks.Where(check => check.Verdict is Verdict.Failed).Select(check => check.Name));
    }

    public void Dispose()
    {
        Directory.Delete(_endorsements, recursive: true);
        Directory.Delete(_wanted, recursive: true);
    }
}
